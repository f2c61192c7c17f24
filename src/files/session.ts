import { messageOf } from '../errors.ts'
import type { OnApplied } from './aftermath.ts'
import type { BaseStore } from './base/store.ts'
import type { TextStore } from './base/texts.ts'
import { Conflicts } from './conflicts.ts'
import { countEntries } from './delta.ts'
import { Engine } from './engine.ts'
import { type FindText, Merging } from './merging.ts'
import type { Mode } from './mode.ts'
import { countOwn } from './own.ts'
import type { CloseReason, Replica, ReplicaInfo } from './replica/replica.ts'
import type { SidedProblem } from './setbacks.ts'
import type { Side } from './side.ts'
import type { SessionPhase, SessionStatus } from './status.ts'
import { StatusFeed } from './status-feed.ts'
import { TextKeeper } from './text-keeper.ts'
import { Twins } from './twins.ts'
import { learnUnanswered } from './unanswered.ts'
import { type Exclusions, Ways } from './ways.ts'

export interface SessionOptions {
  /** May serve several sessions. The session subscribes to both replicas and closes neither. */
  readonly local: Replica
  readonly remote: Replica
  /** Bound to this container by `bindBase`; whoever opened it closes it, after the session. */
  readonly base: BaseStore
  readonly mode: Mode
  /** What does not travel one way although the mode would have it. */
  readonly exclusions?: Exclusions
  /** Texts as both sides had them, for merges. */
  readonly texts?: { readonly store: TextStore; readonly find: FindText }
  /** How long many deletions wait for more, in milliseconds; half a second unless given. */
  readonly settleMs?: number
  /** Called at once with a new phase, and otherwise about ten times a second while something changes. */
  readonly onStatus?: (status: SessionStatus) => void
  readonly onApplied?: OnApplied
}

/** A sync of two replicas that goes on until it is stopped or a replica is gone. */
export interface Session {
  readonly status: SessionStatus
  /** Resolves with the reason when it has ended; never rejects. */
  readonly closed: Promise<CloseReason>
  stop(): Promise<void>
  /** Goes on although a plan looks like a disaster. What is missing or no directory stays so. */
  resume(): void
  readonly conflicts: Conflicts
  readonly merging: Merging
  /** Resolves once nothing is left to do: in sync (but for conflicts and problems), halted or ended. */
  settled(): Promise<SessionStatus>
}

export function startSession(options: SessionOptions): Session {
  const session = new SyncSession(options)
  session.start()
  return session
}

class SyncSession implements Session {
  readonly closed: Promise<CloseReason>
  readonly conflicts: Conflicts
  readonly merging: Merging
  private readonly twins: Twins
  private readonly keeper: TextKeeper | undefined
  private readonly options: SessionOptions
  private readonly engine: Engine
  private readonly feed: StatusFeed
  private readonly roots: Readonly<Record<Side, ReplicaInfo['root']>>
  private readonly unsubscribe: (() => void)[] = []
  private waiting: ((status: SessionStatus) => void)[] = []
  private isScanned = false
  private isScheduled = false
  private ended: CloseReason | undefined
  private timer: NodeJS.Timeout | undefined
  private resolveClosed: (reason: CloseReason) => void = () => {}

  constructor(options: SessionOptions) {
    this.options = options
    const { local, remote, base, mode, exclusions, texts, settleMs } = options
    this.keeper = texts && new TextKeeper(local, texts.store)
    this.roots = { local: local.info.root, remote: remote.info.root }
    const onChange = () => this.schedule()
    this.engine = new Engine({
      ...{ replicas: { local, remote }, base, mode, exclusions, onChange, onApplied: options.onApplied },
      onDefect: (error) => this.fail(error),
      onAgreed: (updates) => this.keeper?.note(updates),
      ...(settleMs === undefined ? {} : { settleMs }),
    })
    this.conflicts = new Conflicts({
      ...{ replicas: { local, remote }, current: () => this.engine.conflicts },
      ways: new Ways(mode, exclusions),
      forget: (path) => base.commit([[path, null]]),
      alone: (path, action) => this.engine.alone(path, action),
    })
    const { conflicts } = this
    const find: FindText = texts?.find ?? (async () => undefined)
    this.merging = new Merging({ replicas: { local, remote }, base, conflicts, find })
    const current = () => this.engine.conflicts
    this.twins = new Twins({ current, conflicts, replicas: { local, remote }, onChange })
    this.feed = new StatusFeed(() => this.status, options.onStatus ?? (() => {}))
    this.closed = new Promise((resolve) => {
      this.resolveClosed = resolve
    })
  }

  get status(): SessionStatus {
    const { engine, options } = this
    const { halt } = engine
    const phase = this.phase
    return {
      phase,
      ...(phase === 'halted' && halt !== undefined ? { halt } : {}),
      entries: { local: countEntries(options.local.tree), remote: countEntries(options.remote.tree) },
      ...(phase === 'syncing' ? { progress: engine.progress.current } : {}),
      conflicts: engine.conflicts,
      problems: [
        ...unreadable('local', options.local),
        ...unreadable('remote', options.remote),
        ...engine.problems,
      ],
      applied: { ...engine.progress.applied },
      ...(phase === 'in-sync' || phase === 'ended' ? this.own : {}),
    }
  }

