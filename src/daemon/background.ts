import { setTimeout as delay } from 'node:timers/promises'
import { isAlive } from '../config/lock.ts'
import type { Paths } from '../config/paths.ts'
import { KubesyncError } from '../errors.ts'
import { askStatus, askStop, askToTake, type Stop, type Stopped, type Taker } from './client.ts'
import { startDetached } from './detached.ts'
import type { Work } from './join.ts'

export interface BackgroundOptions {
  readonly paths: Paths
  /** The command line of a watch in the foreground, without the program. */
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** Node's arguments and the program's path, unless it is this process's own. */
  readonly program?: readonly string[]
  /** How long it may take until it answers, in milliseconds. */
  readonly limitMs?: number
}

/** How often a process is looked at, in milliseconds. */
const pulse = 50

/** Starts a process that outlives this one, with its log in a file, and resolves once it answers. Rejects with WATCH_NOT_STARTED and its last words. */
export async function startBackground(options: BackgroundOptions): Promise<void> {
  const { paths, limitMs = 15_000 } = options
  const started = await startDetached({
    ...options,
    log: paths.log,
    limitMs,
    isUp: async (pid) => (await askStatus(paths.socket).catch(() => undefined))?.pid === pid,
  })
  if ('pid' in started) return
  throw new KubesyncError(
    'WATCH_NOT_STARTED',
    `the process in the background did not start: ${started.failure}`,
    {
      hint: `its log is ${paths.log}; without \`-b\`, in the foreground, it shows more`,
    },
  )
}

/**
 * Leaves work to a process in the background: that which runs, else one that is started for it. Rejects as `startBackground`, `Watch.sync`
 * and `Watch.keep` do.
 */
export async function workInBackground(options: BackgroundOptions, work: Work): Promise<Taker> {
  const { socket, log } = options.paths
  const running = await askToTake(socket, work)
  if (running !== undefined) return running
  await startBackground(options)
  const started = await askToTake(socket, work)
  if (started !== undefined) return started
  throw new KubesyncError('WATCH_NOT_STARTED', 'the process in the background ended again', {
    hint: `its log is ${log}`,
  })
}

/** Has work end, and waits until its process is gone if it has nothing else to do; undefined if no process runs. */
export async function stopWork(
  { socket }: Pick<Paths, 'socket'>,
  stop: Stop,
  limitMs = 20_000,
): Promise<Stopped | undefined> {
  const stopped = await askStop(socket, stop)
  if (stopped === undefined || stopped.goesOn) return stopped
  const { pid } = stopped
  const until = Date.now() + limitMs
  while (isAlive({ pid })) {
    if (Date.now() > until) {
      throw new KubesyncError('WATCH_NOT_STOPPED', `the watch (process ${pid}) has not ended yet`, {
        hint: `it was asked to; \`kill ${pid}\` does not ask`,
      })
    }
    await delay(pulse)
  }
  return stopped
}
