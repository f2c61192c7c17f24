import { KubesyncError } from '../errors.ts'
import { Aftermath, type OnApplied } from './aftermath.ts'
import type { BaseUpdate } from './base/base.ts'
import type { BaseStore } from './base/store.ts'
import { ClockWatch } from './clock-watch.ts'
import { CommonRules } from './common-rules.ts'
import { Copies, originalsIn } from './copies.ts'
import { nodeAt } from './delta.ts'
import { hashAll, pathsToHash } from './hashing.ts'
import { Lane } from './lane.ts'
import { Lanes } from './lanes.ts'
import type { Mode } from './mode.ts'
import type { Plan } from './plan.ts'
import { Progress } from './progress.ts'
import { reconcile } from './reconcile.ts'
import type { Replica } from './replica/replica.ts'
import { DeletionBursts, planTrouble, RecentRemovals, rootTrouble, stillDeletes } from './safety.ts'
import type { SidedProblem } from './setbacks.ts'
import type { Side } from './side.ts'
import type { Conflict } from './status.ts'
import type { Delta, Path, Tree } from './tree.ts'
import type { Exclusions } from './ways.ts'
import { Work } from './work.ts'

export interface EngineOptions {
  readonly replicas: Readonly<Record<Side, Replica>>
  readonly base: BaseStore
  readonly mode: Mode
  /** What does not travel one way although the mode would have it. */
  readonly exclusions?: Exclusions | undefined
  /** How long many deletions wait for more, in milliseconds; half a second unless given. */
  readonly settleMs?: number
  readonly onApplied?: OnApplied | undefined
  /** Called whenever there may be something to do or to tell. */
  readonly onChange: () => void
  /** Told of what both sides agree on from now on. */
  readonly onAgreed?: (updates: readonly BaseUpdate[]) => void
  /** Told of a defect of ours, after which nothing it says can be relied on. */
  readonly onDefect: (error: unknown) => void
}

/**
 * What a session does, without its life: takes deltas, decides what they mean, has both replicas carry that out
 * at the same time, and commits to the base what both sides then hold.
 */
export class Engine {
  readonly progress = new Progress()
  /** Why nothing is written, while that is so. */
  halt: string | undefined
  private readonly options: EngineOptions
  private readonly work = new Work()
  private readonly copies = new Copies()
  private readonly removals = new RecentRemovals(() => performance.now())
  private readonly bursts: DeletionBursts
  private readonly lanes: Lanes
  private readonly aftermath: Aftermath
  private readonly rules: CommonRules
  private readonly clock: ClockWatch
  /** The trees up to the last delta. */
  private readonly seen: Record<Side, Tree>
  private conflictsByPath = new Map<Path, Conflict>()
  private isApproved = false
  private isEnded = false

  constructor(options: EngineOptions) {
    this.options = options
    this.bursts = new DeletionBursts(() => performance.now(), options.settleMs)
    this.lanes = new Lanes(options.replicas, options)
    const { work, progress, copies } = this
    const stop = (side: Side) => this.lanes.cancel(side)
    this.aftermath = new Aftermath({ ...options, work, progress, copies, stop })
    this.rules = new CommonRules(options)
    this.clock = new ClockWatch(options.replicas)
    this.seen = this.trees
    this.work.scope.addAll('')
  }

  /** Whether something is under way or about to be. A halted engine waits. */
  get isBusy(): boolean {
    const { work, lanes } = this
    if (!lanes.isIdle || work.asking > 0) return true
    return this.halt === undefined && !(work.scope.isEmpty && work.setbacks.isPatient)
  }

  get conflicts(): Conflict[] {
    return [...this.conflictsByPath.values()]
  }

  get problems(): SidedProblem[] {
    const { unsaved } = this.options.base
    const problems = [...this.work.blockades.problems, ...this.work.setbacks.problems]
    if (unsaved !== undefined)
      problems.push({ side: 'local', path: '', code: 'BASE_UNSAVED', message: unsaved })
    return problems
  }

  /** When to run again even if nothing happens, on the clock of `performance.now()`. */
  get nextAt(): number | undefined {
    const { setbacks, blockades } = this.work
    const times = [setbacks.nextAt, blockades.nextAt, this.bursts.nextAt].filter((time) => time !== undefined)
    return times.length === 0 ? undefined : Math.min(...times)
  }

  /** Whether there is something that a side does not take for now, such as a full one. */
  get isBlocked(): boolean {
    return this.work.blockades.isActive
  }

  get isIdle(): boolean {
    return this.lanes.isIdle
  }

  /** What a replica told of. */
  take(side: Side, delta: Delta): void {
    const before = this.seen[side]
    for (const [path, entry] of delta) {
      // A directory that was one before tells of its children by themselves. A new one says something of all that
      // the other side and the base have there.
      const isOld = entry?.kind === 'directory' && nodeAt(before, path)?.children !== undefined
      if (isOld) this.work.scope.add(path)
      else this.work.scope.addAll(path)
    }
    this.seen[side] = this.options.replicas[side].tree
    this.work.setbacks.changed(delta)
  }

  /** Plans whatever can be planned now and starts carrying it out. */
  run(): void {
    const { work, lanes } = this
    work.retryDue()
    const trouble = rootTrouble(this.trees)
    if (trouble !== undefined) {
      this.stopFor(trouble)
      // What comes back may be less than what went, which no delta tells.
      work.scope.addAll('')
    }
    const isCommon = this.goesByCommonRules()
    if (trouble !== undefined || !isCommon || lanes.isFull || work.scope.isEmpty) return
    const decided = this.decide()
    if (decided === undefined) return
    work.scope.clear()
    for (const path of decided.held) work.scope.addAll(path)
    this.start(decided.plan)
    work.setbacks.sweep((path) => work.locked.has(path))
  }

