import { KubesyncError } from '../errors.ts'
import { nodeAt } from './delta.ts'
import type { Mode } from './mode.ts'
import type { Operation, Outcome } from './operation.ts'
import { joinPath, parentOf } from './path.ts'
import type { ContentSource, Replica } from './replica/replica.ts'
import type { Side } from './side.ts'
import { otherSide } from './side.ts'
import type { Conflict } from './status.ts'
import type { Entry, Node, Path } from './tree.ts'

export const keeps = ['local', 'remote', 'both'] as const
/** Which version stays. `both`: local's, and remote's beside it by another name. */
export type Keep = (typeof keeps)[number]

/** What a side has at the path of a conflict. */
export interface Version {
  readonly kind: Entry['kind']
  /** Bytes; absent, as are the next two, for what is no file. */
  readonly size?: number
  /** ISO 8601, by that side's clock. */
  readonly mtime?: string
  /** SHA-256, in hexadecimal. */
  readonly digest?: string
  /** Where a symlink leads. */
  readonly target?: string
}

/** A conflict with what each side has there; a side that has nothing is absent. */
export interface ConflictDetail extends Conflict {
  readonly local?: Version
  readonly remote?: Version
}

export interface ConflictsOptions {
  readonly replicas: Readonly<Record<Side, Replica>>
  readonly mode: Mode
  readonly current: () => readonly Conflict[]
  /** Does something to a path; nothing is planned there before that is done, and everything afterwards. */
  readonly alone: <T>(path: Path, action: () => Promise<T>) => Promise<T>
}

const WRITES: Readonly<Record<Mode, readonly Side[]>> = {
  'two-way-safe': ['local', 'remote'],
  'to-remote-safe': ['remote'],
  'to-local-safe': ['local'],
}

/** The conflicts of a session: what they are about, and how a person settles them. */
export class Conflicts {
  private readonly options: ConflictsOptions

  constructor(options: ConflictsOptions) {
    this.options = options
  }

  /** All there are, with the digests of the files. */
  async list(): Promise<ConflictDetail[]> {
    const conflicts = this.options.current()
    const [local, remote] = await Promise.all([
      this.versions('local', conflicts),
      this.versions('remote', conflicts),
    ])
    return conflicts.map((conflict, index) => ({
      ...conflict,
      ...withSide('local', local[index]),
      ...withSide('remote', remote[index]),
    }))
  }

  /**
   * Settles a conflict, if both sides still hold what they held when it was found. Rejects with NO_SUCH_CONFLICT,
   * NOT_SETTLED, or with SIDE_READ_ONLY if the spec never writes the side whose version is to go.
   */
  async resolve(path: Path, keep: Keep): Promise<void> {
    if (!this.options.current().some((conflict) => conflict.path === path)) {
      throw new KubesyncError('NO_SUCH_CONFLICT', `there is no conflict at ${path}`)
    }
    const loser = keep === 'remote' ? 'local' : 'remote'
    this.refuseReadOnly(loser)
    if (keep === 'both') this.refuseReadOnly('local')
    await this.options.alone(path, async () => {
      if (keep === 'both') await this.setBeside(path)
      for (const operations of this.operations(path, loser)) await this.carryOut(loser, operations)
    })
  }

  private refuseReadOnly(side: Side): void {
    if (WRITES[this.options.mode].includes(side)) return
    throw new KubesyncError('SIDE_READ_ONLY', `the ${side} side is never written by this spec`, {
      hint: `keep the other version, or change what is on the ${side} side yourself`,
    })
  }

  private at(side: Side, path: Path): Node | undefined {
    return nodeAt(this.options.replicas[side].tree, path)
  }

  /** Replaces a version by the other one at one go, or removes it: then the other one takes its place. */
  private operations(path: Path, loser: Side): Operation[][] {
    const node = this.at(loser, path)
    const winner = this.at(otherSide[loser], path)?.entry
    if (winner?.kind === 'opaque' || (node !== undefined && !isRemovable(node))) {
      throw new KubesyncError('NOT_SETTLED', `there is something at ${path} that cannot be synced`)
    }
    if (node === undefined) return []
    if (node.entry.kind === 'opaque' || node.children !== undefined) return [removals(path, node)]
    const expect = node.entry.stamp
    if (winner?.kind === 'symlink') return [[{ op: 'symlink', path, expect, target: winner.target }]]
    if (winner?.kind !== 'file') return [[{ op: 'remove', path, expect }]]
    const { executable, stamp } = winner
    return [[{ op: 'put', path, expect, executable, source: { stamp } }]]
  }

