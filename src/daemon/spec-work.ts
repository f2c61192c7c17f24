import type { Config } from '../config/store.ts'
import { KubesyncError } from '../errors.ts'
import type { Share } from './keeps/keeps.ts'
import { type Supervisor, startSupervisor } from './supervisor.ts'
import type { Log, World } from './world.ts'

/** The syncing of all specs, which this process does while somebody wants it. */
export interface SpecWork extends Pick<Supervisor, 'status' | 'resume' | 'reload' | 'sessions'> {
  readonly isOn: boolean
  /** Whether it goes on when who began it is gone. */
  readonly stays: boolean
  /** Begins, reaching clusters by what `KUBECONFIG` would have; rejects with WATCH_RUNNING if it is under way. */
  begin(kubeconfig: string, stays: boolean): Share
  /** The configuration is another one. */
  update(): void
  end(): Promise<void>
}

export interface SpecWorkOptions {
  readonly configPath: string
  readonly stateRoot: string
  /** What is in force when it is asked. */
  readonly config: () => Config
  readonly newWorld: (config: () => Config, kubeconfig: string) => World
  readonly log: Log
  /** Called when it ended. */
  readonly changed: () => void
}

interface Current {
  readonly supervisor: Supervisor
  readonly stays: boolean
  readonly over: () => void
}

export function newSpecWork(options: SpecWorkOptions): SpecWork {
  const { config, configPath, stateRoot, log } = options
  let current: Current | undefined

  async function end(): Promise<void> {
    const ending = current
    current = undefined
    await ending?.supervisor.stop()
    ending?.over()
    options.changed()
  }

  return {
    get isOn() {
      return current !== undefined
    },
    get stays() {
      return current?.stays === true
    },
    get status() {
      return current?.supervisor.status ?? []
    },
    begin(kubeconfig, stays) {
      if (current !== undefined) throw watchRunning(process.pid, configPath)
      let over = () => {}
      const ended = new Promise<string>((resolve) => {
        over = () => resolve('')
      })
      const supervisor = startSupervisor({ world: options.newWorld(config, kubeconfig), stateRoot, log })
      const mine: Current = { supervisor, stays, over }
      current = mine
      supervisor.update(config().specs)
      return { ended, leave: async () => (current === mine ? end() : undefined) }
    },
    update: () => current?.supervisor.update(config().specs),
    resume: (spec) => current?.supervisor.resume(spec),
    reload: (spec) => current?.supervisor.reload(spec),
    sessions: (spec) => current?.supervisor.sessions(spec),
    end,
  }
}

export function watchRunning(pid: number, configPath: string): KubesyncError {
  return new KubesyncError('WATCH_RUNNING', `process ${pid} already watches ${configPath}`, {
    hint: 'see what it does with `ksync get`; end it with `ksync watch --stop`',
  })
}
