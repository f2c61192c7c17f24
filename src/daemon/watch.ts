import type { Paths } from '../config/paths.ts'
import type { Config } from '../config/store.ts'
import { watchConfig } from '../config/watch.ts'
import { serveApi } from './api.ts'
import { type Keeps, type Share, startKeeps } from './keeps/keeps.ts'
import type { KeepOrder } from './keeps/order.ts'
import type { StartKeep } from './keeps/runner.ts'
import { newSpecWork, type SpecWork } from './spec-work.ts'
import type { WatchStatus } from './status.ts'
import { startSweeper } from './sweeper.ts'
import { sentence } from './troubles.ts'
import type { Pace } from './waiting.ts'
import { takeWatchLock } from './watch-lock.ts'
import type { Log, World } from './world.ts'

export interface WatchOptions {
  readonly paths: Paths
  readonly log: Log
  /** Where that goes, if it is a file. */
  readonly logFile?: string | undefined
  /** Makes the world that specs are synced in; `config` is what is in force when it is asked, `kubeconfig` as `KUBECONFIG` has it. */
  readonly newWorld: (config: () => Config, kubeconfig: string) => World
  /** What keeps folders of manifests in step. */
  readonly newKeep: (config: () => Config) => StartKeep
  /** Between attempts to keep a folder in step. */
  readonly pace?: Pace
  /** How long it stays without anything to do at first, in milliseconds. */
  readonly idleMs?: number
}

/**
 * The one process of a configuration. It syncs specs, keeps folders of manifests in step, or does both, for whoever asks, and ends when
 * there is nothing left to do.
 */
export interface Watch {
  readonly status: WatchStatus
  /** What of it goes on when who began it is gone. */
  readonly staying: { readonly specs: boolean; readonly keeps: boolean }
  /** Resolves once it was stopped, by `stop`, over its socket, or for want of work, and nothing is left of it. */
  readonly closed: Promise<void>
  /** Syncs every spec, reaching clusters by what `KUBECONFIG` would have. Rejects with WATCH_RUNNING if that is under way. */
  sync(kubeconfig: string, stays: boolean): Promise<Share>
  /** Keeps a folder of manifests in step. */
  keep(order: KeepOrder, stays: boolean): Promise<Share>
  stop(): Promise<void>
}

/**
 * Becomes that process, and begins with what was written down. Rejects with WATCH_RUNNING when another one is it, and with CONFIG_BROKEN
 * when the configuration is broken from the start.
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

async function begin(options: WatchOptions, { undo, close }: Closing): Promise<Watch> {
  const { paths, idleMs = 30_000 } = options
  const listeners = new Set<Log>([options.log])
  const log: Log = (event) => {
    for (const listener of listeners) listener(event)
  }
  let closed = () => {}
  const ended = new Promise<void>((resolve) => {
    closed = resolve
  })
  let stopping: Promise<void> | undefined
  const stop = () => {
    stopping ??= close().finally(closed)
    return stopping
  }
  let doing: Doing | undefined
  const changed = () => {
    // What ends while it begins is not what it was there for.
    if (doing?.specs.isOn === false && doing.keeps.status.length === 0) void stop()
  }
  doing = await work({ ...options, log }, { undo, changed })
  const { specs, keeps } = doing
  const startedAt = new Date().toISOString()
  const status = (): WatchStatus => ({
    ...{ pid: process.pid, startedAt, configPath: paths.config },
    ...{ watches: specs.isOn, specs: specs.status, keeps: keeps.status },
  })
  const idle = setTimeout(changed, idleMs)
  undo.push(() => clearTimeout(idle))
  const listen = (listener: Log) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
  const handlers = handlersOf(doing)
  const api = await serveApi(paths.socket, { ...handlers, status, listen, logFile: options.logFile })
  undo.push(() => api.close())
  return {
    get status() {
      return status()
    },
    get staying() {
      return { specs: specs.stays, keeps: keeps.status.some(({ stays }) => stays) }
    },
    ...{ closed: ended, sync: handlers.sync, keep: handlers.keep, stop },
  }
}

interface Doing {
  readonly specs: SpecWork
  readonly keeps: Keeps
}

function handlersOf({ specs, keeps }: Doing) {
  return {
    sync: async (kubeconfig: string, stays: boolean) => specs.begin(kubeconfig, stays),
    keep: (order: KeepOrder, stays: boolean) => keeps.add(order, stays),
    ...{ settleKept: keeps.resolve, endKeeps: keeps.end, endSpecs: specs.end },
    ...{ resume: specs.resume, reload: specs.reload, sessions: specs.sessions },
  }
}

interface Beginning {
  readonly undo: Closing['undo']
  readonly changed: () => void
}

/** What can be done, and what it takes; nothing of it is under way but what was written down. */
async function work(
  { paths, log, newWorld, newKeep, pace = { firstMs: 500, maxMs: 30_000 } }: WatchOptions,
  { undo, changed }: Beginning,
): Promise<Doing> {
  const configuration = await watchConfig(paths.config, {
    changed(config: Config) {
      current = config
      specs.update()
    },
    broken: (error: Error) => log({ level: 'error', message: sentence(error) }),
  })
  undo.push(() => configuration.close())
  let current = configuration.initial
  const common = { stateRoot: paths.state, log, changed }
  const specs = newSpecWork({ ...common, configPath: paths.config, config: () => current, newWorld })
  undo.push(() => specs.end())
  const keeps = await startKeeps({ ...common, start: newKeep(() => current), written: paths.keeps, pace })
  undo.push(() => keeps.stop())
  const sweeper = startSweeper({ home: paths.trash, limits: () => current.trash, log })
  undo.push(() => sweeper.stop())
  return { specs, keeps }
}
