import { KubesyncError } from '../../errors.ts'
import { type AgentOptions, agentSelector } from './objects.ts'
import type { NodeProgress, Rollout } from './rollout.ts'

/** Why an install that was waited for is not ready: an AGENT_NOT_READY that names nodes and reasons. Pure. */
export function describeFailure(
  rollout: Rollout,
  options: AgentOptions & { readonly waitMs: number },
): KubesyncError {
  const { nodes, desired, reason } = rollout
  const look = `\`kubectl -n ${options.namespace} describe pods -l ${agentSelector}\` tells more`
  const late = rollout.state === 'waiting' ? `after ${options.waitMs / 1000} s ` : ''
  if (desired === undefined && reason !== undefined) return notReady(reason.message, reason.hint ?? look)
  if (desired === undefined) {
    return notReady(
      `${late}the cluster has not acted on the DaemonSet yet`,
      'does its controller manager run?',
    )
  }
  if (desired === 0) return notReady('no node takes the agent', noNodeHint(options))
  const waiting = nodes.filter(({ state }) => state !== 'ready')
  const ready = nodes.length - waiting.length
  const head = `${late}the agent is ready on ${ready} of ${desired} ${desired === 1 ? 'node' : 'nodes'}`
  if (reason !== undefined) return notReady(`${head}: ${reason.message}`, reason.hint ?? look)
  const hint = waiting.find((node) => node.reason?.hint !== undefined)?.reason?.hint
  return notReady(`${head}: ${byReason(waiting).join('; ')}`, hint ?? look)
}

function notReady(message: string, hint: string): KubesyncError {
  return new KubesyncError('AGENT_NOT_READY', message, { hint })
}

function noNodeHint({ nodeSelector, tolerations }: AgentOptions): string {
  const labels = Object.entries(nodeSelector).map(([key, value]) => `${key}=${value}`)
  if (labels.length > 0)
    return `has a node the labels ${labels.join(',')}? \`kubectl get nodes --show-labels\` shows them`
  if (tolerations.length > 0)
    return 'do the tolerations match all taints of a Linux node? `kubectl describe nodes` shows them'
  return "it runs on Linux nodes without taints; --tolerate '*' lets it run on those with taints too"
}

const maxNamed = 5

/** `node1, node2: the image … cannot be pulled`, one for each reason. */
function byReason(nodes: readonly NodeProgress[]): string[] {
  const groups = new Map<string, string[]>()
  for (const { node, state, reason } of nodes) {
    const why = reason?.message ?? stateWords[state]
    groups.set(why, [...(groups.get(why) ?? []), node])
  }
  return [...groups].map(([why, names]) => {
    const more = names.length > maxNamed ? ` and ${names.length - maxNamed} more` : ''
    return `${names.slice(0, maxNamed).join(', ')}${more}: ${why}`
  })
}

const stateWords: Readonly<Record<NodeProgress['state'], string>> = {
  pending: 'it waits for a place on the node',
  pulling: 'its image is still being pulled',
  starting: 'it is still starting',
  ready: 'it is ready',
  failed: 'it failed',
}
