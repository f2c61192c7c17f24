import { KubesyncError } from '../errors.ts'
import { nodeAt } from './delta.ts'
import { Rules } from './ignore/rules.ts'
import type { Operation, Outcome } from './operation.ts'
import { joinPath, parentOf } from './path.ts'
import type { ContentSource, Replica } from './replica/replica.ts'
import type { Side } from './side.ts'
import { otherSide } from './side.ts'
import type { Conflict } from './status.ts'
import { isRemovable } from './transfer.ts'
import type { Node, Path } from './tree.ts'
import { type Version, versionsAt } from './version.ts'
import { type Way, type Ways, writes } from './ways.ts'

export const keeps = ['local', 'remote', 'both'] as const
/** Which version stays. `both`: local's, and remote's beside it by another name. */
export type Keep = (typeof keeps)[number]

/** A conflict with what each side has there; a side that has nothing is absent. */
export interface ConflictDetail extends Conflict {
  readonly local?: Version
  readonly remote?: Version
}

export interface ConflictsOptions {
  readonly replicas: Readonly<Record<Side, Replica>>
  readonly ways: Ways
  readonly current: () => readonly Conflict[]
  /** Forgets what was agreed on at a path and below. */
  readonly forget: (path: Path) => void
  /**
   * Does something to a path; nothing is planned there before that is done, and everything afterwards. Rejects while
   * a root is gone, or the two sides do not go by the same rules: what one of them ignores would look deleted.
   */
  readonly alone: <T>(path: Path, action: () => Promise<T>) => Promise<T>
}

/** The conflicts of a session: what they are about, and how a person settles them. */
export class Conflicts {
  private readonly options: ConflictsOptions

  constructor(options: ConflictsOptions) {
    this.options = options
  }

