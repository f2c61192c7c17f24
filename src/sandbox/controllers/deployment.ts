import type { KubeObject } from '../object.ts'
import type { Store } from '../store.ts'
import type { ObjectKey, Writer } from '../writer.ts'
import { isComplete, statusOf } from './deployment-status.ts'
import { recordEvent } from './events.ts'
import type { Deployment, ReplicaSet } from './kinds.ts'
import { controlledBy, controllerReference, hasEnded, isGoing, podsOf, templateHash } from './pods.ts'
import { refusal } from './refusal.ts'
import { desiredReplicas, limitsOf, pausedStep, type Rollout, rollingStep, type Scaling } from './rollout.ts'

const setsKey = 'replicasets.apps'
const hashLabel = 'pod-template-hash'
const revisionKey = 'deployment.kubernetes.io/revision'
const historyKey = 'deployment.kubernetes.io/revision-history'
const maxReplicas = 'deployment.kubernetes.io/max-replicas'
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'
/** Annotations of a Deployment that its ReplicaSets do not get. */
const ownAnnotations = [lastApplied, revisionKey, historyKey, desiredReplicas, maxReplicas]

/**
 * Takes a Deployment one step further: its ReplicaSets are created and scaled as its strategy wants it, its status
 * tells how far it is; after k8s.io/kubernetes/pkg/controller/deployment. Each step leads to changes for which it is
 * called again.
 */
export function syncDeployment(writer: Writer, key: ObjectKey): void {
  const { store } = writer
  const deployment = store.get(key.resource, key) as Deployment | undefined
  if (deployment === undefined || isGoing(deployment)) return
  const rollout = rolloutOf(store, deployment)
  const failure = refusal(() => {
    for (const scaling of nextStep(store, rollout)) putSet(writer, rollout, scaling)
    forgetOld(writer, rollout)
  })
  const now = rolloutOf(store, deployment)
  const status = statusOf(now, failure)
  // With the status, so that the revision counts as no change of what is wanted.
  const revision = now.current.metadata.annotations?.[revisionKey]
  const told = revision === undefined ? {} : { [revisionKey]: revision }
  const annotated = ({ metadata }: KubeObject) => ({
    ...metadata,
    annotations: { ...metadata.annotations, ...told },
  })
  writer.change(key, (object) => ({ ...object, metadata: annotated(object), status }), 'status')
  if (failure !== undefined) throw failure
}

function rolloutOf(store: Store, deployment: Deployment): Rollout {
  const hash = templateHash(deployment.spec.template)
  const sets = controlledBy(store, setsKey, deployment) as ReplicaSet[]
  const current = sets.find(({ metadata }) => metadata.labels?.[hashLabel] === hash)
  const old = sets.filter((set) => set !== current).sort((a, b) => revisionOf(a) - revisionOf(b))
  return { deployment, current: current ?? newSet(deployment, hash), old }
}

function revisionOf({ metadata }: ReplicaSet): number {
  return Number(metadata.annotations?.[revisionKey] ?? 0)
}

/** The ReplicaSet of a Deployment's template, to be created. */
function newSet(deployment: Deployment, hash: string): ReplicaSet {
  const { template, selector } = deployment.spec
  const { name, namespace = '' } = deployment.metadata
  const labels = { ...template.metadata?.labels, [hashLabel]: hash }
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      ...{ name: `${name.slice(0, 252 - hash.length)}-${hash}`, namespace, labels },
      ownerReferences: [controllerReference(deployment)],
    },
    spec: {
      replicas: 0,
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [hashLabel]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  }
}

function isCreated({ metadata }: ReplicaSet): boolean {
  return metadata.uid !== undefined
}

function nextStep(store: Store, rollout: Rollout): Scaling[] {
  const { deployment, current, old } = rollout
  const { paused, strategy, replicas } = deployment.spec
  if (paused === true) return pausedStep(deployment, [...old, current].filter(isCreated))
  if (strategy.type !== 'Recreate') return rollingStep(rollout)
  // Everything old ends before anything new begins.
  const isOldGone = old.every((set) => podsOf(store, set).every(hasEnded))
  const ending = old.map((set) => ({ set, replicas: 0 }))
  return isOldGone ? [...ending, { set: current, replicas }] : ending
}

/** Writes a ReplicaSet as it is to be. That of the template is the latest revision: it may be an old one that is wanted again. */
function putSet(writer: Writer, { deployment, current, old }: Rollout, { set, replicas }: Scaling): void {
  const { spec } = deployment
  const { name, namespace } = set.metadata
  const annotations = {
    ...set.metadata.annotations,
    ...(set === current ? { ...inherited(deployment), ...nextRevision(set, old) } : {}),
    [desiredReplicas]: String(spec.replicas),
    [maxReplicas]: String(spec.replicas + limitsOf(deployment).surge),
  }
  const wanted = {
    ...set,
    metadata: { ...set.metadata, annotations },
    spec: { ...set.spec, replicas },
  }
  if (isCreated(set)) writer.change({ resource: setsKey, namespace, name }, () => wanted)
  else writer.create(wanted)
  if (set.spec.replicas === replicas) return
  const change = `from ${set.spec.replicas} to ${replicas}`
  const message = `Scaled ${set.spec.replicas < replicas ? 'up' : 'down'} replica set ${name} ${change}`
  recordEvent(writer, deployment, { reason: 'ScalingReplicaSet', message })
}

function inherited({ metadata }: Deployment): Record<string, string> {
  const all = Object.entries(metadata.annotations ?? {})
  return Object.fromEntries(all.filter(([name]) => !ownAnnotations.includes(name)))
}

function nextRevision(set: ReplicaSet, old: readonly ReplicaSet[]): Record<string, string> {
  const next = Math.max(0, ...old.map(revisionOf)) + 1
  const known = set.metadata.annotations?.[revisionKey]
  if (known === undefined) return { [revisionKey]: String(next) }
  if (Number(known) >= next) return {}
  const history = set.metadata.annotations?.[historyKey]
  return { [revisionKey]: String(next), [historyKey]: history === undefined ? known : `${history},${known}` }
}

/** Removes the oldest ReplicaSets beyond what is kept to roll back to. */
function forgetOld(writer: Writer, { deployment, old }: Rollout): void {
  const { spec, status, metadata } = deployment
  const isObserved = status?.observedGeneration === metadata.generation
  if (spec.paused !== true && !(isObserved && isComplete(deployment))) return
  const tooMany = Math.max(0, old.length - (spec.revisionHistoryLimit ?? old.length))
  for (const { spec, status, metadata } of old.slice(0, tooMany)) {
    if (spec.replicas > 0 || status?.replicas !== 0) continue
    writer.delete({ resource: setsKey, namespace: metadata.namespace, name: metadata.name })
  }
}
