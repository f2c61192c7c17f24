/** What is checked before a plan is carried out: whether it looks like a disaster rather than like work. */
import type { BaseTree } from './base/base.ts'
import { countEntries, nodeAt } from './delta.ts'
import type { Contact } from './mode.ts'
import type { Operation } from './operation.ts'
import { parentOf } from './path.ts'
import type { Plan } from './plan.ts'
import type { Side } from './side.ts'
import { otherSide } from './side.ts'
import type { Path, Tree } from './tree.ts'

/**
 * An empty root is taken for a mistake (an unmounted volume, a moved folder) if both sides had at least this
 * many entries: a single file that somebody deletes is an ordinary thing.
 */
const MIN_EMPTIED = 2
/** Up to here deletions are ordinary work, whatever share of a small tree they are. */
const MIN_DELETED = 20
/** Who means to delete more than half can say so; who does not has lost the more important half. */
const MAX_SHARE = 0.5

export type Trees = Readonly<Record<Side, Tree>>

/** Why nothing may be planned at all, or undefined. */
export function rootTrouble(trees: Trees): string | undefined {
  return troubleOf('local', trees.local) ?? troubleOf('remote', trees.remote)
}

function troubleOf(side: Side, tree: Tree): string | undefined {
  if (tree === undefined) return `the ${side} folder is not there`
  return tree.children === undefined ? `the ${side} folder is no directory any more` : undefined
}

export interface Intent {
  readonly plan: Plan
  readonly trees: Trees
  readonly base: BaseTree
  /** What holds where nothing was agreed on. */
  readonly firstContact: Contact
  /** Entries removed on each side a short while ago. */
  readonly removedBefore: Readonly<Record<Side, number>>
}

/** Why a plan may not be carried out unless a person says so, or undefined. */
export function planTrouble(intent: Intent): string | undefined {
  return strangerTrouble(intent) ?? deletionTrouble(intent, 'local') ?? deletionTrouble(intent, 'remote')
}

/**
 * What a new container lacks was not deleted. A mirror that would have it so has to be told: only when a spec begins
 * does it go without saying.
 */
function strangerTrouble({ plan, base, firstContact }: Intent): string | undefined {
  if (firstContact !== 'seed' && firstContact !== 'merge') return undefined
  const strange = plan.local.filter(({ op, path }) => op === 'remove' && nodeAt(base, path) === undefined)
  if (strange.length === 0) return undefined
  const entries = strange.length === 1 ? '1 entry' : `${strange.length} entries`
  return `the remote folder is new, and ${entries} on local that it does not have would be deleted`
}

/**
 * What keeps a session halted, or undefined. What was not to be deleted a moment ago does not become harmless because
 * one file came back: it is over when nothing would be deleted any more, or when a person says that it was meant.
 */
export function stillDeletes(plan: Plan): string | undefined {
  const side = (['local', 'remote'] as const).find((one) => removalsIn(plan, one) > 0)
  return side && `${removalsIn(plan, side)} entries on ${side} would still be deleted`
}

function deletionTrouble({ plan, trees, base, removedBefore }: Intent, side: Side): string | undefined {
  const planned = removalsIn(plan, side)
  if (planned === 0) return undefined
  const cause = otherSide[side]
  const agreed = countEntries(base)
  if (countEntries(trees[cause]) === 0) {
    if (agreed >= MIN_EMPTIED) return `the ${cause} folder is empty, where both sides had ${agreed} entries`
    if (planned >= MIN_EMPTIED)
      return `the ${cause} folder is empty, and all ${planned} entries on ${side} would go`
  }
  const deleted = planned + removedBefore[side]
  const entries = countEntries(trees[side]) + removedBefore[side]
  if (deleted < MIN_DELETED || deleted <= entries * MAX_SHARE) return undefined
  return `${deleted} of ${entries} entries on ${side} would be deleted`
}

