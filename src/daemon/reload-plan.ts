import type { NodeConnection } from '../agent/connect.ts'
import { parseReload } from '../config/reload.ts'
import type { Spec } from '../config/spec.ts'
import type { Binding } from './bindings.ts'
import type { SharedCluster } from './clusters.ts'
import type { ReloadPlan } from './keeper.ts'
import { type Replacing, replaceContainer } from './replace-container.ts'
import type { Shared } from './shared.ts'

interface Reloading {
  readonly spec: Spec
  readonly binding: Binding
  readonly cluster: Pick<SharedCluster, 'exec'>
  /** The agent that serves the container. */
  readonly node: Shared<NodeConnection>
  readonly replacing: Pick<Replacing, 'adopt' | 'settle' | 'inSync'>
}

/** What is done in a container after changes; undefined if nothing is. */
export function reloadPlan({ spec, binding, cluster, node, replacing }: Reloading): ReloadPlan | undefined {
  const how = spec.reload
  const reload = how === undefined ? undefined : parseReload(how)
  if (how === undefined || reload === undefined || reload.kind === 'none') return undefined
  // What a fresh container is filled with is no reason to end it: that would go on for ever.
  const plan = { how, globs: spec.reloadOn, whenFilled: reload.kind !== 'restart-container' }
  if (reload.kind === 'exec') {
    const run = () => cluster.exec(spec.namespace, binding, reload.command)
    return { ...plan, act: () => run().then(() => undefined) }
  }
  const order = reload.kind === 'signal' ? reload.signal : reload.kind
  return { ...plan, act: () => throughAgent(order, { binding, node, replacing }) }
}

async function throughAgent(
  order: string,
  { binding, node, replacing }: Pick<Reloading, 'binding' | 'node' | 'replacing'>,
): Promise<string | undefined> {
  const lease = await node.acquire()
  try {
    if (order === 'restart-container') {
      return await replaceContainer({ ...replacing, binding, node: lease.value })
    }
    await lease.value.reload(binding.containerId, order)
    return undefined
  } finally {
    lease.release()
  }
}
