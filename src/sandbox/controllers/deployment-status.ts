import type { ApiFailure } from '../failure.ts'
import { timestamp } from '../values.ts'
import type { Condition, Deployment } from './kinds.ts'
import { limitsOf, type Rollout, sum } from './rollout.ts'
import { condition, withCondition, withoutZeros } from './status.ts'

/** Whether all pods are of the template and available, as far as the status tells. */
export function isComplete({ spec, status }: Deployment): boolean {
  const { updatedReplicas = 0, replicas = 0, availableReplicas = 0 } = status ?? {}
  return [updatedReplicas, replicas, availableReplicas].every((count) => count === spec.replicas)
}

/** The status that follows from a Deployment's ReplicaSets, and from what the API said if it refused one. */
export function statusOf(rollout: Rollout, failure: ApiFailure | undefined): object {
  const { current, old, deployment } = rollout
  const before = deployment.status?.conditions ?? []
  const sets = [...old, current]
  const availableReplicas = sum(sets.map(({ status }) => status?.availableReplicas))
  const counts = {
    replicas: sum(sets.map(({ status }) => status?.replicas)),
    updatedReplicas: current.status?.replicas ?? 0,
    readyReplicas: sum(sets.map(({ status }) => status?.readyReplicas)),
    availableReplicas,
    unavailableReplicas: Math.max(0, sum(sets.map(({ spec }) => spec.replicas)) - availableReplicas),
  }
  const counted = { ...deployment, status: { ...counts, conditions: before } }
  const broken = sets.flatMap(({ status }) => condition(status?.conditions, 'ReplicaFailure') ?? [])
  const told = [
    availability(counted),
    progress({ ...rollout, deployment: counted }, failure),
    ...broken.slice(0, 1),
  ]
  const kept = before.filter(({ type }) => type !== 'ReplicaFailure' || broken.length > 0)
  const lastUpdateTime = timestamp(new Date())
  return {
    observedGeneration: deployment.metadata.generation ?? 0,
    ...withoutZeros(counts),
    terminatingReplicas: sum(sets.map(({ status }) => status?.terminatingReplicas)),
    conditions: told.reduce<readonly Condition[]>(
      (all, one) => withCondition(all, { ...one, lastUpdateTime }),
      kept,
    ),
  }
}

function availability(deployment: Deployment): Condition {
  const least = deployment.spec.replicas - limitsOf(deployment).unavailable
  const [status, reason, verb] =
    (deployment.status?.availableReplicas ?? 0) >= least
      ? (['True', 'MinimumReplicasAvailable', 'has'] as const)
      : (['False', 'MinimumReplicasUnavailable', 'does not have'] as const)
  return { type: 'Available', status, reason, message: `Deployment ${verb} minimum availability.` }
}

function progress({ deployment, current }: Rollout, failure: ApiFailure | undefined): Condition {
  const { spec, status } = deployment
  const set = `replica set "${current.metadata.name}"`
  const is = (status: string, reason: string, message: string) => {
    return { type: 'Progressing', status, reason, message }
  }
  if (spec.paused === true) return is('Unknown', 'DeploymentPaused', 'Deployment is paused')
  if (failure !== undefined) {
    return is('False', 'ReplicaSetCreateError', `Failed to create new ${set}: ${failure.message}`)
  }
  const name = `ReplicaSet "${current.metadata.name}"`
  // One that is only scaled has no rollout.
  const isScaled =
    condition(status?.conditions, 'Progressing')?.reason === 'NewReplicaSetAvailable' &&
    status?.replicas === status?.updatedReplicas
  return isScaled || isComplete(deployment)
    ? is('True', 'NewReplicaSetAvailable', `${name} has successfully progressed.`)
    : is('True', 'ReplicaSetUpdated', `${name} is progressing.`)
}
