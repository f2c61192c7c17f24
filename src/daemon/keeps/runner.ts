import { join } from 'node:path'
import { type FileLock, tryLock } from '../../config/lock.ts'
import { KubesyncError } from '../../errors.ts'
import type { Keeping, KeepOptions, KeepStatus } from '../../manifests/keep/status.ts'
import { isServerAway, sentence } from '../troubles.ts'
import { type Backoff, insist, newBackoff, newPause, type Pace } from '../waiting.ts'
import type { Log } from '../world.ts'
import { newKeepNarrator } from './narrator.ts'
import { type KeepOrder, placeId } from './order.ts'

/** Begins to keep a folder and a cluster in step; rejects if it cannot begin. A test brings one of its own. */
export type StartKeep = (
  order: KeepOrder,
  way: Pick<KeepOptions, 'signal' | 'onStatus'>,
) => Promise<Pick<Keeping, 'resolve' | 'done'>>

/** How a kept folder stands. */
export interface KeptFolder extends KeepOrder {
  /** Whether it goes on when who began it is gone. */
  readonly stays: boolean
  /** What keeps it from running, in a sentence; it goes on when that is over. */
  readonly trouble?: string
  /** As it was told last; absent before the first time. */
  readonly status?: KeepStatus
}

export interface KeepRunner {
  readonly order: KeepOrder
  readonly status: Omit<KeptFolder, 'stays'>
  /** Resolves when it will not go on by itself: with why it ended by its own policy, or empty if it was stopped. */
  readonly over: Promise<string>
  resolve: Keeping['resolve']
  /** Resolves as `over` does. */
  stop(): Promise<string>
}

export interface KeepRunnerOptions {
  readonly order: KeepOrder
  readonly start: StartKeep
  /** Held from before; taken again and again if it is not given. */
  readonly lock: FileLock | undefined
  /** Below it are the locks. */
  readonly stateRoot: string
  readonly log: Log
  readonly pace: Pace
}

interface Run extends KeepRunnerOptions {
  readonly signal: AbortSignal
  readonly narrator: ReturnType<typeof newKeepNarrator>
  status: KeepStatus | undefined
  running: Awaited<ReturnType<StartKeep>> | undefined
  trouble: string | undefined
}

/** Keeps a folder in step until it is stopped, or a conflict is to stop it, and begins again whatever else ended it. */
export function runKeep(options: KeepRunnerOptions): KeepRunner {
  const { order, log } = options
  const ending = new AbortController()
  const narrator = newKeepNarrator((line) => log({ ...line, keep: order.folder }))
  const nothing = { status: undefined, running: undefined, trouble: undefined }
  const run: Run = { ...options, signal: ending.signal, narrator, ...nothing }
  const over = toTheEnd(run)
  return {
    ...{ order, over },
    get status() {
      const { trouble, status } = run
      return { ...order, ...(trouble !== undefined && { trouble }), ...(status !== undefined && { status }) }
    },
    async resolve(id, keep) {
      if (run.running === undefined) throw notRunning(order)
      await run.running.resolve(id, keep)
    },
    stop() {
      ending.abort()
      return over
    },
  }
}

/** With why it ended by its own policy, or empty. */
async function toTheEnd(run: Run): Promise<string> {
  const { signal, pace, stateRoot, order } = run
  const again = { signal, pace, failed: (error: unknown) => failed(run, error) }
  const lock = run.lock ?? (await insist(() => takeKeepLock(stateRoot, order), again))
  if (lock === undefined) return ''
  const backoff = newBackoff(pace)
  while (!signal.aborted && !(await once(run, backoff))) await newPause().sleep(backoff.next(), signal)
  await lock.release()
  return !signal.aborted && run.status?.state === 'stopped' ? run.status.reason : ''
}

/** One time, to its end; false if that was none that anybody wanted. */
async function once(run: Run, backoff: Backoff): Promise<boolean> {
  const { signal, order, pace } = run
  const began = performance.now()
  try {
    run.running = await run.start(order, { signal, onStatus: (now) => told(run, now) })
    if (run.trouble !== undefined) run.log({ level: 'info', keep: order.folder, message: 'goes on' })
    run.trouble = undefined
    await run.running.done
    return true
  } catch (error) {
    failed(run, error)
    if (performance.now() - began > pace.maxMs) backoff.reset()
    return false
  } finally {
    run.running = undefined
  }
}

function told(run: Run, now: KeepStatus): void {
  run.status = now
  if (!run.signal.aborted || now.state !== 'stopped') run.narrator.status(now)
}

function failed(run: Run, error: unknown): void {
  const message = sentence(error)
  if (run.signal.aborted || message === run.trouble) return
  run.trouble = message
  run.log({ level: isServerAway(error) ? 'warn' : 'error', keep: run.order.folder, message })
}

/** Makes this process the one that keeps a folder and a cluster in step. Rejects with KEEP_RUNNING, which names who does. */
export async function takeKeepLock(stateRoot: string, order: KeepOrder): Promise<FileLock> {
  const attempt = await tryLock(join(stateRoot, 'keeps', placeId(order), 'lock'))
  if (attempt.taken) return attempt.lock
  throw keepRunning(order, attempt.owner.pid)
}

export function keepRunning({ folder, context }: KeepOrder, pid: number): KubesyncError {
  return new KubesyncError('KEEP_RUNNING', `process ${pid} already keeps ${folder} and ${context} in step`, {
    hint: 'see what it does with `ksync get`; `ksync daemon --stop` ends it',
  })
}

function notRunning({ folder }: KeepOrder): KubesyncError {
  return new KubesyncError('NOT_IN_STEP', `${folder} is not being kept in step at the moment`, {
    hint: '`ksync get` says why; try again when it runs',
  })
}