  /** All there are, with the digests of the files. */
  async list(): Promise<ConflictDetail[]> {
    const { replicas, current } = this.options
    const conflicts = current()
    const paths = conflicts.map(({ path }) => path)
    const [local, remote] = await Promise.all([
      versionsAt(replicas.local, paths),
      versionsAt(replicas.remote, paths),
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
   * @param wordFor says what remote's version is told by in its name, if both stay
   */
  async resolve(
    path: Path,
    keep: Keep,
    wordFor: (remote: Version) => string = () => 'remote',
  ): Promise<void> {
    this.find(path)
    if (this.at('local', path)?.children !== undefined && this.at('remote', path)?.children !== undefined) {
      return this.settleRemount(path, keep)
    }
    const loser = keep === 'remote' ? 'local' : 'remote'
    this.refuseReadOnly(loser, path)
    if (keep === 'both') this.refuseReadOnly('local', path)
    await this.options.alone(path, async () => {
      // Decided before anything is awaited: what is ignored may change meanwhile.
      const decided = this.operations(path, loser)
      if (keep === 'both') await this.setBeside(path, wordFor)
      for (const operations of decided) await this.carryOut(loser, operations)
    })
  }

  /** Where both have a directory, a volume came or went: from now on they meet as for the first time. */
  private async settleRemount(path: Path, keep: Keep): Promise<void> {
    if (keep !== 'both') {
      throw new KubesyncError('NOT_SETTLED', `what is in ${path} cannot be compared with what was`, {
        hint: '`--keep both` merges what the two sides have now, and deletes nothing',
      })
    }
    if (this.options.ways.first.endsWith('-mirror')) {
      throw new KubesyncError('NOT_SETTLED', `a mirror would delete what one side lacks in ${path} now`, {
        hint: 'undo what happened to the volume, or sync the folder in another mode',
      })
    }
    await this.options.alone(path, async () => this.options.forget(path))
  }

  /** Rejects what `resolve` does, where both versions are to be replaced by another. */
  refuseMerge(path: Path): void {
    this.find(path)
    for (const side of ['local', 'remote'] as const) this.refuseReadOnly(side, path)
  }

  /** Does something to a path, as of `ConflictsOptions`. */
  alone<T>(path: Path, action: () => Promise<T>): Promise<T> {
    return this.options.alone(path, action)
  }

  private find(path: Path): void {
    if (this.options.current().some((conflict) => conflict.path === path)) return
    throw new KubesyncError('NO_SUCH_CONFLICT', `there is no conflict at ${path}`)
  }

  private refuseReadOnly(side: Side, path: Path): void {
    const { first } = this.options.ways
    if (writes(this.wayOf(path), side)) return
    const what = writes(first, side) ? `${path} on the ${side} side` : `the ${side} side`
    throw new KubesyncError('SIDE_READ_ONLY', `${what} is never written by this spec`, {
      hint: `keep the other version, or change what is on the ${side} side yourself`,
    })
  }

  private refuseUnsynced(beside: Path): void {
    const { ways, replicas } = this.options
    const isIgnored = new Rules(replicas.local.rules).covers(beside, false)
    if (!isIgnored && writes(ways.at(beside, false), 'local')) return
    throw new KubesyncError('NOT_SETTLED', `${beside}, where the remote version would go, is not synced`, {
      hint: 'keep one of the two, or copy the other one yourself',
    })
  }

  private wayOf(path: Path): Way {
    const children = this.at('local', path)?.children ?? this.at('remote', path)?.children
    return this.options.ways.at(path, children !== undefined)
  }

  private at(side: Side, path: Path): Node | undefined {
    return nodeAt(this.options.replicas[side].tree, path)
  }

  /** Replaces a version by the other one at one go, or removes it: then the other one takes its place. */
  private operations(path: Path, loser: Side): Operation[][] {
    const node = this.at(loser, path)
    const winner = this.at(otherSide[loser], path)?.entry
    const removal = { to: loser, way: this.wayOf(path), path }
    const isStuck = node !== undefined && !isRemovable(this.options.ways, { ...removal, node })
    if (winner?.kind === 'opaque' || isStuck) throw notSynced(isStuck ? loser : otherSide[loser], path)
    if (node === undefined) return []
    if (node.entry.kind === 'opaque' || node.children !== undefined) return [removals(path, node)]
    const expect = node.entry.stamp
    if (winner?.kind === 'symlink') return [[{ op: 'symlink', path, expect, target: winner.target }]]
    if (winner?.kind !== 'file') return [[{ op: 'remove', path, expect }]]
    const { executable, stamp } = winner
    return [[{ op: 'put', path, expect, executable, source: { stamp } }]]
  }

  /** Makes a copy of remote's version here, by a name that nothing has, unless that is done. */
  private async setBeside(path: Path, wordFor: (remote: Version) => string): Promise<void> {
    const { local, remote } = this.options.replicas
    const entry = nodeAt(remote.tree, path)?.entry
    if (entry?.kind !== 'file' && entry?.kind !== 'symlink') {
      throw new KubesyncError(
        'NOT_SETTLED',
        `only files and links can be kept twice, and ${path} is none there`,
      )
    }
    const [version] = await versionsAt(remote, [path])
    const names = namesBeside(path, version === undefined ? 'remote' : wordFor(version))
    const beside = names.find((name) => (nodeAt(local.tree, name) ?? nodeAt(remote.tree, name)) === undefined)
    const same = await versionsAt(local, [path, ...names.slice(0, 1)])
    if (same.some((one) => one?.digest !== undefined && one.digest === version?.digest)) return
    if (beside === undefined) throw new KubesyncError('NOT_SETTLED', `there are too many copies of ${path}`)
    this.refuseUnsynced(beside)
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

  /** Carries out operations on a side, or rejects with NOT_SETTLED. */
  async carryOut(
    side: Side,
    operations: readonly Operation[],
    source: ContentSource = this.options.replicas[otherSide[side]],
  ): Promise<void> {
    for await (const outcomes of this.options.replicas[side].apply(operations, source)) {
      for (const outcome of outcomes) if (outcome.result !== 'done') throw notDone(side, outcome)
    }
  }
}

function withSide(side: Side, version: Version | undefined): Pick<ConflictDetail, Side> {
  return version === undefined ? {} : { [side]: version }
}

/** Children first. */
function removals(path: Path, node: Node): Operation[] {
  const below = [...(node.children ?? [])].flatMap(([name, child]) => removals(joinPath(path, name), child))
  if (node.entry.kind === 'opaque') return below
  return [...below, { op: 'remove', path, expect: node.entry.stamp }]
}

function notSynced(side: Side, path: Path): KubesyncError {
  return new KubesyncError('NOT_SETTLED', `the ${side} side has something at ${path} that is not synced`, {
    hint: 'it is ignored, travels the other way only, or cannot be synced: move that away first',
  })
}

/** Names to choose from. */
const MAX_NAMES = 1000

/** `main.js` -> `main.remote.js`, `main.remote-2.js`, … */
function namesBeside(path: Path, word: string): Path[] {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const dot = name.lastIndexOf('.')
  const [stem, extension] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, '']
  return Array.from({ length: MAX_NAMES }, (_, index) =>
    joinPath(parentOf(path), `${stem}.${word}${index === 0 ? '' : `-${index + 1}`}${extension}`),
  )
}

function notDone(side: Side, outcome: Exclude<Outcome, { result: 'done' }>): KubesyncError {
  const why = outcome.result === 'failed' ? outcome.problem.message : 'it changed just now: look at it again'
  return new KubesyncError('NOT_SETTLED', `${outcome.path} (${side}): ${why}`)
}
