import type { NodeConnection } from '../agent/connect.ts'
import type { PodTarget } from '../agent/ephemeral/connect.ts'
import { type Shared, share } from './shared.ts'
import type { Cluster, World } from './world.ts'

/** A cluster with the connections to its nodes, which all sessions there share. */
export interface SharedCluster extends Pick<Cluster, 'watchPods' | 'onAgents' | 'exec'> {
  node(name: string): Shared<NodeConnection>
  /** The agent in a pod, for one session: nobody shares it. */
  pod(target: PodTarget): Shared<NodeConnection>
}

/** The clusters in use, by context; each is opened once. */
export interface Clusters {
  of(context: string): Shared<SharedCluster>
  /** Closes all, whoever uses them. */
  close(): Promise<void>
}

export function newClusters(world: World): Clusters {
  const known = new Map<string, Shared<SharedCluster>>()
  return {
    of(context) {
      const found = known.get(context) ?? clusterOf(world, context)
      known.set(context, found)
      return found
    },
    async close() {
      await Promise.all([...known.values()].map((cluster) => cluster.close()))
    },
  }
}

function clusterOf(world: World, context: string): Shared<SharedCluster> {
  const open = async () => {
    const cluster = await world.openCluster(context)
    const nodes = new Map<string, Shared<NodeConnection>>()
    const node = (name: string) => {
      const found = nodes.get(name) ?? connectionOf(() => cluster.connectNode(name), world.lingerMs)
      nodes.set(name, found)
      return found
    }
    const close = async () => {
      await Promise.allSettled([...nodes.values()].map((one) => one.close()))
      cluster.close()
    }
    return {
      watchPods: cluster.watchPods.bind(cluster),
      onAgents: cluster.onAgents.bind(cluster),
      exec: cluster.exec.bind(cluster),
      node,
      pod: (target: PodTarget) => connectionOf(() => cluster.connectPod(target), 0),
      close,
    }
  }
  const never = () => new Promise<never>(() => {})
  return share({ open, close: ({ close }) => close(), gone: never, lingerMs: world.lingerMs })
}

function connectionOf(open: () => Promise<NodeConnection>, lingerMs: number): Shared<NodeConnection> {
  return share({
    open,
    close: (connection) => connection.close(),
    gone: (connection) => connection.closed,
    lingerMs,
  })
}