  /** A person says that what halted it is meant to be. */
  approve(): void {
    this.isApproved = this.halt !== undefined
  }

  /**
   * Somebody else does something to a path: nothing is planned there before that is done. Rejects with NOT_SETTLED
   * while it is not known what both sides hold there.
   */
  async alone<T>(path: Path, action: () => Promise<T>): Promise<T> {
    const { work } = this
    const isCommon = this.goesByCommonRules()
    const trouble = rootTrouble(this.trees) ?? (isCommon ? undefined : 'what is ignored has just changed')
    if (trouble !== undefined) throw new KubesyncError('NOT_SETTLED', `${trouble}: look at it again`)
    work.hold(path)
    work.asking++
    try {
      return await action()
    } finally {
      work.asking--
      work.letGo(path)
      this.options.onChange()
    }
  }

  /** Sends nothing any more, for good. */
  end(): void {
    this.isEnded = true
    this.copies.forget()
    this.lanes.cancel()
  }

  private goesByCommonRules(): boolean {
    const { isNew, isCommon } = this.rules.check()
    if (isNew) this.work.scope.addAll('')
    return isCommon
  }

  private get trees(): Record<Side, Tree> {
    const { local, remote } = this.options.replicas
    return { local: local.tree, remote: remote.tree }
  }

  /** The plan for what changed, and paths that are not in it yet; undefined if it may not be carried out. */
  private decide(): { plan: Plan; held: readonly Path[] } | undefined {
    const { work } = this
    const { trees } = this
    const { base, mode, exclusions, replicas } = this.options
    // Conflicts are told of as a whole.
    for (const path of this.conflictsByPath.keys()) work.scope.add(path)
    const { firstContact } = base
    const { scope } = work.scope
    const merged = reconcile({
      base: base.tree,
      ...trees,
      mode,
      exclusions,
      firstContact,
      volumes: replicas.remote.info.storage.volumes ?? [],
      scope,
      locked: work.locked,
      digests: work.digests,
      clocks: this.clock.current,
    })
    const { locked, digests } = work
    const whole = this.copies.use(merged, { base: base.tree, trees, digests, locked })
    const removedBefore = this.removals.counts
    const isJudged = this.isApproved || this.halt !== undefined
    const { plan, held } = isJudged ? { ...whole, held: [] } : this.bursts.settled(whole.plan, removedBefore)
    const intent = { plan, trees, base: base.tree, firstContact, removedBefore }
    const danger = this.isApproved
      ? undefined
      : (planTrouble(intent) ?? (this.halt === undefined ? undefined : stillDeletes(plan)))
    if (danger !== undefined) return this.stopFor(danger)
    this.halt = undefined
    const admitted = work.blockades.admit(plan, trees)
    this.remember(admitted)
    return { plan: admitted, held: [...work.blockades.adopt(whole.held), ...held] }
  }

  private stopFor(trouble: string): undefined {
    // An approval is for what a person has seen.
    this.isApproved = false
    if (this.halt === undefined) this.lanes.cancel()
    this.halt = trouble
  }

  private remember(plan: Plan): void {
    if (this.isApproved) this.removals.forget()
    else this.removals.add(plan)
    this.isApproved = false
  }

  private start(plan: Plan): void {
    const { base } = this.options
    const { work } = this
    base.commit(plan.agreed)
    // What was the same when they met did not travel.
    if (base.firstContact === 'over') this.options.onAgreed?.(plan.agreed)
    for (const [path] of plan.agreed) work.succeeded(path)
    const unseen = this.conflicts.filter(({ path }) => work.isLocked(path))
    this.conflictsByPath = new Map(
      [...unseen, ...plan.conflicts].map((conflict) => [conflict.path, conflict]),
    )
    this.hash(plan).catch(this.options.onDefect)
    this.compareClocks(plan).catch(this.options.onDefect)
    const lanes = (['local', 'remote'] as const)
      .filter((side) => plan[side].length > 0)
      .map((side) => new Lane(side, plan[side], this.aftermath))
    for (const lane of lanes) {
      for (const path of lane.paths) work.hold(path)
      for (const { path } of originalsIn(plan[lane.side])) work.hold(path)
      this.progress.planned(lane)
    }
    for (const lane of lanes) this.lanes.add(lane)
  }

  private async hash(plan: Plan): Promise<void> {
    const { work } = this
    const paths = pathsToHash(plan)
    if (paths.length === 0) return
    for (const path of paths) work.hold(path)
    work.asking++
    for await (const hashed of hashAll(plan, this.options.replicas)) {
      if (this.isEnded) return
      for (const { side, path, stamp, digest } of hashed.digests) {
        if (digest === undefined) this.aftermath.moved(side, path)
        else work.digests[side].set(path, { stamp, digest })
      }
      for (const path of hashed.paths) work.letGo(path)
      this.aftermath.lookAgain()
      this.options.onChange()
    }
    work.asking--
    this.options.onChange()
  }

  private async compareClocks({ needs }: Plan): Promise<void> {
    const { work } = this
    if (needs.clocks.length === 0) return
    for (const path of needs.clocks) work.hold(path)
    work.asking++
    await this.clock.measure()
    work.asking--
    for (const path of needs.clocks) work.letGo(path)
    this.options.onChange()
  }
}
