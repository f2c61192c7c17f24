import { setTimeout as delay } from 'node:timers/promises'
import { isAlive } from '../config/lock.ts'
import type { Paths } from '../config/paths.ts'
import { KubesyncError } from '../errors.ts'
import { askStatus, askStop } from './client.ts'
import { startDetached } from './detached.ts'

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

export interface Background {
  readonly pid: number
  readonly log: string
}

/** How often a process is looked at, in milliseconds. */
const pulse = 50

/**
 * Starts a watch that outlives this process, and resolves once it answers. Rejects with WATCH_RUNNING, or
 * with WATCH_NOT_STARTED and its last words.
 */
export async function startBackground(options: BackgroundOptions): Promise<Background> {
  const { paths, limitMs = 15_000 } = options
  const running = await askStatus(paths.socket)
  if (running !== undefined) {
    throw new KubesyncError('WATCH_RUNNING', `process ${running.pid} already watches ${paths.config}`, {
      hint: 'see what it does with `ksync get`; end it with `ksync watch --stop`',
    })
  }
  const started = await startDetached({
    ...options,
    log: paths.log,
    limitMs,
    isUp: async (pid) => (await askStatus(paths.socket).catch(() => undefined))?.pid === pid,
  })
  if ('pid' in started) return { pid: started.pid, log: paths.log }
  throw new KubesyncError(
    'WATCH_NOT_STARTED',
    `the watch in the background did not start: ${started.failure}`,
    {
      hint: `its log is ${paths.log}; \`ksync watch\` in the foreground shows more`,
    },
  )
}

/** Ends the watch and waits until its process is gone; its pid, or undefined if none runs. */
export async function stopWatch(paths: Pick<Paths, 'socket'>, limitMs = 20_000): Promise<number | undefined> {
  const pid = await askStop(paths.socket)
  if (pid === undefined) return undefined
  const until = Date.now() + limitMs
  while (isAlive({ pid })) {
    if (Date.now() > until) {
      throw new KubesyncError('WATCH_NOT_STOPPED', `the watch (process ${pid}) has not ended yet`, {
        hint: `it was asked to; \`kill ${pid}\` does not ask`,
      })
    }
    await delay(pulse)
  }
  return pid
}
