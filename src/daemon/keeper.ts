import type { SessionStatus } from '../files/status.ts'
import { type AttemptListener, type AttemptOptions, attemptSession } from './attempt.ts'
import type { Binding } from './bindings.ts'
import { describeReload } from './describe-reload.ts'
import { newNarrator } from './narrator.ts'
import type { Origins } from './origins.ts'
import { newReloader, type Reloader } from './reloader.ts'
import type { BoundSessionStatus, ReloadReport } from './status.ts'
import { isServerAway, sentence } from './troubles.ts'
import { newBackoff, newPause, type Pace } from './waiting.ts'
import type { LogEvent, RunningSession } from './world.ts'

/** Keeps a session with one container going, however often what it needs fails. */
export interface Keeper {
  readonly binding: Binding
  readonly status: BoundSessionStatus
  /** True when it could not be brought in sync several times in a row. */
  readonly failing: boolean
  /** The session under way. */
  readonly session: RunningSession | undefined
  /** Reloads the container; undefined if the spec says nothing of that. */
  reload(): Promise<ReloadReport> | undefined
  /** Tries again now if it is waiting to: what it failed on may have changed. */
  retry(): void
  /** Goes on with a halted session; false if it is not halted. */
  resume(): boolean
  /** Resolves once nothing of it is left. */
  stop(): Promise<void>
}

export interface KeeperOptions extends AttemptOptions {
  /** It begins when this is settled: two sessions never share a base, nor lead at once. */
  readonly after: Promise<unknown>
  readonly pace: Pace
  /** Its status, or whether it is failing, changed. */
  readonly changed: () => void
  /** Both sides hold the same; called once a session. */
  readonly inSync: () => void
  readonly log: (event: Omit<LogEvent, 'spec'>) => void
  /** Where changes of this spec come from. */
  readonly origins: Origins
  /** What is done after changes from here; absent if nothing is. */
  readonly reload?: ReloadPlan | undefined
  /** The last reload of this container, or of the one it came in the place of. */
  readonly reports: Reports
}

/** The last reloads, by the place of a container. */
export type Reports = Map<string, ReloadReport>

export interface ReloadPlan {
  readonly how: string
  readonly globs: readonly string[] | undefined
  /** Whether what is sent until a session is in sync for the first time counts. */
  readonly whenFilled: boolean
  readonly act: () => Promise<string | undefined>
}

/** Failures in a row after which others do not count on it any more. */
const patience = 3

interface State {
  session: RunningSession | undefined
  status: SessionStatus | undefined
  /** Why there is no session. */
  message: string | undefined
  failures: number
  /** The session under way was in sync once. */
  reached: boolean
}

export function keepSession(options: KeeperOptions): Keeper {
  const { binding, changed } = options
  const over = new AbortController()
  const pause = newPause()
  const backoff = newBackoff(options.pace)
  const label = `${binding.pod}/${binding.container}`
  const narrator = newNarrator({ label, mode: binding.mode, log: options.log })
  const reloader = reloaderOf(options, label)
  const state: State = {
    ...{ session: undefined, status: undefined, message: undefined },
    ...{ failures: 0, reached: false },
  }

  function onStatus(status: SessionStatus): void {
    state.status = status
    state.message = undefined
    narrator.status(status)
    reloader?.phase(status.phase)
    if (status.phase === 'in-sync' && !state.reached) {
      state.reached = true
      state.failures = 0
      backoff.reset()
      options.inSync()
    }
    changed()
  }

  function failed(error: unknown): void {
    Object.assign(state, { session: undefined, status: undefined, message: sentence(error), reached: false })
    // That the server is away is not this pod's fault.
    if (!isServerAway(error)) state.failures += 1
    narrator.failed(sentence(error))
    reloader?.phase(undefined)
    changed()
  }

  async function keep(): Promise<void> {
    await options.after
    const listener: AttemptListener = {
      status: onStatus,
      warn: (message: string) => options.log({ level: 'warn', message: `${label}: ${message}` }),
      started(session: RunningSession) {
        state.session = session
      },
      applied: (side, operation, entry) => {
        const counts = state.reached || options.reload?.whenFilled === true
        if (side === 'local') options.origins.received(operation.path, entry)
        else if (counts && options.origins.isOurs(operation)) {
          reloader?.arrived(operation.path, operation.op === 'mkdir')
        }
      },
    }
    while (!over.signal.aborted) {
      const error = await attemptSession(options, listener, over.signal)
      if (over.signal.aborted) break
      failed(error)
      await pause.sleep(backoff.next(), over.signal)
    }
    narrator.close()
  }

  const kept = keep()
  return {
    binding,
    get status() {
      return statusOf(binding, state, options.reports.get(placeOf(binding)))
    },
    get session() {
      return state.session
    },
    get failing() {
      return state.failures >= patience
    },
    reload: () => reloader?.now(),
    retry() {
      state.failures = 0
      pause.wake()
    },
    resume() {
      if (state.status?.phase !== 'halted' || state.session === undefined) return false
      state.session.resume()
      return true
    },
    stop() {
      reloader?.stop()
      over.abort()
      return kept
    },
  }
}

function placeOf({ podUid, container }: Binding): string {
  return `${podUid} ${container}`
}

function reloaderOf(
  { reload, log, changed, reports, binding }: KeeperOptions,
  label: string,
): Reloader | undefined {
  if (reload === undefined) return undefined
  return newReloader({
    ...reload,
    changed(report) {
      reports.set(placeOf(binding), report)
      const level = report.error === undefined ? 'info' : 'warn'
      log({ level, message: `${label}: ${describeReload(report)}` })
      changed()
    },
  })
}

function statusOf(
  { pod, node, container, role }: Binding,
  { status, message }: State,
  reload: ReloadReport | undefined,
): BoundSessionStatus {
  return {
    ...{ pod, node, container, role },
    ...(status === undefined ? {} : { session: status }),
    ...(message === undefined ? {} : { message }),
    ...(reload === undefined ? {} : { reload }),
  }
}
