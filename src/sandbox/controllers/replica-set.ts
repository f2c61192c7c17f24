import { ApiFailure } from '../failure.ts'
import { at } from '../object.ts'
import type { Store } from '../store.ts'
import { timestamp } from '../values.ts'
import type { ObjectKey, Writer } from '../writer.ts'
import type { Condition, Pod, ReplicaSet } from './kinds.ts'
import {
  condition,
  createPod,
  deletePod,
  hasEnded,
  isActive,
  isReady,
  nextAvailable,
  podsOf,
  untilAvailable,
  withoutZeros,
} from './pods.ts'

/** So many pods are made or deleted at once. */
const burst = 500

/**
 * Makes as many pods as a ReplicaSet wants, and tells of them in its status; after pkg/controller/replicaset. It adopts no
 * pods that others made. Returns milliseconds after which there is more to tell.
 */
export function syncReplicaSet(writer: Writer, key: ObjectKey): number | undefined {
  const { store } = writer
  const set = store.get(key.resource, key) as ReplicaSet | undefined
  if (set === undefined) return undefined
  const failure = set.metadata.deletionTimestamp === undefined ? manage(writer, set) : undefined
  const pods = podsOf(store, set)
  const active = pods.filter(isActive)
  const terminating = pods.filter((pod) => !isActive(pod) && !hasEnded(pod.status?.phase)).length
  writer.change(key, (now) => withStatus(now as ReplicaSet, { active, terminating, failure }), 'status')
  if (failure !== undefined && !isNamespaceGoing(failure)) throw failure
  return nextAvailable(active, set.spec.minReadySeconds)
}

/** Creates what is missing or deletes what is too much; what the API said if it refused. */
function manage(writer: Writer, set: ReplicaSet): ApiFailure | undefined {
  const active = podsOf(writer.store, set).filter(isActive)
  const missing = Math.min(burst, set.spec.replicas - active.length)
  try {
    for (let made = 0; made < missing; made++) createPod(writer, set, set.spec.template)
    if (missing < 0) {
      for (const pod of byWorth(writer.store, active).slice(0, -missing)) deletePod(writer, set, pod)
    }
    return undefined
  } catch (error) {
    if (error instanceof ApiFailure) return error
    throw error
  }
}

function isNamespaceGoing({ details }: ApiFailure): boolean {
  return details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating') === true
}

/** Those that are missed least first: k8s.io/kubernetes/pkg/controller, ActivePodsWithRanks. */
function byWorth(store: Store, pods: readonly Pod[]): Pod[] {
  const crowd = new Map<string | undefined, number>()
  for (const { spec } of pods) crowd.set(spec.nodeName, (crowd.get(spec.nodeName) ?? 0) + 1)
  const worth = (pod: Pod): number[] => [
    store.get('nodes', { name: pod.spec.nodeName ?? '' }) === undefined ? 0 : 1,
    pod.status?.phase === 'Running' ? 1 : 0,
    isReady(pod) ? 1 : 0,
    Number(pod.metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? 0),
    -(crowd.get(pod.spec.nodeName) ?? 0),
    -Date.parse(pod.metadata.creationTimestamp ?? ''),
  ]
  return pods
    .map((pod) => ({ pod, worth: worth(pod) }))
    .sort((a, b) => a.worth.map((value, index) => value - (b.worth[index] ?? 0)).find(Boolean) ?? 0)
    .map(({ pod }) => pod)
}

interface Seen {
  readonly active: readonly Pod[]
  readonly terminating: number
  readonly failure: ApiFailure | undefined
}

function withStatus(set: ReplicaSet, { active, terminating, failure }: Seen): ReplicaSet {
  const { minReadySeconds, template, replicas } = set.spec
  const labels = Object.entries(template.metadata?.labels ?? {})
  const counts = {
    fullyLabeledReplicas: active.filter((pod) =>
      labels.every(([name, value]) => at(pod, 'metadata', 'labels', name) === value),
    ).length,
    readyReplicas: active.filter(isReady).length,
    availableReplicas: active.filter((pod) => untilAvailable(pod, minReadySeconds) === 0).length,
  }
  const conditions = failureConditions(
    set,
    failure,
    active.length < replicas ? 'FailedCreate' : 'FailedDelete',
  )
  return {
    ...set,
    status: {
      replicas: active.length,
      ...withoutZeros(counts),
      terminatingReplicas: terminating,
      observedGeneration: set.metadata.generation ?? 0,
      ...(conditions.length === 0 ? {} : { conditions }),
    },
  }
}

function failureConditions(
  { status }: ReplicaSet,
  failure: ApiFailure | undefined,
  reason: string,
): readonly Condition[] {
  const others = (status?.conditions ?? []).filter(({ type }) => type !== 'ReplicaFailure')
  if (failure === undefined) return others
  const known = condition(status?.conditions, 'ReplicaFailure')
  const { message } = failure
  return [
    ...others,
    known ?? {
      type: 'ReplicaFailure',
      status: 'True',
      lastTransitionTime: timestamp(new Date()),
      reason,
      message,
    },
  ]
}