  /** Makes a copy of remote's version here, by a name that nothing has. */
  private async setBeside(path: Path): Promise<void> {
    const { local, remote } = this.options.replicas
    const entry = nodeAt(remote.tree, path)?.entry
    if (entry?.kind !== 'file' && entry?.kind !== 'symlink') {
      throw new KubesyncError(
        'NOT_SETTLED',
        `only files and links can be kept twice, and ${path} is none there`,
      )
    }
    const beside = freeName(path, (name) => nodeAt(local.tree, name) ?? nodeAt(remote.tree, name))
    const source: ContentSource =
      entry.kind === 'file' ? { read: () => remote.read([{ path, stamp: entry.stamp }]) } : remote
    const operation: Operation =
      entry.kind === 'symlink'
        ? { op: 'symlink', path: beside, expect: 'absent', target: entry.target }
        : {
            op: 'put',
            path: beside,
            expect: 'absent',
            executable: entry.executable,
            source: { stamp: entry.stamp },
          }
    await this.carryOut('local', [operation], source)
  }

  private async carryOut(
    side: Side,
    operations: readonly Operation[],
    source: ContentSource = this.options.replicas[otherSide[side]],
  ): Promise<void> {
    for await (const outcomes of this.options.replicas[side].apply(operations, source)) {
      for (const outcome of outcomes) if (outcome.result !== 'done') throw notDone(side, outcome)
    }
  }

  private async versions(side: Side, conflicts: readonly Conflict[]): Promise<(Version | undefined)[]> {
    const entries = conflicts.map(({ path }) => this.at(side, path)?.entry)
    const digests = await this.digests(side, conflicts, entries)
    return entries.map((entry, index) => entry && describe(entry, digests.get(index)))
  }

  private async digests(
    side: Side,
    conflicts: readonly Conflict[],
    entries: readonly (Entry | undefined)[],
  ): Promise<Map<number, string | undefined>> {
    const files = conflicts.flatMap(({ path }, index) => {
      const entry = entries[index]
      return entry?.kind === 'file' ? [{ index, path, stamp: entry.stamp, digest: entry.digest }] : []
    })
    const unknown = files.filter(({ digest }) => digest === undefined)
    const found = unknown.length === 0 ? [] : await this.options.replicas[side].hash(unknown)
    return new Map([
      ...files.map(({ index, digest }) => [index, digest] as const),
      ...unknown.map(({ index }, at) => [index, found[at]] as const),
    ])
  }
}

function withSide(side: Side, version: Version | undefined): Pick<ConflictDetail, Side> {
  return version === undefined ? {} : { [side]: version }
}

function describe(entry: Entry, digest: string | undefined): Version {
  if (entry.kind === 'symlink') return { kind: entry.kind, target: entry.target }
  if (entry.kind !== 'file') return { kind: entry.kind }
  const { size, mtimeMs } = entry.stamp
  const hex = digest === undefined ? {} : { digest: Buffer.from(digest, 'latin1').toString('hex') }
  return { kind: entry.kind, size, mtime: new Date(mtimeMs).toISOString(), ...hex }
}

/** Children first. */
function removals(path: Path, node: Node): Operation[] {
  const below = [...(node.children ?? [])].flatMap(([name, child]) => removals(joinPath(path, name), child))
  if (node.entry.kind === 'opaque') return below
  return [...below, { op: 'remove', path, expect: node.entry.stamp }]
}

function isRemovable(node: Node): boolean {
  return node.entry.kind !== 'opaque' && [...(node.children?.values() ?? [])].every(isRemovable)
}

/** `main.js` -> `main.remote.js`, `main.remote-2.js`, … */
function freeName(path: Path, taken: (path: Path) => unknown): Path {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const dot = name.lastIndexOf('.')
  const [stem, extension] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, '']
  for (let number = 1; ; number++) {
    const beside = joinPath(parentOf(path), `${stem}.remote${number === 1 ? '' : `-${number}`}${extension}`)
    if (taken(beside) === undefined) return beside
  }
}

function notDone(side: Side, outcome: Exclude<Outcome, { result: 'done' }>): KubesyncError {
  const why = outcome.result === 'failed' ? outcome.problem.message : 'it changed just now: look at it again'
  return new KubesyncError('NOT_SETTLED', `${outcome.path} (${side}): ${why}`)
}
