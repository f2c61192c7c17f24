import { connectNode } from '../agent/connect.ts'
import { connectPod } from '../agent/ephemeral/connect.ts'
import { KubeClient } from '../kube/client.ts'
import { type ContextOptions, type KubeContext, loadContext } from '../kube/config.ts'
import { type Agents, followAgents } from './agents.ts'
import { execute } from './execute.ts'
import { watchPods } from './pod-watch.ts'
import type { Cluster, PodQuery, PodsEvent } from './world.ts'

export interface ClusterOptions extends ContextOptions {
  /** In which namespace the agents are; asked whenever one is needed. */
  readonly agentNamespace: () => string
}

/** How often the kubeconfig is looked at while the server cannot be reached, in milliseconds. */
const rereadMs = 5_000

/** The API server of a context. Rejects when the kubeconfig has no such context; the server is not asked yet. */
export async function openCluster(options: ClusterOptions): Promise<Cluster> {
  const connection = followKubeconfig(options, await loadContext(options))
  const agentListeners = new Set<() => void>()
  let agents: Agents | undefined
  const agentsNow = () => {
    const namespace = options.agentNamespace()
    if (agents?.namespace === namespace) return agents
    agents?.close()
    const changed = () => {
      for (const listener of agentListeners) listener()
    }
    agents = followAgents({ namespace, watchPods: connection.watchPods, changed })
    return agents
  }
  return {
    watchPods: connection.watchPods,
    connectNode: async (node) => connectNode(connection.client(), await agentsNow().find(node)),
    connectPod: (target) => connectPod(connection.client(), target),
    exec: (namespace, { pod, container }, command) =>
      execute(connection.client(), { namespace, pod, container, command }),
    onAgents(listener) {
      agentListeners.add(listener)
      return () => agentListeners.delete(listener)
    },
    close() {
      agents?.close()
      connection.close()
    },
  }
}

interface Connection {
  client(): KubeClient
  watchPods(query: PodQuery, listener: (event: PodsEvent) => void): () => void
  close(): void
}

interface Watching {
  readonly query: PodQuery
  readonly listener: (event: PodsEvent) => void
  away: boolean
  stop: () => void
}

/**
 * A connection that goes on with what the kubeconfig says by now when the server cannot be reached: people log
 * in again, and local clusters are made anew under the same name, at another port.
 */
function followKubeconfig(options: ContextOptions, initial: KubeContext): Connection {
  let context = initial
  let client = new KubeClient(initial)
  const watches = new Set<Watching>()

  function begin(watching: Watching): void {
    watching.stop = watchPods(client, watching.query, (event) => {
      if (event.type !== 'pods') watching.away = event.type === 'unreachable'
      watching.listener(event)
    })
  }

  async function reread(): Promise<void> {
    if (![...watches].some(({ away }) => away)) return
    const now = await loadContext(options).catch(() => context)
    if (fingerprint(now) === fingerprint(context)) return
    client.close()
    context = now
    client = new KubeClient(now)
    for (const watching of watches) {
      watching.stop()
      begin(watching)
    }
  }

  const timer = setInterval(() => void reread(), rereadMs)
  return {
    client: () => client,
    watchPods(query, listener) {
      const watching: Watching = { query, listener, away: false, stop: () => {} }
      watches.add(watching)
      begin(watching)
      return () => {
        watches.delete(watching)
        watching.stop()
      }
    },
    close() {
      clearInterval(timer)
      for (const watching of watches) watching.stop()
      client.close()
    },
  }
}

function fingerprint({ server, config }: KubeContext): string {
  return JSON.stringify([server, config.cluster, config.user])
}
