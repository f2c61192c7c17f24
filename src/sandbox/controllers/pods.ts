import { createHash, randomInt } from 'node:crypto'
import { isObject, type KubeObject, type OwnerReference } from '../object.ts'
import type { Store } from '../store.ts'
import type { Writer } from '../writer.ts'
import { recordEvent } from './events.ts'
import type { Pod, PodTemplate } from './kinds.ts'
import { refusal } from './refusal.ts'
import { condition } from './status.ts'

/** The letters of generated names: they make no words (k8s.io/apimachinery/pkg/util/rand). */
const letters = 'bcdfghjklmnpqrstvwxz2456789'

/** Looks as Kubernetes' hashes do. It need not be the same: theirs change from release to release. */
export function templateHash(template: PodTemplate): string {
  const sorted = (_: string, value: unknown) =>
    isObject(value) ? Object.fromEntries(Object.entries(value).sort()) : value
  const hash = createHash('sha256').update(JSON.stringify(template, sorted)).digest()
  return [...hash.subarray(0, 10)].map((byte) => letters[byte % letters.length]).join('')
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
  const all = store.list(resource, metadata.namespace)
  return all.filter((object) => controllerOf(object)?.uid === metadata.uid)
}

/** An owner's pods, the oldest first. */
export function podsOf(store: Store, owner: KubeObject): Pod[] {
  const born = ({ metadata }: KubeObject) => Date.parse(metadata.creationTimestamp ?? '')
  return (controlledBy(store, 'pods', owner) as Pod[]).sort((a, b) => born(a) - born(b))
}

export function isGoing({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined
}

export function hasEnded({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed'
}

export function isActive(pod: Pod): boolean {
  return !isGoing(pod) && !hasEnded(pod)
}

export function isReady({ status }: Pod): boolean {
  return condition(status?.conditions, 'Ready')?.status === 'True'
}

export interface Wanted {
  readonly template: PodTemplate
  readonly amount: number
  /** Those that there are, the oldest first. */
  readonly pods: readonly Pod[]
}

/** Makes an owner's missing pods of a template, or deletes what is too much: what is not ready first, then the youngest. */
export function keepPods(writer: Writer, owner: KubeObject, { template, amount, pods }: Wanted): void {
  for (let number = pods.length; number < amount; number++) createPod(writer, owner, template)
  const byWorth = [...pods.filter(isReady), ...pods.filter((pod) => !isReady(pod))]
  for (const pod of byWorth.slice(amount)) deletePod(writer, pod)
}

function createPod(writer: Writer, owner: KubeObject, { metadata, spec }: PodTemplate): void {
  const { name, namespace = '' } = owner.metadata
  const generateName = `${name.slice(0, 57)}-`
  const suffix = Array.from({ length: 5 }, () => letters[randomInt(letters.length)]).join('')
  const names = { namespace, generateName, name: generateName + suffix }
  const ownerReferences = [controllerReference(owner)]
  const failure = refusal(() =>
    writer.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...metadata, ...names, ownerReferences },
      spec,
    }),
  )
  if (failure !== undefined) {
    const message = `Error creating: ${failure.message}`
    recordEvent(writer, owner, { reason: 'FailedCreate', message, type: 'Warning' })
    throw failure
  }
  recordEvent(writer, owner, { reason: 'SuccessfulCreate', message: `Created pod: ${names.name}` })
}

export function deletePod(writer: Writer, { metadata: { namespace, name } }: Pod): void {
  writer.delete({ resource: 'pods', namespace, name })
}
