import type { AgentPod } from '../agent/connect.ts'
import { agentContainer, agentSelector } from '../agent/install/objects.ts'
import { KubesyncError } from '../errors.ts'
import { isAlive } from './bindings.ts'
import type { Pod } from './pods.ts'
import type { PodQuery, PodsEvent } from './world.ts'

/** Where the agents of one namespace are, kept up to date. */
export interface Agents {
  readonly namespace: string
  /** The agent of a node; rejects with NO_AGENT, AGENT_NOT_READY, or why agents cannot be found. */
  find(node: string): Promise<AgentPod>
  close(): void
}

export interface AgentsOptions {
  readonly namespace: string
  readonly watchPods: (query: PodQuery, listener: (event: PodsEvent) => void) => () => void
  /** An agent came, went, or can be used now. */
  readonly changed: () => void
}

export function followAgents({ namespace, watchPods, changed }: AgentsOptions): Agents {
  let pods: readonly Pod[] = []
  let error: Error | undefined
  let seen = ''
  let heard = () => {}
  const first = new Promise<void>((resolve) => {
    heard = resolve
  })
  const stop = watchPods({ namespace, selector: agentSelector }, (event) => {
    if (event.type === 'reachable') return
    if (event.type === 'pods') pods = event.pods
    error = event.type === 'unreachable' ? event.error : undefined
    heard()
    const now = JSON.stringify(pods.map(summary))
    if (now !== seen) changed()
    seen = now
  })
  return {
    namespace,
    async find(node) {
      await first
      // While the server is away, what was known last is worth a try: connecting says more.
      if (error !== undefined && pods.length === 0) throw error
      const { name, strict = false } = choose(pods, { node, namespace })
      return { namespace, pod: name, container: agentContainer, strict }
    },
    close: stop,
  }
}

function summary(pod: Pod) {
  return [pod.name, pod.node, isAlive(pod), pod.ready, isRunning(pod)]
}

function isRunning(pod: Pod): boolean {
  return pod.containers.some(({ name, runningId }) => name === agentContainer && runningId !== undefined)
}

function choose(pods: readonly Pod[], { node, namespace }: { node: string; namespace: string }): Pod {
  const here = pods.filter((pod) => pod.node === node && isAlive(pod))
  // A probe that failed under load is no reason not to try.
  const found = here.find((pod) => pod.ready && isRunning(pod)) ?? here.find(isRunning)
  if (found !== undefined) return found
  const waiting = here[0]
  if (waiting !== undefined) {
    const reason = waiting.containers.find(({ name }) => name === agentContainer)?.reason
    throw new KubesyncError(
      'AGENT_NOT_READY',
      `the agent on node ${node} does not run yet (pod ${namespace}/${waiting.name}${reason ? `, ${reason}` : ''})`,
      { hint: 'run `ksync init` again to see why' },
    )
  }
  if (pods.some((pod) => pod.node === node)) {
    throw new KubesyncError('AGENT_NOT_READY', `the agent on node ${node} is being removed or replaced`, {
      hint: 'run `ksync init` if it does not come back',
    })
  }
  throw new KubesyncError('NO_AGENT', `there is no agent on node ${node} in namespace ${namespace}`, {
    hint:
      pods.length === 0
        ? 'run `ksync init`, or do without (--agent ephemeral)'
        : 'the agents leave this node out: `ksync init --tolerate` or --node-selector can change that',
  })
}
