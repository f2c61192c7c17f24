import type { KeepStatus } from '../../manifests/keep/status.ts'
import type { KeepOrder } from '../keeps/order.ts'
import type { StartKeep } from '../keeps/runner.ts'

/** An order as somebody gives it who changes nothing. */
export function order(folder: string, more: Partial<KeepOrder> = {}): KeepOrder {
  return {
    folder,
    ...{ kubeconfig: '', context: 'kind', server: 'https://127.0.0.1:6443', namespace: 'default' },
    ...{ mode: 'two-way', onConflict: 'ask', onDeletion: 'ask', mayWriteCluster: true },
    ...more,
  }
}

export function keepStatus(more: Partial<KeepStatus> = {}): KeepStatus {
  return {
    ...{ state: 'in-step', reason: '', mode: 'two-way', root: '/m', objects: 2, drift: 0 },
    cluster: { context: 'kind', server: 'https://127.0.0.1:6443', namespace: 'default' },
    writes: { files: 0, cluster: 0 },
    ...{ lastWrites: [], conflicts: [], left: [], problems: [] },
    ...more,
  }
}

/** An engine under way, as a test sees it. */
export interface FakeKeep {
  readonly order: KeepOrder
  readonly resolved: (readonly [id: string, keep: 'local' | 'remote'])[]
  isRunning: boolean
  says(status: KeepStatus): void
  /** Ends by itself; with an error as a defect does. */
  end(error?: Error): void
}

export interface FakeKeeps {
  readonly start: StartKeep
  readonly all: FakeKeep[]
  readonly running: readonly FakeKeep[]
  /** Set, it cannot begin. */
  failure: Error | undefined
}

/** Engines that keep nothing in step and say what a test has them say. */
export function fakeKeeps(): FakeKeeps {
  const keeps: FakeKeeps = {
    all: [],
    get running() {
      return this.all.filter(({ isRunning }) => isRunning)
    },
    failure: undefined,
    async start(given, { signal, onStatus }) {
      if (keeps.failure !== undefined) throw keeps.failure
      let end: FakeKeep['end'] = () => {}
      const done = new Promise<void>((resolve, reject) => {
        end = (error) => (error === undefined ? resolve() : reject(error))
      })
      const keep: FakeKeep = { order: given, resolved: [], isRunning: true, says: onStatus, end }
      keeps.all.push(keep)
      signal.addEventListener('abort', () => end(), { once: true })
      const over = done.finally(() => {
        keep.isRunning = false
      })
      return { done: over, resolve: async (id, side) => void keep.resolved.push([id, side]) }
    },
  }
  return keeps
}
