import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { ApiFailure } from '../failure.ts'
import type { KubeObject } from '../object.ts'
import type { Store } from '../store.ts'
import type { ObjectKey, Writer } from '../writer.ts'
import { withCondition } from './deployment-status.ts'
import { recordEvent } from './events.ts'
import type { Deployment, PodTemplate, ReplicaSet } from './kinds.ts'
import { controlledBy, controllerReference, safeEncode } from './pods.ts'
import { firstReplicas, limitsOf, type Rollout, type Scaling } from './rollout.ts'

export const setsKey = 'replicasets.apps'
const hashLabel = 'pod-template-hash'
const revisionKey = 'deployment.kubernetes.io/revision'
const desiredReplicas = 'deployment.kubernetes.io/desired-replicas'
const maxReplicas = 'deployment.kubernetes.io/max-replicas'
const historyKey = 'deployment.kubernetes.io/revision-history'
/** Annotations of a Deployment that its ReplicaSets do not get. */
const ownAnnotations = [
  'kubectl.kubernetes.io/last-applied-configuration',
  'deprecated.deployment.rollback.to',
  ...[revisionKey, historyKey, desiredReplicas, maxReplicas],
]

/** A Deployment with its ReplicaSets as they are now. */
export function rolloutOf(store: Store, key: ObjectKey): Rollout | undefined {
  const deployment = store.get(key.resource, key) as Deployment | undefined
  if (deployment === undefined) return undefined
  const sets = controlledBy(store, setsKey, deployment) as ReplicaSet[]
  sets.sort((a, b) => revisionOf(a) - revisionOf(b))
  const current = sets.find(({ spec }) => isSameTemplate(spec.template, deployment.spec.template))
  return { deployment, current, old: sets.filter((set) => set !== current) }
}

function revisionOf({ metadata }: ReplicaSet): number {
  return Number(metadata.annotations?.[revisionKey] ?? 0)
}

function nextRevision(old: readonly ReplicaSet[]): number {
  return Math.max(0, ...old.map(revisionOf)) + 1
}

function isSameTemplate(one: PodTemplate, other: PodTemplate): boolean {
  return isDeepStrictEqual(withoutHash(one), withoutHash(other))
}

function withoutHash(template: PodTemplate): PodTemplate {
  const { [hashLabel]: _, ...labels } = template.metadata?.labels ?? {}
  return { ...template, metadata: { ...template.metadata, labels } }
}

/** Makes the ReplicaSet of the template the latest revision: it may be an old one that is wanted again. */
export function adoptRevision(writer: Writer, key: ObjectKey, rollout: Rollout): ReplicaSet | undefined {
  const { deployment, current, old } = rollout
  if (current === undefined) return undefined
  const { name, namespace } = current.metadata
  const { minReadySeconds } = deployment.spec
  const adopted = writer.change({ resource: setsKey, namespace, name }, (object) => {
    const set = object as ReplicaSet
    const added = { ...inherited(deployment), ...revisionAnnotations(set, nextRevision(old)) }
    return {
      ...set,
      metadata: { ...set.metadata, annotations: { ...set.metadata.annotations, ...added } },
      spec: { ...set.spec, ...(minReadySeconds === undefined ? {} : { minReadySeconds }) },
    }
  }) as ReplicaSet | undefined
  if (adopted !== undefined) tellRevision(writer, key, revisionOf(adopted))
  return adopted
}

function revisionAnnotations(set: ReplicaSet, next: number): Record<string, string> {
  const known = set.metadata.annotations?.[revisionKey]
  if (Number(known ?? 0) >= next) return {}
  if (known === undefined) return { [revisionKey]: String(next) }
  const history = set.metadata.annotations?.[historyKey]
  return { [revisionKey]: String(next), [historyKey]: history === undefined ? known : `${history},${known}` }
}

/** With the status, so that it counts as no change of what is wanted. */
function tellRevision(writer: Writer, key: ObjectKey, revision: number): void {
  const told = (object: KubeObject) => {
    const annotations = { ...object.metadata.annotations, [revisionKey]: String(revision) }
    return { ...object, metadata: { ...object.metadata, annotations } }
  }
  writer.change(key, told, 'status')
}

