import type { ObjectKey, Writer } from '../writer.ts'
import { templateHash } from './deployment-sets.ts'
import { misfit } from './fit.ts'
import type { DaemonSet, Node, Pod, PodSpec, PodTemplate, Toleration } from './kinds.ts'
import {
  createPod,
  deletePod,
  hasEnded,
  isReady,
  nextAvailable,
  podsOf,
  untilAvailable,
  withoutZeros,
} from './pods.ts'
import { resolveAmount } from './rollout.ts'

const hashLabel = 'controller-revision-hash'
const generationLabel = 'pod-template-generation'
const generationKey = 'deprecated.daemonset.template.generation'

/** What a node has that a DaemonSet's pod bears: pkg/controller/daemon/util, AddOrUpdateDaemonPodTolerations. */
const tolerations: readonly Toleration[] = [
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' },
]
const networkToleration = {
  key: 'node.kubernetes.io/network-unavailable',
  operator: 'Exists',
  effect: 'NoSchedule',
}

/** A node, whether a pod belongs there, and the pods that are there, the oldest first. */
interface Place {
  readonly node: Node
  readonly isEligible: boolean
  readonly pods: readonly Pod[]
}

/**
 * Keeps one pod of a DaemonSet on each node that fits, replaces old ones as its strategy allows it, and tells of
 * them in its status; after k8s.io/kubernetes/pkg/controller/daemon, without surge. Returns milliseconds after which
 * there is more to tell.
 */
export function syncDaemonSet(writer: Writer, key: ObjectKey): number | undefined {
  const set = writer.store.get(key.resource, key) as DaemonSet | undefined
  if (set === undefined || set.metadata.deletionTimestamp !== undefined) return undefined
  const hash = templateHash(set.spec.template)
  try {
    for (const place of placesOf(writer, set)) settle(writer, set, place)
    for (const pod of outdated(set, placesOf(writer, set), hash)) deletePod(writer, set, pod)
  } finally {
    const places = placesOf(writer, set)
    writer.change(key, (now) => ({ ...now, status: statusOf(now as DaemonSet, places, hash) }), 'status')
  }
  return nextAvailable(podsOf(writer.store, set), set.spec.minReadySeconds)
}

function placesOf({ store }: Writer, set: DaemonSet): Place[] {
  const pods = podsOf(store, set).sort(
    (a, b) => Date.parse(a.metadata.creationTimestamp ?? '') - Date.parse(b.metadata.creationTimestamp ?? ''),
  )
  const spec = withTolerations(set.spec.template.spec)
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

/** One pod on a node that fits, none elsewhere. A pod that ended makes room for another. */
function settle(writer: Writer, set: DaemonSet, { node, isEligible, pods }: Place): void {
  if (isEligible && pods.length === 0) {
    createPod(writer, set, templateFor(set, node))
    return
  }
  const [first, ...others] = pods.filter((pod) => !hasEnded(pod.status?.phase))
  const kept = isEligible ? first : undefined
  const unwanted = [...pods.filter((pod) => hasEnded(pod.status?.phase)), ...others]
  if (kept === undefined && first !== undefined) unwanted.push(first)
  for (const pod of unwanted.filter(isStaying)) deletePod(writer, set, pod)
}

function isStaying({ metadata }: Pod): boolean {
  return metadata.deletionTimestamp === undefined
}

function isCurrent({ metadata }: Pod, hash: string): boolean {
  return metadata.labels?.[hashLabel] === hash
}

/** The old pods that a rolling update may replace now: as many as may be missing, those that are missing anyway first. */
function outdated({ spec }: DaemonSet, places: readonly Place[], hash: string): Pod[] {
  if (spec.updateStrategy.type !== 'RollingUpdate') return []
  const eligible = places.filter(({ isEligible }) => isEligible)
  const amount = spec.updateStrategy.rollingUpdate?.maxUnavailable ?? 1
  const most = Math.max(1, resolveAmount(amount, eligible.length, 'up'))
  const staying = eligible.map(({ pods }) => pods.find(isStaying))
  const isMissing = (pod: Pod | undefined) =>
    pod === undefined || untilAvailable(pod, spec.minReadySeconds) > 0
  const old = staying.filter((pod) => pod !== undefined).filter((pod) => !isCurrent(pod, hash))
  const room = Math.max(0, most - staying.filter(isMissing).length)
  return [...old.filter(isMissing), ...old.filter((pod) => !isMissing(pod)).slice(0, room)]
}

function templateFor(set: DaemonSet, node: Node): PodTemplate {
  const { template } = set.spec
  const generation = set.metadata.annotations?.[generationKey]
  const labels = {
    ...template.metadata?.labels,
    ...(generation === undefined ? {} : { [generationLabel]: generation }),
    [hashLabel]: templateHash(template),
  }
  const { nodeAffinity } = template.spec.affinity ?? {}
  const byName = { key: 'metadata.name', operator: 'In', values: [node.metadata.name] }
  const required = { nodeSelectorTerms: [{ matchFields: [byName] }] }
  const affinity = {
    ...template.spec.affinity,
    nodeAffinity: { ...nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: required },
  }
  const spec = { ...withTolerations(template.spec), affinity }
  return { metadata: { ...template.metadata, labels }, spec }
}

function withTolerations(spec: PodSpec): PodSpec {
  const added = spec.hostNetwork === true ? [...tolerations, networkToleration] : tolerations
  const own = (spec.tolerations ?? []).filter(
    ({ key, effect }) => !added.some((each) => each.key === key && each.effect === effect),
  )
  return { ...spec, tolerations: [...own, ...added] }
}

function statusOf(
  { metadata, spec }: DaemonSet,
  places: readonly Place[],
  hash: string,
): Record<string, unknown> {
  const eligible = places.filter(({ isEligible }) => isEligible)
  const oldest = eligible.map(({ pods }) => pods[0]).filter((pod) => pod !== undefined)
  const available = oldest.filter((pod) => untilAvailable(pod, spec.minReadySeconds) === 0).length
  return {
    currentNumberScheduled: oldest.length,
    numberMisscheduled: places.filter(({ isEligible, pods }) => !isEligible && pods.length > 0).length,
    desiredNumberScheduled: eligible.length,
    numberReady: oldest.filter(isReady).length,
    observedGeneration: metadata.generation ?? 0,
    ...withoutZeros({
      updatedNumberScheduled: oldest.filter((pod) => isCurrent(pod, hash)).length,
      numberAvailable: available,
      numberUnavailable: eligible.length - available,
    }),
  }
}
