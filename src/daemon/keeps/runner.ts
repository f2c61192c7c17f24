import { join } from 'node:path'
import { type FileLock, tryLock } from '../../config/lock.ts'
import { KubesyncError } from '../../errors.ts'
import type { Keeping, KeepOptions, KeepStatus } from '../../manifests/keep/status.ts'
import { isServerAway, sentence } from '../troubles.ts'
import { insist, newBackoff, newPause, type Pace } from '../waiting.ts'
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

/** Keeps a folder in step until it is stopped, or a conflict is to stop it, and begins again whatever else ended it. */
export function runKeep(options: KeepRunnerOptions): KeepRunner {
  const { order, start } = options
  const ending = new AbortController()
  const { signal } = ending
  const logHere = (event: { level: 'info' | 'warn' | 'error'; message: string }) =>
    options.log({ ...event, keep: order.folder })
  const narrator = newKeepNarrator(logHere)
  let status: KeepStatus | undefined
  let running: Awaited<ReturnType<StartKeep>> | undefined
  let trouble: string | undefined

  function failed(error: unknown): void {
    if (signal.aborted || sentence(error) === trouble) return
    trouble = sentence(error)
    logHere({ level: isServerAway(error) ? 'warn' : 'error', message: trouble })
  }

  function goesOn(): void {
    if (trouble !== undefined) logHere({ level: 'info', message: 'goes on' })
    trouble = undefined
  }

  async function run(lock: FileLock): Promise<void> {
    const backoff = newBackoff(options.pace)
    while (!signal.aborted) {
      const began = performance.now()
      try {
        running = await start(order, { signal, onStatus: told })
        goesOn()
        await running.done
        break
      } catch (error) {
        failed(error)
      }
      running = undefined
      if (performance.now() - began > options.pace.maxMs) backoff.reset()
      await newPause().sleep(backoff.next(), signal)
    }
    running = undefined
    await lock.release()
  }

  function told(now: KeepStatus): void {
    status = now
    if (!signal.aborted || now.state !== 'stopped') narrator.status(now)
  }

  async function wholly(): Promise<string> {
    const again = { signal, pace: options.pace, failed }
    const lock = options.lock ?? (await insist(() => takeKeepLock(options.stateRoot, order), again))
    if (lock !== undefined) await run(lock)
    return !signal.aborted && status?.state === 'stopped' ? status.reason : ''
  }

  const over = wholly()
  return {
    ...{ order, over },
    get status() {
      return { ...order, ...(trouble !== undefined && { trouble }), ...(status !== undefined && { status }) }
    },
    async resolve(id, keep) {
      if (running === undefined) throw notRunning(order)
      await running.resolve(id, keep)
    },
    stop() {
      ending.abort()
      return over
    },
  }
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
