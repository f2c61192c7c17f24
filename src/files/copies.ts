/** Finds what a side is to get in what it has: what was renamed or copied on the other side is not sent. */
import type { BaseTree } from './base/base.ts'
import { nodeAt, sameStamp } from './delta.ts'
import type { Operation, Original } from './operation.ts'
import { parentOf } from './path.ts'
import type { Plan } from './plan.ts'
import type { HashRequest } from './replica/replica.ts'
import { type Trees, without } from './safety.ts'
import type { Side } from './side.ts'
import { otherSide } from './side.ts'
import type { Digests, Locked } from './spot.ts'
import { Stock } from './stock.ts'
import type { Digest, Path } from './tree.ts'

/** Bytes of a file from which on it is worth it although another one is replaced: mostly that is an edit. */
const MIN_REPLACED = 4 * 1024 * 1024
/** Milliseconds for which it is remembered what is where, when nobody asks any more. */
const MEMORY = 60_000

type Put = Extract<Operation, { op: 'put' }>

export interface Situation {
  readonly base: BaseTree
  readonly trees: Trees
  readonly digests: Digests
  readonly locked: Locked
}

export interface Revised {
  readonly plan: Plan
  /** Paths whose operations are left out for now. */
  readonly held: readonly Path[]
}

export class Copies {
  private stock: Stock | undefined
  private timer: NodeJS.Timeout | undefined
  /** Where a copy turned out not to be possible. */
  private readonly refused = new Set<Path>()
  /** Files whose digest was asked for, with their size. */
  private readonly asked = new Map<Path, number>()

  /**
   * The plan with copies instead of content where there is some, and with questions for digests where there may be.
   * What is to be copied, or may be, is not removed yet.
   */
  use(plan: Plan, situation: Situation): Revised {
    for (const path of this.asked.keys()) if (!situation.locked.has(path)) this.asked.delete(path)
    for (const { path, stamp } of [...plan.needs.local, ...plan.needs.remote]) {
      if (stamp.size >= MIN_REPLACED) this.asked.set(path, stamp.size)
    }
    if (this.asked.size === 0 && !plan.local.some(isCandidate) && !plan.remote.some(isCandidate)) {
      return { plan, held: [] }
    }
    const local = this.revise('local', plan, situation)
    const remote = this.revise('remote', plan, situation)
    const needs = {
      ...plan.needs,
      // What is to be written to a side is hashed on the other one.
      local: [...plan.needs.local, ...remote.needs],
      remote: [...plan.needs.remote, ...local.needs],
    }
    return {
      plan: { ...plan, local: local.operations, remote: remote.operations, needs },
      held: [...local.held, ...remote.held],
    }
  }

  /** A copy was made, or could not be: then the content is sent the next time. */
  finished(operation: Operation, isDone: boolean): void {
    if (isDone) this.refused.delete(operation.path)
    else if (operation.op === 'put' && operation.original !== undefined) this.refused.add(operation.path)
  }

  forget(): void {
    clearTimeout(this.timer)
    this.stock = undefined
  }

  private revise(side: Side, plan: Plan, situation: Situation) {
    const stock = this.stockOf(situation.base)
    const needs: HashRequest[] = []
    const busy = busyPaths(plan[side])
    const operations = plan[side].flatMap((operation): Operation[] => {
      if (!isCandidate(operation) || this.refused.has(operation.path)) return [operation]
      const { path, source } = operation
      if (!stock.has(source.stamp.size)) return [operation]
      const digest = source.digest ?? askedDigest(situation.digests, side, operation)
      if (digest === undefined) {
        needs.push({ path, stamp: source.stamp })
        this.asked.set(path, source.stamp.size)
        return []
      }
      const original = stock
        .find(digest)
        .map((at) => originalAt(situation, { side, path: at, digest }))
        .find((one) => one !== undefined && !isWithin(one.path, busy))
      return [original === undefined ? operation : { ...operation, source: { ...source, digest }, original }]
    })
    return { needs, ...this.holdBack(side, operations, situation) }
  }

  /** Leaves out what would remove a file that is about to be copied, or that may be, and the directories it is in. */
  private holdBack(side: Side, operations: readonly Operation[], { trees }: Situation) {
    const sizes = new Set(this.asked.values())
    const kept = new Set<Path>()
    for (const { path } of originalsIn(operations)) addWithParents(kept, path)
    for (const { op, path } of sizes.size === 0 ? [] : operations) {
      const entry = op === 'remove' ? nodeAt(trees[side], path)?.entry : undefined
      if (entry?.kind === 'file' && sizes.has(entry.stamp.size)) addWithParents(kept, path)
    }
    const held = operations
      .filter(({ op, path }) => op === 'remove' && kept.has(path))
      .map(({ path }) => path)
    return { operations: without(operations, held), held }
  }

  private stockOf(base: BaseTree): Stock {
    this.stock ??= new Stock()
    this.stock.update(base)
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.forget(), MEMORY).unref()
    return this.stock
  }
}

/** The files that operations copy from. */
export function originalsIn(operations: readonly Operation[]): Original[] {
  return operations.flatMap((operation) =>
    operation.op === 'put' && operation.original !== undefined ? [operation.original] : [],
  )
}

function isCandidate(operation: Operation): operation is Put {
  if (operation.op !== 'put') return false
  const { size } = operation.source.stamp
  return size > 0 && (operation.expect === 'absent' || size >= MIN_REPLACED)
}

function askedDigest(digests: Digests, side: Side, { path, source }: Put): Digest | undefined {
  const asked = digests[otherSide[side]].get(path)
  return asked !== undefined && sameStamp(asked.stamp, source.stamp) ? asked.digest : undefined
}

interface Wanted {
  readonly side: Side
  readonly path: Path
  readonly digest: Digest
}

/** What a side has at a path, if that is what was agreed on, and has this content. */
function originalAt({ base, trees }: Situation, { side, path, digest }: Wanted): Original | undefined {
  const agreed = nodeAt(base, path)?.entry
  const entry = nodeAt(trees[side], path)?.entry
  if (agreed?.kind !== 'file' || entry?.kind !== 'file' || agreed.digest !== digest) return undefined
  const isKnown = sameStamp(entry.stamp, agreed[side]) && (entry.digest ?? digest) === digest
  return isKnown ? { path, stamp: entry.stamp } : undefined
}

/** Where something else than a removal is planned. */
function busyPaths(operations: readonly Operation[]): ReadonlySet<Path> {
  return new Set(operations.filter(({ op }) => op !== 'remove').map(({ path }) => path))
}

function isWithin(path: Path, paths: ReadonlySet<Path>): boolean {
  for (let at = path; at !== ''; at = parentOf(at)) if (paths.has(at)) return true
  return false
}

function addWithParents(paths: Set<Path>, path: Path): void {
  for (let at = path; at !== '' && !paths.has(at); at = parentOf(at)) paths.add(at)
}
