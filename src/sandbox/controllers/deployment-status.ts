import { timestamp } from '../values.ts'
import type { Condition, Deployment, DeploymentStatus, ReplicaSet } from './kinds.ts'
import { condition, withoutZeros } from './pods.ts'
import { countPods, limitsOf, type Rollout, wantedPods } from './rollout.ts'

type NewCondition = Omit<Condition, 'lastTransitionTime' | 'lastUpdateTime'>

/** Whether all pods are of the template and available, as far as the status tells. */
export function isComplete({ spec, status, metadata }: Deployment): boolean {
  const { updatedReplicas = 0, replicas = 0, availableReplicas = 0, observedGeneration = 0 } = status ?? {}
  const isObserved = observedGeneration >= (metadata.generation ?? 0)
  return (
    isObserved && [updatedReplicas, replicas, availableReplicas].every((count) => count === spec.replicas)
  )
}

/** Sets a condition, unless its status and reason are what they were. */
export function withCondition(deployment: Deployment, wanted: NewCondition): Deployment {
  const conditions = deployment.status?.conditions ?? []
  const known = condition(conditions, wanted.type)
  if (known?.status === wanted.status && known.reason === wanted.reason) return deployment
  const now = timestamp(new Date())
  const lastTransitionTime = known?.status === wanted.status ? (known.lastTransitionTime ?? now) : now
  const others = conditions.filter(({ type }) => type !== wanted.type)
  const set = { ...wanted, lastUpdateTime: now, lastTransitionTime }
  return { ...deployment, status: { ...deployment.status, conditions: [...others, set] } }
}

function withoutCondition(deployment: Deployment, unwanted: string): Deployment {
  const conditions = (deployment.status?.conditions ?? []).filter(({ type }) => type !== unwanted)
  return { ...deployment, status: { ...deployment.status, conditions } }
}

/** A Deployment that was paused or resumed says so: while it is paused its time does not run out. */
export function pausedConditions(deployment: Deployment): Deployment {
  const { progressDeadlineSeconds, paused = false } = deployment.spec
  const reason = condition(deployment.status?.conditions, 'Progressing')?.reason
  if (progressDeadlineSeconds === undefined || reason === 'ProgressDeadlineExceeded') return deployment
  if (paused === (reason === 'DeploymentPaused')) return deployment
  return withCondition(deployment, {
    type: 'Progressing',
    status: 'Unknown',
    reason: paused ? 'DeploymentPaused' : 'DeploymentResumed',
    message: paused ? 'Deployment is paused' : 'Deployment is resumed',
  })
}

/** A Deployment with the status that follows from its ReplicaSets. */
export function withRolloutStatus(rollout: Rollout): Deployment {
  const { deployment } = rollout
  const counted = withAvailability({ ...deployment, status: countsOf(rollout) })
  const isEstimated = deployment.spec.paused !== true && deployment.metadata.deletionTimestamp === undefined
  return withReplicaFailure(isEstimated ? withProgress(counted, rollout) : counted, rollout)
}

function countsOf({ deployment, current, old }: Rollout): DeploymentStatus {
  const mine = current === undefined ? [] : [current]
  const sets = [...old, ...mine]
  const { conditions = [] } = deployment.status ?? {}
  const availableReplicas = countPods(sets, 'availableReplicas')
  const counts = {
    replicas: countPods(sets, 'replicas'),
    updatedReplicas: countPods(mine, 'replicas'),
    readyReplicas: countPods(sets, 'readyReplicas'),
    availableReplicas,
    unavailableReplicas: Math.max(0, wantedPods(sets) - availableReplicas),
  }
  return {
    observedGeneration: deployment.metadata.generation ?? 0,
    ...withoutZeros(counts),
    terminatingReplicas: countPods(sets, 'terminatingReplicas'),
    conditions,
  }
}

function withAvailability(deployment: Deployment): Deployment {
  const least = deployment.spec.replicas - limitsOf(deployment).unavailable
  const isAvailable = (deployment.status?.availableReplicas ?? 0) >= least
  return withCondition(deployment, {
    type: 'Available',
    status: isAvailable ? 'True' : 'False',
    reason: isAvailable ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
    message: `Deployment ${isAvailable ? 'has' : 'does not have'} minimum availability.`,
  })
}

