import type { Paths } from '../config/paths.ts'
import type { Config } from '../config/store.ts'
import { watchConfig } from '../config/watch.ts'
import { serveApi } from './api.ts'
import type { WatchStatus } from './status.ts'
import { startSupervisor } from './supervisor.ts'
import { startSweeper } from './sweeper.ts'
import { sentence } from './troubles.ts'
import { takeWatchLock } from './watch-lock.ts'
import type { Log, World } from './world.ts'

export interface WatchOptions {
  readonly paths: Paths
  readonly log: Log
  /** Makes the world that specs are synced in; `config` is what is in force when it is asked. */
  readonly newWorld: (config: () => Config) => World
}

/** Every spec of a configuration being synced, until it is stopped. */
export interface Watch {
  readonly status: WatchStatus
  /** Resolves once it was stopped, by `stop` or over its socket, and nothing is left of it. */
  readonly closed: Promise<void>
  stop(): Promise<void>
}

/**
 * Syncs every spec of the configuration, and follows its changes. Rejects with WATCH_RUNNING when another
 * process does so, and with CONFIG_BROKEN when it is broken from the start.
 */
export async function startWatch(options: WatchOptions): Promise<Watch> {
  const lock = await takeWatchLock(options.paths)
  const undo: (() => unknown)[] = [() => lock.release()]
  const close = async () => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  try {
    return await begin(options, { undo, close })
  } catch (error) {
    await close()
    throw error
  }
}

interface Closing {
  /** Takes what has to be ended again, in the order in which it was begun. */
  readonly undo: (() => unknown)[]
  readonly close: () => Promise<void>
}

async function begin({ paths, log, newWorld }: WatchOptions, { undo, close }: Closing): Promise<Watch> {
  const listener = {
    changed(config: Config) {
      current = config
      supervisor.update(config.specs)
    },
    broken: (error: Error) => log({ level: 'error', message: sentence(error) }),
  }
  const configuration = await watchConfig(paths.config, listener)
  undo.push(() => configuration.close())
  let current = configuration.initial
  const supervisor = startSupervisor({ world: newWorld(() => current), stateRoot: paths.state, log })
  undo.push(() => supervisor.stop())
  const sweeper = startSweeper({ home: paths.trash, limits: () => current.trash, log })
  undo.push(() => sweeper.stop())
  const startedAt = new Date().toISOString()
  const status = () => ({ pid: process.pid, startedAt, configPath: paths.config, specs: supervisor.status })
  let closed = () => {}
  const ended = new Promise<void>((resolve) => {
    closed = resolve
  })
  const stop = async () => {
    await close()
    closed()
    await ended
  }
  const resume = (spec: string) => supervisor.resume(spec)
  const reload = (spec: string) => supervisor.reload(spec)
  const sessions = (spec: string) => supervisor.sessions(spec)
  const api = await serveApi(paths.socket, { status, resume, reload, sessions, stop: () => void stop() })
  undo.push(() => api.close())
  supervisor.update(current.specs)
  return {
    get status() {
      return status()
    },
    closed: ended,
    stop,
  }
}
