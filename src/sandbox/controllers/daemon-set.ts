import type { ObjectKey, Writer } from '../writer.ts'
import { misfit } from './fit.ts'
import type { DaemonSet, Node, Pod, PodSpec, PodTemplate } from './kinds.ts'
import { deletePod, hasEnded, isActive, isGoing, isReady, keepPods, podsOf, templateHash } from './pods.ts'
import { refusal } from './refusal.ts'
import { resolveAmount } from './rollout.ts'
import { withoutZeros } from './status.ts'

const hashLabel = 'controller-revision-hash'
const generationKey = 'deprecated.daemonset.template.generation'

/** What a node has that a DaemonSet's pod bears: pkg/controller/daemon/util, AddOrUpdateDaemonPodTolerations. */
const borne = {
  ...{ 'not-ready': 'NoExecute', unreachable: 'NoExecute', unschedulable: 'NoSchedule' },
  ...{ 'disk-pressure': 'NoSchedule', 'memory-pressure': 'NoSchedule', 'pid-pressure': 'NoSchedule' },
}
const tolerations = Object.entries(borne).map(([what, effect]) => {
  return { key: `node.kubernetes.io/${what}`, operator: 'Exists', effect }
})

/** A node, whether a pod belongs there, and the pods that are there, the oldest first. */
interface Place {
  readonly node: Node
  readonly isEligible: boolean
  readonly pods: readonly Pod[]
}

/**
 * Keeps one pod of a DaemonSet on each node that fits, replaces old ones as its strategy allows it, and tells of
 * them in its status; after k8s.io/kubernetes/pkg/controller/daemon, without surge.
 */
export function syncDaemonSet(writer: Writer, key: ObjectKey): void {
  const set = writer.store.get(key.resource, key) as DaemonSet | undefined
  if (set === undefined || isGoing(set)) return
  const failure = refusal(() => {
    for (const place of placesOf(writer, set)) settle(writer, set, place)
    for (const pod of outdated(set, placesOf(writer, set))) deletePod(writer, pod)
  })
  const status = statusOf(set, placesOf(writer, set))
  writer.change(key, (now) => ({ ...now, status }), 'status')
  if (failure !== undefined) throw failure
}

function placesOf({ store }: Writer, set: DaemonSet): Place[] {
  const pods = podsOf(store, set)
  const spec = tolerant(set.spec.template.spec)
  return (store.list('nodes') as Node[]).map((node) => ({
    node,
    isEligible: misfit(spec, node) === undefined,
    pods: pods.filter((pod) => nodeOf(pod) === node.metadata.name),
  }))
}

/** The node of a pod, or the one that it was made for if it is not bound yet. */
function nodeOf({ spec }: Pod): string | undefined {
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return spec.nodeName ?? required?.nodeSelectorTerms[0]?.matchFields?.[0]?.values?.[0]
}

/** One pod on a node that fits, none elsewhere, and the next only when the last is gone. */
function settle(writer: Writer, set: DaemonSet, { node, isEligible, pods }: Place): void {
  for (const pod of pods) if (hasEnded(pod) && !isGoing(pod)) deletePod(writer, pod)
  const active = pods.filter(isActive)
  const amount = isEligible && (pods.length === 0 || active.length > 0) ? 1 : 0
  keepPods(writer, set, { template: templateFor(set, node), amount, pods: active })
}

function isCurrent({ metadata }: Pod, { spec }: DaemonSet): boolean {
  return metadata.labels?.[hashLabel] === templateHash(spec.template)
}

/** The old pods that a rolling update may replace now: those that are missing anyway, and as many more as may be missing. */
function outdated(set: DaemonSet, places: readonly Place[]): Pod[] {
  const { type, rollingUpdate } = set.spec.updateStrategy
  if (type !== 'RollingUpdate') return []
  const eligible = places.filter(({ isEligible }) => isEligible)
  const most = Math.max(1, resolveAmount(rollingUpdate?.maxUnavailable ?? 1, eligible.length, 'up'))
  const pods = eligible.flatMap(({ pods }) => pods.find((pod) => !isGoing(pod)) ?? [])
  const old = pods.filter((pod) => !isCurrent(pod, set))
  const room = Math.max(0, most - (eligible.length - pods.filter(isReady).length))
  return [...old.filter((pod) => !isReady(pod)), ...old.filter(isReady).slice(0, room)]
}

function templateFor(set: DaemonSet, node: Node): PodTemplate {
  const { metadata, spec } = set.spec.template
  const generation = set.metadata.annotations?.[generationKey]
  const labels = {
    ...metadata?.labels,
    ...(generation === undefined ? {} : { 'pod-template-generation': generation }),
    [hashLabel]: templateHash(set.spec.template),
  }
  const byName = { key: 'metadata.name', operator: 'In', values: [node.metadata.name] }
  const nodeAffinity = {
    ...spec.affinity?.nodeAffinity,
    requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields: [byName] }] },
  }
  return {
    metadata: { ...metadata, labels },
    spec: { ...tolerant(spec), affinity: { ...spec.affinity, nodeAffinity } },
  }
}

function tolerant(spec: PodSpec): PodSpec {
  return { ...spec, tolerations: [...(spec.tolerations ?? []), ...tolerations] }
}

function statusOf(set: DaemonSet, places: readonly Place[]): object {
  const eligible = places.filter(({ isEligible }) => isEligible)
  const oldest = eligible.flatMap(({ pods }) => pods[0] ?? [])
  const ready = oldest.filter(isReady).length
  return {
    currentNumberScheduled: oldest.length,
    numberMisscheduled: places.filter(({ isEligible, pods }) => !isEligible && pods.length > 0).length,
    desiredNumberScheduled: eligible.length,
    numberReady: ready,
    observedGeneration: set.metadata.generation ?? 0,
    ...withoutZeros({
      updatedNumberScheduled: oldest.filter((pod) => isCurrent(pod, set)).length,
      numberAvailable: ready,
      numberUnavailable: eligible.length - ready,
    }),
  }
}
