import { randomInt } from 'node:crypto'
import { ApiFailure } from '../failure.ts'
import type { KubeObject, OwnerReference } from '../object.ts'
import type { Store } from '../store.ts'
import type { Writer } from '../writer.ts'
import { recordEvent } from './events.ts'
import type { Condition, Pod, PodTemplate } from './kinds.ts'

export const podsKey = 'pods'

/** The letters of generated names: they make no words (k8s.io/apimachinery/pkg/util/rand). */
const letters = 'bcdfghjklmnpqrstvwxz2456789'

/** Digits as those letters, as Kubernetes writes hashes. */
export function safeEncode(text: string): string {
  return [...text].map((character) => letters[character.charCodeAt(0) % letters.length]).join('')
}

function randomSuffix(): string {
  return Array.from({ length: 5 }, () => letters[randomInt(letters.length)]).join('')
}

export function controllerOf({ metadata }: KubeObject): OwnerReference | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller === true)
}

export function controllerReference({ apiVersion, kind, metadata }: KubeObject): OwnerReference {
  const { name, uid = '' } = metadata
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }
}

/** The objects of a resource that are controlled by an object. */
export function controlledBy(store: Store, resource: string, { metadata }: KubeObject): KubeObject[] {
  return store
    .list(resource, metadata.namespace)
    .filter((object) => controllerOf(object)?.uid === metadata.uid)
}

export function podsOf(store: Store, owner: KubeObject): Pod[] {
  return controlledBy(store, podsKey, owner) as Pod[]
}

export function isActive({ metadata, status }: Pod): boolean {
  return metadata.deletionTimestamp === undefined && !hasEnded(status?.phase)
}

export function hasEnded(phase: string | undefined): boolean {
  return phase === 'Succeeded' || phase === 'Failed'
}

export function condition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((each) => each.type === type)
}

export function isReady({ status }: Pod): boolean {
  return condition(status?.conditions, 'Ready')?.status === 'True'
}

/** Milliseconds until a pod that stays ready counts as available: 0 if it does, Infinity if it is not ready. */
export function untilAvailable(pod: Pod, minReadySeconds = 0): number {
  const ready = condition(pod.status?.conditions, 'Ready')
  if (ready?.status !== 'True') return Number.POSITIVE_INFINITY
  if (minReadySeconds === 0) return 0
  return Math.max(0, Date.parse(ready.lastTransitionTime ?? '') + minReadySeconds * 1000 - Date.now())
}

/** The shortest time until one more of these pods is available; undefined if none is about to be. */
export function nextAvailable(pods: readonly Pod[], minReadySeconds?: number): number | undefined {
  const times = pods.map((pod) => untilAvailable(pod, minReadySeconds))
  const next = Math.min(...times.filter((time) => time > 0))
  return Number.isFinite(next) ? next : undefined
}

/** Makes a pod of a template, and tells of it in an event of the owner. */
export function createPod(writer: Writer, owner: KubeObject, template: PodTemplate): void {
  const generateName = `${owner.metadata.name.slice(0, 57)}-`
  const { namespace } = owner.metadata
  const metadata = {
    ...template.metadata,
    ...(namespace === undefined ? {} : { namespace }),
    generateName,
    name: generateName + randomSuffix(),
    ownerReferences: [controllerReference(owner)],
  }
  try {
    const pod = writer.create({ apiVersion: 'v1', kind: 'Pod', metadata, spec: template.spec })
    recordEvent(writer, owner, { reason: 'SuccessfulCreate', message: `Created pod: ${pod.metadata.name}` })
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error
    const message = `Error creating: ${error.message}`
    recordEvent(writer, owner, { reason: 'FailedCreate', message, type: 'Warning' })
    throw error
  }
}

export function deletePod(writer: Writer, owner: KubeObject, { metadata }: Pod): void {
  writer.delete({ resource: podsKey, namespace: metadata.namespace, name: metadata.name })
  recordEvent(writer, owner, { reason: 'SuccessfulDelete', message: `Deleted pod: ${metadata.name}` })
}

/** Counts as Go's `omitempty` leaves them: without those that are zero. */
export function withoutZeros(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0))
}