  private get own(): { own?: number } {
    const { base, remote } = this.options
    const own = countOwn('remote', base.tree, remote.tree)
    return own === 0 ? {} : { own }
  }

  start(): void {
    for (const side of ['local', 'remote'] as const) {
      const replica = this.options[side]
      this.unsubscribe.push(
        replica.subscribe((delta) => {
          this.engine.take(side, delta)
          this.schedule()
        }),
      )
      void replica.closed.then((reason) => this.end(reason))
    }
    const scanned = () => {
      this.isScanned = true
      this.schedule()
    }
    // A replica answers in order: after this it has told of its first scan. One that fails is about to close.
    const { local, remote, base } = this.options
    const isOver = () => this.ended !== undefined
    void Promise.all([local.rescan([]), remote.rescan([])])
      .then(() => learnUnanswered({ base, local, remote, isOver }).catch((error) => this.fail(error)))
      .then(scanned, () => {})
    this.feed.changed(this.phase)
  }

  async stop(): Promise<void> {
    this.end({ kind: 'closed', message: 'the session was stopped' })
    await this.closed
  }

  resume(): void {
    this.engine.approve()
    this.schedule()
  }

  settled(): Promise<SessionStatus> {
    if (this.isSettled) return Promise.resolve(this.status)
    return new Promise((resolve) => this.waiting.push(resolve))
  }

  private get phase(): SessionPhase {
    if (this.ended !== undefined) return 'ended'
    if (!this.isScanned) return 'scanning'
    if (this.engine.halt !== undefined) return 'halted'
    return this.isBusy ? 'syncing' : 'in-sync'
  }

  private get isBusy(): boolean {
    return this.isScheduled || this.engine.isBusy || this.twins.isBusy
  }

  private get isSettled(): boolean {
    if (this.ended !== undefined) return true
    return this.isScanned && !this.isBusy
  }

  /** Everything that happens in one turn of the event loop is looked at together, and at once after it. */
  private schedule(): void {
    if (this.isScheduled || this.ended !== undefined) {
      this.endIfIdle()
      return
    }
    this.isScheduled = true
    queueMicrotask(() => {
      this.isScheduled = false
      try {
        this.turn()
      } catch (error) {
        this.fail(error)
      }
    })
  }

  private turn(): void {
    if (this.ended !== undefined || !this.isScanned) return
    for (const side of ['local', 'remote'] as const) {
      // The base holds for the folders it was bound to.
      if (isOther(this.options[side], this.roots[side])) {
        this.end({ kind: 'ended', message: `the ${side} folder was replaced by another one` })
        return
      }
    }
    this.engine.run()
    if (this.engine.halt === undefined) this.twins.settle()
    this.setTimer()
    this.refresh()
  }

  private refresh(): void {
    const phase = this.phase
    if (phase === 'in-sync') this.settleBase()
    this.feed.changed(phase)
    if (!this.isSettled) return
    this.engine.progress.reset()
    const { status } = this
    for (const resolve of this.waiting.splice(0)) resolve(status)
  }

  /** First contact lasts until all that differed is settled; a container that is seeded is new only once. */
  private settleBase(): void {
    const { base } = this.options
    base.forgetIntents()
    void this.keeper?.keep()
    // What could not be written yet is to win over what is there, as long as that is to be so.
    if (this.engine.isBlocked) return
    if (base.firstContact === 'seed' || this.engine.conflicts.length === 0) base.settle()
  }

  private setTimer(): void {
    clearTimeout(this.timer)
    const { nextAt } = this.engine
    if (nextAt === undefined || nextAt === Infinity) return
    this.timer = setTimeout(() => this.schedule(), Math.max(0, nextAt - performance.now()))
  }

  /** A defect of ours ends this session, and no other one of the process. */
  private fail(error: unknown): void {
    this.end({ kind: 'lost', message: `the sync failed: ${messageOf(error)}` })
  }

  private end(reason: CloseReason): void {
    if (this.ended !== undefined) return
    this.ended = reason
    clearTimeout(this.timer)
    for (const stop of this.unsubscribe) stop()
    this.engine.end()
    this.refresh()
    this.endIfIdle()
  }

  /** It is over when no lane will tell of anything any more. */
  private endIfIdle(): void {
    if (this.ended !== undefined && this.engine.isIdle) this.resolveClosed(this.ended)
  }
}

/** A root that is gone may come back as it was. */
function isOther({ tree, info: { root } }: Replica, before: ReplicaInfo['root']): boolean {
  return tree !== undefined && (root.dev !== before.dev || root.ino !== before.ino)
}

function unreadable(side: Side, { problems }: Replica): SidedProblem[] {
  return [...problems.values()].map((problem) => ({ ...problem, side }))
}