/** `deployment.status` is the new one already, `before` is the rollout as it was known. */
function withProgress(deployment: Deployment, { deployment: before, current }: Rollout): Deployment {
  if (deployment.spec.progressDeadlineSeconds === undefined)
    return withoutCondition(deployment, 'Progressing')
  const { replicas = 0, updatedReplicas = 0, conditions } = deployment.status ?? {}
  const known = condition(conditions, 'Progressing')
  if (known?.reason === 'NewReplicaSetAvailable' && replicas === updatedReplicas) return deployment
  const name =
    current === undefined ? `Deployment "${before.metadata.name}"` : `ReplicaSet "${current.metadata.name}"`
  const is = (status: string, reason: string, did: string) =>
    ({ type: 'Progressing', status, reason, message: `${name} ${did}.` }) as const
  if (isComplete(deployment)) {
    return withCondition(deployment, is('True', 'NewReplicaSetAvailable', 'has successfully progressed'))
  }
  if (hasProgressed(before.status ?? {}, deployment.status ?? {})) {
    return renewed(deployment, is('True', 'ReplicaSetUpdated', 'is progressing'))
  }
  if (!isOverdue(deployment)) return deployment
  return withCondition(deployment, is('False', 'ProgressDeadlineExceeded', 'has timed out progressing'))
}

function hasProgressed(before: DeploymentStatus, now: DeploymentStatus): boolean {
  const { replicas = 0, updatedReplicas = 0, readyReplicas = 0, availableReplicas = 0 } = now
  const oldPods = (before.replicas ?? 0) - (before.updatedReplicas ?? 0)
  return (
    updatedReplicas > (before.updatedReplicas ?? 0) ||
    replicas - updatedReplicas < oldPods ||
    readyReplicas > (before.readyReplicas ?? 0) ||
    availableReplicas > (before.availableReplicas ?? 0)
  )
}

/** Progress is told anew each time, because its deadline counts from there. */
function renewed(deployment: Deployment, wanted: NewCondition): Deployment {
  const known = condition(deployment.status?.conditions, wanted.type)
  const again = withCondition(withoutCondition(deployment, wanted.type), wanted)
  if (known?.status !== wanted.status) return again
  const conditions = again.status?.conditions?.map((each) =>
    each.type === wanted.type
      ? { ...each, lastTransitionTime: known.lastTransitionTime ?? timestamp(new Date()) }
      : each,
  )
  return { ...again, status: { ...again.status, conditions: conditions ?? [] } }
}

/** Milliseconds until a rollout that does not progress has failed; undefined if it is over or has no deadline. */
export function progressAfter(deployment: Deployment | undefined): number | undefined {
  if (deployment === undefined || deployment.spec.paused === true || isComplete(deployment)) return undefined
  const { progressDeadlineSeconds } = deployment.spec
  const known = condition(deployment.status?.conditions, 'Progressing')
  const isOver = known?.reason === 'ProgressDeadlineExceeded' || known?.reason === 'NewReplicaSetAvailable'
  if (progressDeadlineSeconds === undefined || known === undefined || isOver) return undefined
  // The time of a condition has whole seconds.
  const until = Date.parse(known.lastUpdateTime ?? '') + (progressDeadlineSeconds + 1) * 1000
  return Math.max(0, until - Date.now())
}

function isOverdue(deployment: Deployment): boolean {
  return progressAfter(deployment) === 0
}

function withReplicaFailure(deployment: Deployment, { current, old }: Rollout): Deployment {
  const failureOf = (set: ReplicaSet | undefined) => condition(set?.status?.conditions, 'ReplicaFailure')
  const failure = failureOf(current) ?? old.map(failureOf).find((found) => found !== undefined)
  if (failure === undefined) return withoutCondition(deployment, 'ReplicaFailure')
  return withCondition(deployment, failure)
}