function inherited({ metadata }: Deployment): Record<string, string> {
  const all = Object.entries(metadata.annotations ?? {})
  return Object.fromEntries(all.filter(([name]) => !ownAnnotations.includes(name)))
}

/** Makes the ReplicaSet of a Deployment's template. */
export function createSet(writer: Writer, key: ObjectKey, { deployment, old }: Rollout): ReplicaSet {
  const revision = nextRevision(old)
  const set = newSet(deployment, { replicas: firstReplicas(deployment, old, 0), revision })
  try {
    const created = writer.create(set) as ReplicaSet
    tellScaled(writer, deployment, { name: set.metadata.name, from: 0, to: set.spec.replicas })
    tellRevision(writer, key, revision)
    const message = `Created new replica set "${set.metadata.name}"`
    tellProgress(writer, key, { status: 'True', reason: 'NewReplicaSetCreated', message })
    return created
  } catch (error) {
    if (error instanceof ApiFailure) tellFailure(writer, key, { set, failure: error })
    throw error
  }
}

function newSet(
  deployment: Deployment,
  { replicas, revision }: { replicas: number; revision: number },
): ReplicaSet {
  const { template, selector, minReadySeconds } = deployment.spec
  const { name, namespace } = deployment.metadata
  const hash = templateHash(template)
  const labels = { ...template.metadata?.labels, [hashLabel]: hash }
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${name.slice(0, 252 - hash.length)}-${hash}`,
      ...(namespace === undefined ? {} : { namespace }),
      labels,
      annotations: { ...inherited(deployment), ...sizes(deployment), [revisionKey]: String(revision) },
      ownerReferences: [controllerReference(deployment)],
    },
    spec: {
      replicas,
      ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [hashLabel]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  }
}

/** Looks as Kubernetes' hashes do. It need not be the same: theirs change from release to release. */
export function templateHash(template: PodTemplate): string {
  const hash = createHash('sha256').update(JSON.stringify(template)).digest().readUInt32BE()
  return safeEncode(String(hash).padStart(10, '0'))
}

function sizes(deployment: Deployment): Record<string, string> {
  const { replicas } = deployment.spec
  return { [desiredReplicas]: String(replicas), [maxReplicas]: String(replicas + limitsOf(deployment).surge) }
}

export function scaleSet(writer: Writer, deployment: Deployment, { set, replicas }: Scaling): void {
  const { namespace, name } = set.metadata
  writer.change({ resource: setsKey, namespace, name }, (object) => {
    const now = object as ReplicaSet
    const annotations = { ...now.metadata.annotations, ...sizes(deployment) }
    return { ...now, metadata: { ...now.metadata, annotations }, spec: { ...now.spec, replicas } }
  })
  tellScaled(writer, deployment, { name, from: set.spec.replicas, to: replicas })
}

interface Scaled {
  readonly name: string
  readonly from: number
  readonly to: number
}

function tellScaled(writer: Writer, deployment: Deployment, { name, from, to }: Scaled): void {
  if (from === to) return
  const message = `Scaled ${from < to ? 'up' : 'down'} replica set ${name} from ${from} to ${to}`
  recordEvent(writer, deployment, { reason: 'ScalingReplicaSet', message })
}

interface Progress {
  readonly status: 'True' | 'False'
  readonly reason: string
  readonly message: string
}

function tellProgress(writer: Writer, key: ObjectKey, progress: Progress): void {
  writer.change(
    key,
    (object) => withCondition(object as Deployment, { type: 'Progressing', ...progress }),
    'status',
  )
}

function tellFailure(
  writer: Writer,
  key: ObjectKey,
  { set, failure }: { set: ReplicaSet; failure: ApiFailure },
): void {
  const reason = 'ReplicaSetCreateError'
  const message = `Failed to create new replica set "${set.metadata.name}": ${failure.message}`
  tellProgress(writer, key, { status: 'False', reason, message })
  const deployment = writer.store.get(key.resource, key)
  if (deployment !== undefined) recordEvent(writer, deployment, { reason, message, type: 'Warning' })
}
