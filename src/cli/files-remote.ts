import type { NodeConnection } from '../agent/connect.ts'
import { defaultNamespace } from '../agent/install/objects.ts'
import type { Config } from '../config/document.ts'
import { kubeEnv } from '../config/settings.ts'
import type { Spec } from '../config/spec.ts'
import { type Binding, decide, podTargetOf } from '../daemon/bindings.ts'
import { openCluster } from '../daemon/cluster.ts'
import type { Pod } from '../daemon/pods.ts'
import type { Cluster } from '../daemon/world.ts'
import { KubesyncError } from '../errors.ts'
import type { Listing } from './files-list.ts'
import type { Cli } from './io.ts'

export interface RemoteOptions {
  readonly spec: Spec
  readonly config: Config
  readonly kubeconfig: string | undefined
}

export interface FailedListing {
  readonly error: unknown
}

/** Lists the remote folder of a spec in every container that runs and matches. Rejects when none does. */
export async function listRemote(cli: Cli, options: RemoteOptions): Promise<(Listing | FailedListing)[]> {
  const { spec, config, kubeconfig } = options
  const agentNamespace = () => config.agents[spec.context] ?? defaultNamespace
  const env = kubeEnv({ ...config, env: cli.io.env })
  const cluster = await openCluster({ kubeconfig, context: spec.context, env, agentNamespace })
  const connections = new Map<string, Promise<NodeConnection>>()
  const connect = (binding: Binding) => {
    const inPod = spec.agent === 'ephemeral'
    const key = inPod ? binding.containerId : binding.node
    const open = () =>
      inPod ? cluster.connectPod(podTargetOf(spec, binding)) : cluster.connectNode(binding.node)
    const found = connections.get(key) ?? open()
    connections.set(key, found)
    return found
  }
  try {
    const bindings = await findContainers(cluster, spec)
    return await Promise.all(bindings.map((binding) => listOne(binding, { spec, connect })))
  } finally {
    await Promise.allSettled([...connections.values()].map(async (one) => (await one).close()))
    cluster.close()
  }
}

async function findContainers(cluster: Cluster, spec: Spec): Promise<readonly Binding[]> {
  const pods = await currentPods(cluster, spec)
  // Reading is allowed everywhere, whoever leads.
  const { bindings, waiting } = decide({ spec: { ...spec, mode: 'two-way-safe' }, pods, failing: new Set() })
  if (bindings.length > 0) return bindings
  throw new KubesyncError('NO_CONTAINER', waiting ?? 'no container matches')
}

function currentPods(cluster: Cluster, spec: Spec): Promise<readonly Pod[]> {
  return new Promise((resolve, reject) => {
    const stop = cluster.watchPods(spec, (event) => {
      if (event.type === 'reachable') return
      queueMicrotask(() => stop())
      if (event.type === 'pods') resolve(event.pods)
      else reject(event.error)
    })
  })
}

interface Reach {
  readonly spec: Spec
  readonly connect: (binding: Binding) => Promise<NodeConnection>
}

async function listOne(binding: Binding, { spec, connect }: Reach): Promise<Listing | FailedListing> {
  const { pod, container, node, containerId } = binding
  const { remote: path, namespace } = spec
  try {
    const target = { pod: { namespace, name: pod, uid: binding.podUid }, containerId, path, create: false }
    const replica = await (await connect(binding)).openReplica(target)
    try {
      await replica.rescan('all')
      return { pod, container, node, path, tree: replica.tree }
    } finally {
      await replica.close()
    }
  } catch (error) {
    return { error }
  }
}
