import type { Store } from '../store.ts'
import type { ObjectKey, Writer } from '../writer.ts'
import { adoptRevision, createSet, rolloutOf, scaleSet, setsKey } from './deployment-sets.ts'
import { isComplete, pausedConditions, progressAfter, withRolloutStatus } from './deployment-status.ts'
import type { Deployment, ReplicaSet } from './kinds.ts'
import { hasEnded, podsOf } from './pods.ts'
import { isWanted, type Rollout, rollingStep, type Scaling, scalePaused } from './rollout.ts'

/**
 * Takes a Deployment one step further: its ReplicaSets are created and scaled as its strategy wants it, its status
 * tells how far it is; after k8s.io/kubernetes/pkg/controller/deployment. Each step leads to changes for which it is
 * called again. Returns milliseconds after which there is more to tell.
 */
export function syncDeployment(writer: Writer, key: ObjectKey): number | undefined {
  const { store } = writer
  const found = store.get(key.resource, key)
  if (found === undefined) return undefined
  try {
    if (found.metadata.deletionTimestamp === undefined) carryOut(writer, key)
  } finally {
    const now = rolloutOf(store, key)
    if (now !== undefined) {
      writer.change(
        key,
        (object) => withRolloutStatus({ ...now, deployment: object as Deployment }),
        'status',
      )
    }
  }
  return progressAfter(store.get(key.resource, key) as Deployment)
}

function carryOut(writer: Writer, key: ObjectKey): void {
  writer.change(key, (now) => pausedConditions(now as Deployment), 'status')
  const rollout = rolloutOf(writer.store, key)
  if (rollout === undefined) return
  const isPaused = rollout.deployment.spec.paused === true
  if (isPaused) {
    adoptRevision(writer, key, rollout)
    scale(writer, rollout.deployment, scalePaused(rollout))
  } else if (rollout.deployment.spec.strategy.type === 'Recreate') {
    recreate(writer, key, rollout)
  } else {
    const current = adoptRevision(writer, key, rollout) ?? createSet(writer, key, rollout)
    scale(writer, rollout.deployment, rollingStep({ ...rollout, current }))
  }
  if (isPaused || isComplete(rollout.deployment)) forgetOld(writer, rollout)
}

/** Everything old ends before anything new begins. */
function recreate(writer: Writer, key: ObjectKey, rollout: Rollout): void {
  const { deployment, old } = rollout
  const ending = old.filter(isWanted).map((set) => ({ set, replicas: 0 }))
  scale(writer, deployment, ending)
  const adopted = adoptRevision(writer, key, rollout)
  if (ending.length > 0 || old.some((set) => hasPods(writer.store, set))) return
  const set = adopted ?? createSet(writer, key, rollout)
  if (set.spec.replicas !== deployment.spec.replicas) {
    scale(writer, deployment, [{ set, replicas: deployment.spec.replicas }])
  }
}

function hasPods(store: Store, set: ReplicaSet): boolean {
  return podsOf(store, set).some(({ status }) => !hasEnded(status?.phase))
}

function scale(writer: Writer, deployment: Deployment, scalings: readonly Scaling[]): void {
  for (const scaling of scalings) scaleSet(writer, deployment, scaling)
}

/** Removes the oldest ReplicaSets beyond what is kept to roll back to. */
function forgetOld(writer: Writer, { deployment, old }: Rollout): void {
  const { revisionHistoryLimit } = deployment.spec
  if (revisionHistoryLimit === undefined) return
  const alive = old.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  for (const { metadata, spec, status } of alive.slice(0, Math.max(0, alive.length - revisionHistoryLimit))) {
    const isSettled = status?.observedGeneration === metadata.generation
    if (spec.replicas > 0 || status?.replicas !== 0 || !isSettled) continue
    writer.delete({ resource: setsKey, namespace: metadata.namespace, name: metadata.name })
  }
}
