import type { Spec } from '../config/spec.ts'
import { isAlive, isHopeless } from './bindings.ts'
import { newClusters } from './clusters.ts'
import { runSpec, type SpecRunner } from './spec-runner.ts'
import type { SpecStatus } from './status.ts'
import type { Log, World } from './world.ts'

export interface RunOptions {
  readonly spec: Spec
  readonly world: World
  /** The folder of all specs' states. */
  readonly stateRoot: string
  /** Brings both sides in step and ends, instead of staying for as long as there is a pod. */
  readonly once: boolean
  /** Goes on where a safety rule halts a session, once for each reason. */
  readonly approve: boolean
  readonly log: Log
  readonly onStatus: (status: SpecStatus) => void
  /** Ends it. */
  readonly signal: AbortSignal
}

export interface RunResult {
  /**
   * - `in-sync`: `once` is done; conflicts and problems are in the status.
   * - `gone`: there were pods, and there are none any more.
   * - `failed`: it could not begin, or with `once` not be brought to an end; the message says why.
   * - `stopped`: the signal ended it.
   */
  readonly kind: 'in-sync' | 'gone' | 'failed' | 'stopped'
  readonly message?: string
  /** As it was when it ended. */
  readonly status: SpecStatus
}

/** Runs one spec in this process, until it is over or the signal aborts. */
export async function runOne(options: RunOptions): Promise<RunResult> {
  const { signal, once, onStatus } = options
  let look = () => {}
  const clusters = newClusters(options.world)
  const runner = runSpec({ ...options, clusters, changed: () => look() })
  const result = await new Promise<RunResult>((resolve) => {
    let bound = false
    const approved = new Set<string>()
    const end = (verdict: Verdict) => resolve({ ...verdict, status: runner.status })
    look = () => {
      const { status, pods, trouble, failing } = runner
      onStatus(status)
      if (options.approve && approveHalts(runner, approved)) return
      bound ||= status.sessions.length > 0
      const hopeless = pods !== undefined && isHopeless(options.spec, pods)
      const verdict = judge({ once, status, pods, trouble, failing, bound, hopeless })
      if (verdict !== undefined) end(verdict)
    }
    signal.addEventListener('abort', () => end({ kind: 'stopped' }), { once: true })
    if (signal.aborted) end({ kind: 'stopped' })
    else look()
  })
  look = () => {}
  await runner.stop()
  await clusters.close()
  return result
}

/** Goes on with what is halted for a reason that was not approved yet; true if there was any. */
function approveHalts(runner: SpecRunner, approved: Set<string>): boolean {
  const reasons = runner.status.sessions
    .filter(({ session }) => session?.phase === 'halted')
    .map(({ pod, session }) => `${pod} ${session?.halt}`)
    .filter((reason) => !approved.has(reason))
  for (const reason of reasons) approved.add(reason)
  if (reasons.length > 0) runner.resume()
  return reasons.length > 0
}

type Verdict = Omit<RunResult, 'status'>

/** What tells whether a run is over. */
export interface Seen extends Pick<SpecRunner, 'status' | 'pods' | 'trouble' | 'failing'> {
  readonly once: boolean
  /** There was a session already. */
  readonly bound: boolean
  /** No pod has the container that is named. */
  readonly hopeless: boolean
}

/** Whether a run is over, and how; undefined while it is not. Pure. */
export function judge({ once, status, pods, trouble, failing, bound, hopeless }: Seen): Verdict | undefined {
  const failed = (message: string): Verdict => ({ kind: 'failed', message })
  const neverBegan = trouble?.source === 'setup' || (trouble?.source === 'server' && pods === undefined)
  if (trouble !== undefined && (once || neverBegan)) return failed(trouble.message)
  if (hopeless && status.message !== undefined) return failed(status.message)
  if (bound && pods?.some(isAlive) === false && trouble === undefined) return { kind: 'gone' }
  if (!once) return undefined
  const halted = status.sessions.find(({ session }) => session?.phase === 'halted')
  if (halted !== undefined) return failed(`${halted.pod}: ${halted.session?.halt ?? 'halted'}`)
  if (failing !== undefined) return failed(failing)
  const all = status.sessions.every(({ session }) => session?.phase === 'in-sync')
  return all && status.sessions.length > 0 ? { kind: 'in-sync' } : undefined
}
