import type { ApiFailure } from '../failure.ts'
import type { ObjectKey, Writer } from '../writer.ts'
import type { Pod, ReplicaSet } from './kinds.ts'
import { hasEnded, isActive, isGoing, isReady, keepPods, podsOf } from './pods.ts'
import { refusal } from './refusal.ts'
import { withCondition, withoutZeros } from './status.ts'

/**
 * Makes as many pods as a ReplicaSet wants, and tells of them in its status; after pkg/controller/replicaset. It adopts no
 * pods that others made.
 */
export function syncReplicaSet(writer: Writer, key: ObjectKey): void {
  const set = writer.store.get(key.resource, key) as ReplicaSet | undefined
  if (set === undefined || isGoing(set)) return
  const { template, replicas: amount } = set.spec
  const pods = podsOf(writer.store, set).filter(isActive)
  const failure = refusal(() => keepPods(writer, set, { template, amount, pods }))
  const status = statusOf(set, podsOf(writer.store, set), failure)
  writer.change(key, (now) => ({ ...now, status }), 'status')
  if (failure !== undefined) throw failure
}

function statusOf(
  { spec, status, metadata }: ReplicaSet,
  pods: readonly Pod[],
  failure?: ApiFailure,
): object {
  const active = pods.filter(isActive)
  const labels = Object.entries(spec.template.metadata?.labels ?? {})
  const isLabeled = (pod: Pod) => labels.every(([name, value]) => pod.metadata.labels?.[name] === value)
  const ready = active.filter(isReady).length
  const failed = { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate' }
  const conditions =
    failure === undefined
      ? status?.conditions?.filter(({ type }) => type !== failed.type)
      : withCondition(status?.conditions, { ...failed, message: failure.message })
  return {
    replicas: active.length,
    ...withoutZeros({
      fullyLabeledReplicas: active.filter(isLabeled).length,
      readyReplicas: ready,
      availableReplicas: ready,
    }),
    terminatingReplicas: pods.filter((pod) => isGoing(pod) && !hasEnded(pod)).length,
    observedGeneration: metadata.generation ?? 0,
    ...(conditions?.length ? { conditions } : {}),
  }
}
