import { stat } from 'node:fs/promises'
import type { Config } from '../../config/document.ts'
import { withLock } from '../../config/lock.ts'
import { setting } from '../../config/settings.ts'
import { KubesyncError } from '../../errors.ts'
import { KubeClient } from '../../kube/client.ts'
import { loadContext } from '../../kube/config.ts'
import { findPin } from '../../manifests/folder/pin.ts'
import { keepInStep } from '../../manifests/keep/keep.ts'
import { openSession } from '../../manifests/session.ts'
import type { KeepOrder } from './order.ts'
import type { StartKeep } from './runner.ts'

export interface LiveKeepOptions {
  /** Where kubesync keeps its state. */
  readonly state: string
  readonly env: NodeJS.ProcessEnv
  /** The configuration in force. */
  readonly config: () => Config
}

/** Keeps folders of this machine in step with clusters of the kubeconfigs that orders name. */
export function liveKeep({ state, env, config }: LiveKeepOptions): StartKeep {
  return async (order, way) => {
    await requireFolder(order)
    const { pin } = await findPin(order.folder)
    const from = { settings: config().settings, env }
    const layout = pin.layout ?? setting('layout', from)
    const secrets = setting('journal.secrets', from)
    const client = await clientOf(order, env)
    try {
      const session = await openSession({
        client,
        root: order.folder,
        state,
        secrets,
        sanitize: setting('sanitize', from),
        command: 'daemon',
        withLock,
      })
      const { mode, onConflict, onDeletion, mayWriteCluster } = order
      const keeping = keepInStep(session, {
        ...way,
        mode,
        onConflict,
        onDeletion,
        mayWriteCluster,
        layout,
      })
      const done = keeping.done.finally(() => session.close().finally(() => client.close()))
      return { done, resolve: (id, side) => keeping.resolve(id, side) }
    } catch (error) {
      client.close()
      throw error
    }
  }
}

async function requireFolder({ folder }: KeepOrder): Promise<void> {
  const found = await stat(folder).catch(() => undefined)
  if (found?.isDirectory() === true) return
  throw new KubesyncError('NO_SUCH_DIRECTORY', `there is no folder ${folder}`, {
    hint: 'put it back, or end this with `ksync daemon --stop`; nothing is deleted in the cluster meanwhile',
  })
}

/** Rejects with ELSEWHERE if the context does not lead any more where it led when somebody agreed. */
async function clientOf(order: KeepOrder, env: NodeJS.ProcessEnv): Promise<KubeClient> {
  const { context, namespace, server, kubeconfig } = order
  const found = await loadContext({ context, namespace, env: { ...env, KUBECONFIG: kubeconfig } })
  if (found.server === server) return new KubeClient(found)
  throw new KubesyncError(
    'ELSEWHERE',
    `${context} leads to ${found.server} now, and not to ${server} any more`,
    {
      hint: 'if that is meant, `ksync daemon --stop` and start it again',
    },
  )
}