function removalsIn(plan: Plan, side: Side): number {
  let count = 0
  for (const { op } of plan[side]) if (op === 'remove') count++
  return count
}

/** Deleting a large tree takes a program seconds, and is told of in pieces: together they are one deletion. */
const WINDOW_MS = 10_000

/** Remembers what was removed of late. */
export class RecentRemovals {
  private plans: { readonly at: number; readonly local: number; readonly remote: number }[] = []
  private readonly now: () => number

  /** @param now a clock in milliseconds. */
  constructor(now: () => number) {
    this.now = now
  }

  get counts(): Record<Side, number> {
    const since = this.now() - WINDOW_MS
    this.plans = this.plans.filter(({ at }) => at > since)
    const counts = { local: 0, remote: 0 }
    for (const { local, remote } of this.plans) {
      counts.local += local
      counts.remote += remote
    }
    return counts
  }

  add(plan: Plan): void {
    const local = removalsIn(plan, 'local')
    const remote = removalsIn(plan, 'remote')
    if (local + remote > 0) this.plans.push({ at: this.now(), local, remote })
  }

  /** A person said that what is deleted is meant to be. */
  forget(): void {
    this.plans = []
  }
}

/**
 * From this many deletions on a side, they wait for those that may follow: a disaster, too, is told of in pieces. On the
 * laptop every one waits, because the first of a slow `rm -rf` looks like any other.
 */
const BURST: Readonly<Record<Side, number>> = { local: 1, remote: 5 }
/** A replica that sees one change after the other tells of them at least ten times a second. */
const SETTLE_MS = 500

interface Burst {
  /** The most deletions that were planned at once since it began. */
  largest: number
  settledAt: number
}

/** Holds deletions back until no more come, so that they are judged as a whole. Times are in milliseconds. */
export class DeletionBursts {
  private readonly bursts: Partial<Record<Side, Burst>> = {}
  private readonly now: () => number
  private readonly settleMs: number

  /** @param now a clock in milliseconds. */
  constructor(now: () => number, settleMs: number = SETTLE_MS) {
    this.now = now
    this.settleMs = settleMs
  }

  /** When deletions that are held back now are to be planned again. */
  get nextAt(): number | undefined {
    const times = Object.values(this.bursts).map(({ settledAt }) => settledAt)
    return times.length === 0 ? undefined : Math.min(...times)
  }

  /** The plan without the deletions that have to wait, and the paths that wait. */
  settled(plan: Plan, removedBefore: Readonly<Record<Side, number>>): { plan: Plan; held: readonly Path[] } {
    const held = (['local', 'remote'] as const).map((side) => this.heldBack(side, plan, removedBefore[side]))
    const [local = [], remote = []] = held
    if (local.length + remote.length === 0) return { plan, held: [] }
    return {
      plan: { ...plan, local: without(plan.local, local), remote: without(plan.remote, remote) },
      held: [...local, ...remote],
    }
  }

  private heldBack(side: Side, plan: Plan, before: number): readonly Path[] {
    const paths = plan[side].filter(({ op }) => op === 'remove').map(({ path }) => path)
    const now = this.now()
    const burst = this.bursts[side]
    if (paths.length === 0 || (burst === undefined && paths.length + before < BURST[side])) {
      delete this.bursts[side]
      return []
    }
    if (burst === undefined || paths.length > burst.largest) {
      this.bursts[side] = { largest: paths.length, settledAt: now + this.settleMs }
      return paths
    }
    if (now < burst.settledAt) return paths
    delete this.bursts[side]
    return []
  }
}

/** The operations but for those on these paths and below: what takes the place of something waits with it. */
export function without(operations: readonly Operation[], paths: readonly Path[]): readonly Operation[] {
  if (paths.length === 0) return operations
  const held = new Set(paths)
  return operations.filter(({ path }) => {
    for (let at = path; at !== ''; at = parentOf(at)) if (held.has(at)) return false
    return true
  })
}
