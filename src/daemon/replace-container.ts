import type { NodeConnection } from '../agent/connect.ts'
import { KubesyncError } from '../errors.ts'
import type { Binding } from './bindings.ts'
import type { Replacement } from './early.ts'
import { within } from './waiting.ts'

/** What a restart of a container needs of the spec it belongs to. */
export interface Replacing {
  readonly binding: Binding
  readonly node: Pick<NodeConnection, 'replaceContainer' | 'reload'>
  /** Syncs with a container before the API server tells of it. */
  readonly adopt: (replacement: Replacement) => void
  /** The server has had its time to tell. */
  readonly settle: (id: string) => void
  /** Resolves when a container was in sync for the first time. */
  readonly inSync: (id: string) => Promise<void>
}

/** How long a new container may take to hold what it should, in milliseconds; a runtime gives up after two minutes. */
const seedLimit = 55_000
/** How long the API server may take to tell of a container that runs, in milliseconds. */
const tellLimit = 30_000

/**
 * Has the kubelet start a new container, which the agent holds before its program begins, until it has the files. If that
 * came too late, the process is restarted in place once the files are there.
 */
export async function replaceContainer({ binding, node, ...run }: Replacing): Promise<string | undefined> {
  if (binding.neverRestarts === true) {
    throw new KubesyncError(
      'RELOAD_REFUSED',
      `pod ${binding.pod} says restartPolicy: Never: it would end for good`,
      {
        hint: 'use --reload restart',
      },
    )
  }
  const { podUid, container, containerId: old } = binding
  const scheme = /^.*:\/\//.exec(old)?.[0] ?? ''
  const successor = await node.replaceContainer(old)
  const id = `${scheme}${successor.containerId}`
  const { signal } = new AbortController()
  const late = () =>
    new KubesyncError('TIMEOUT', `the new container was not in sync within ${seedLimit / 1000} s`)
  try {
    const inSync = run.inSync(id)
    run.adopt({ podUid, container, old, id })
    await within(inSync, { signal, limitMs: seedLimit, late, discard: () => {} })
    if (successor.held) return undefined
    await node.reload(id, 'restart')
    return 'restart-container, and in place, as its process had begun with old files'
  } finally {
    successor.letGo()
    setTimeout(() => run.settle(id), tellLimit).unref()
  }
}
