import type { NodeConnection } from '../agent/connect.ts'
import { parseReload } from '../config/reload.ts'
import type { Spec } from '../config/spec.ts'
import type { Binding } from './bindings.ts'
import type { SharedCluster } from './clusters.ts'
import type { ReloadPlan } from './keeper.ts'
import type { Shared } from './shared.ts'

interface Reloading {
  readonly spec: Spec
  readonly binding: Binding
  readonly cluster: Pick<SharedCluster, 'exec'>
  /** The agent that serves the container. */
  readonly node: Shared<NodeConnection>
}

/** What is done in a container after changes; undefined if nothing is. */
export function reloadPlan({ spec, binding, cluster, node }: Reloading): ReloadPlan | undefined {
  const how = spec.reload
  const reload = how === undefined ? undefined : parseReload(how)
  if (how === undefined || reload === undefined || reload.kind === 'none') return undefined
  const plan = { how, globs: spec.reloadOn }
  if (reload.kind === 'exec') {
    return { ...plan, act: () => cluster.exec(spec.namespace, binding, reload.command) }
  }
  const order = reload.kind === 'signal' ? reload.signal : reload.kind
  return {
    ...plan,
    async act() {
      const lease = await node.acquire()
      try {
        await lease.value.reload(binding.containerId, order)
      } finally {
        lease.release()
      }
    },
  }
}
