import { explainDaemonSet, explainPod, type Reason } from './explain.ts'
import type { AgentDaemonSet, AgentEvent, AgentPodState } from './observed.ts'

/** How the agent of one node does. */
export interface NodeProgress {
  readonly node: string
  readonly state: 'pending' | 'pulling' | 'starting' | 'ready' | 'failed'
  /** Why it is not further. With `failed`, waiting would not help. */
  readonly reason?: Reason
}

/** What is known of an install that is under way. */
export interface Observed {
  readonly daemonSet: AgentDaemonSet | undefined
  readonly pods: readonly AgentPodState[]
  /** Oldest first. */
  readonly events: readonly AgentEvent[]
}

export interface Rollout {
  /** Sorted by name. */
  readonly nodes: readonly NodeProgress[]
  /** How many nodes should have an agent; undefined until the DaemonSet's controller has counted them. */
  readonly desired: number | undefined
  /** `settled`: not all agents are ready, and waiting would not help. */
  readonly state: 'waiting' | 'ready' | 'settled'
  /** Why pods are missing altogether. */
  readonly reason?: Reason
}

/**
 * Judges an install.
 *
 * @param generation of the DaemonSet that was applied: what an older one led to does not count.
 */
export function assess(observed: Observed, generation: number): Rollout {
  const { daemonSet, events } = observed
  if (daemonSet === undefined) return { nodes: [], desired: undefined, state: 'waiting' }
  const refusal = explainDaemonSet(about(daemonSet.metadata.uid, events))
  // While it fails to create pods, the controller leaves the status as it was.
  if (daemonSet.status.observedGeneration < generation) {
    return { nodes: [], desired: undefined, ...stuck(refusal) }
  }
  const nodes = nodesOf(observed, daemonSet)
  const desired = daemonSet.status.desiredNumberScheduled
  const isMissing = desired > nodes.filter(({ state }) => state !== 'pending').length
  const reason = isMissing ? refusal : undefined
  const state = judge({ daemonSet, nodes, reason })
  return { nodes, desired, state, ...(reason === undefined ? {} : { reason }) }
}

function stuck(reason: Reason | undefined): Pick<Rollout, 'state' | 'reason'> {
  if (reason === undefined) return { state: 'waiting' }
  return { state: reason.final ? 'settled' : 'waiting', reason }
}

interface Judged {
  readonly daemonSet: AgentDaemonSet
  readonly nodes: readonly NodeProgress[]
  readonly reason: Reason | undefined
}

function judge({ daemonSet, nodes, reason }: Judged): Rollout['state'] {
  const { desiredNumberScheduled: desired, updatedNumberScheduled: updated, numberReady } = daemonSet.status
  // Without a node there is nothing to wait for.
  if (desired === 0) return 'settled'
  const ready = nodes.filter(({ state }) => state === 'ready').length
  if (ready >= desired && updated >= desired && numberReady >= desired) return 'ready'
  const failed = nodes.filter(({ state }) => state === 'failed').length
  if (failed > 0 && ready + failed >= desired) return 'settled'
  return reason?.final === true && ready + failed === nodes.length ? 'settled' : 'waiting'
}

function nodesOf({ pods, events }: Observed, daemonSet: AgentDaemonSet): NodeProgress[] {
  const byNode = new Map<string, AgentPodState>()
  for (const pod of pods) {
    const node = nodeOf(pod)
    const other = byNode.get(node)
    if (other === undefined || isNewer(pod, other)) byNode.set(node, pod)
  }
  return [...byNode]
    .map(([node, pod]) =>
      isCurrent(pod, daemonSet)
        ? { node, ...progressOf(pod, about(pod.metadata.uid, events)) }
        : ({ node, state: 'pending', reason: replaced } as const),
    )
    .sort((a, b) => (a.node < b.node ? -1 : 1))
}

const replaced: Reason = { message: 'the agent before it has not ended yet', final: false }

function progressOf(
  pod: AgentPodState,
  events: readonly AgentEvent[],
): Pick<NodeProgress, 'state' | 'reason'> {
  const { conditions, containerStatuses } = pod.status
  if (conditions.some(({ type, status }) => type === 'Ready' && status === 'True')) return { state: 'ready' }
  const reason = explainPod(pod, events)
  const why = reason === undefined ? {} : { reason }
  if (reason?.final === true) return { state: 'failed', ...why }
  if (containerStatuses.some(({ state }) => state?.running || state?.terminated))
    return { state: 'starting', ...why }
  if (pod.spec.nodeName === '') return { state: 'pending', ...why }
  return { state: events.at(-1)?.reason === 'Pulling' ? 'pulling' : 'starting', ...why }
}

function about(uid: string, events: readonly AgentEvent[]): AgentEvent[] {
  return events.filter(({ involvedObject }) => involvedObject.uid === uid)
}

/** The node a pod is on, or, before it is scheduled, the one its DaemonSet meant it for. */
function nodeOf(pod: AgentPodState): string {
  if (pod.spec.nodeName !== '') return pod.spec.nodeName
  const terms =
    pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  const fields = (terms ?? []).flatMap(({ matchFields }) => matchFields)
  return fields.find(({ key }) => key === 'metadata.name')?.values[0] ?? pod.metadata.name
}

function isNewer(pod: AgentPodState, other: AgentPodState): boolean {
  if (Boolean(pod.metadata.deletionTimestamp) !== Boolean(other.metadata.deletionTimestamp)) {
    return !pod.metadata.deletionTimestamp
  }
  return pod.metadata.creationTimestamp > other.metadata.creationTimestamp
}

/** Whether a pod is made from the template that the DaemonSet has now. */
function isCurrent(pod: AgentPodState, daemonSet: AgentDaemonSet): boolean {
  if (pod.metadata.deletionTimestamp) return false
  const generation = daemonSet.metadata.annotations['deprecated.daemonset.template.generation']
  const made = pod.metadata.labels['pod-template-generation']
  return generation === undefined || made === undefined || generation === made
}
