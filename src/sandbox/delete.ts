import type { Context } from './context.ts'
import { crdKey } from './crd.ts'
import { conflict, forbidden } from './failure.ts'
import { at, isObject, type KubeObject } from './object.ts'
import { inVersion, type ResourceType, storedVersion } from './resource.ts'
import type { NamedTarget } from './route.ts'
import { count, text, timestamp } from './values.ts'
import { find, isHeld } from './write.ts'

/** DeleteOptions, as far as they are heeded. */
export interface DeleteOptions {
  readonly gracePeriodSeconds?: number | undefined
  readonly propagationPolicy?: string | undefined
  readonly uid?: string | undefined
  readonly resourceVersion?: string | undefined
  readonly dryRun: boolean
}

/** What became of a deletion: whether the object is gone at once, or only marked. */
export interface Deleted {
  readonly object: KubeObject
  readonly gone: boolean
}

const immortal = ['default', 'kube-system', 'kube-public']

/** Kinds whose dependents stay when nothing is said about them, for the sake of old clients. */
const orphaning = ['replicationcontrollers', 'jobs.batch']

/** Deletes as a DELETE request does: at once, or by a mark when finalizers, a grace period or contents hold the object. */
export function deleteObject(context: Context, target: NamedTarget, options: DeleteOptions): Deleted {
  const { type } = target
  const live = find(context, target)
  checkPreconditions(type, live, options)
  if (type.key === 'namespaces' && immortal.includes(live.metadata.name)) {
    throw forbidden(type.info, live.metadata.name, 'this namespace may not be deleted')
  }
  const marked = mark(context, type, { live, options })
  const gone = !isHeld(type, marked)
  if (gone && !options.dryRun) context.store.remove(type.key, live.metadata)
  if (gone || options.dryRun || marked === live) return { object: marked, gone }
  const stored = context.store.put(type.key, inVersion(marked, storedVersion(type)))
  return { object: inVersion(stored, type.apiVersion), gone }
}

function checkPreconditions({ info }: ResourceType, { metadata }: KubeObject, options: DeleteOptions): void {
  const named = { group: '', plural: info.group === '' ? info.kind : `${info.kind}.${info.group}` }
  const { uid, resourceVersion } = options
  if (uid !== undefined && uid !== metadata.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`
    throw conflict(named, metadata.name, why)
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`
    throw conflict(named, metadata.name, why)
  }
}

interface Deletion {
  readonly live: KubeObject
  readonly options: DeleteOptions
}

/** The object as its deletion marks it: the object itself when there is nothing to add. */
function mark(context: Context, type: ResourceType, deletion: Deletion): KubeObject {
  const { live } = deletion
  const finalizers = finalizersOf(type, deletion)
  const kept = live.metadata.finalizers ?? []
  const same = finalizers.length === kept.length && finalizers.every((name) => kept.includes(name))
  const object = same ? live : { ...live, metadata: { ...live.metadata, finalizers } }
  return live.metadata.deletionTimestamp === undefined
    ? begin(context, type, { ...deletion, live: object })
    : shorten(type, { ...deletion, live: object })
}

/** Garbage collection is asked for by finalizers. */
function finalizersOf({ key }: ResourceType, { live, options }: Deletion): readonly string[] {
  const { finalizers = [], deletionTimestamp } = live.metadata
  const byDefault = orphaning.includes(key) && deletionTimestamp === undefined ? 'Orphan' : undefined
  const policy = options.propagationPolicy ?? byDefault
  const others = finalizers.filter((name) => name !== 'orphan' && name !== 'foregroundDeletion')
  const held = key === crdKey ? [...new Set([...others, crdFinalizer])] : others
  if (policy === 'Orphan') return [...held, 'orphan']
  if (policy === 'Foreground') return [...held, 'foregroundDeletion']
  return policy === undefined ? [...new Set([...finalizers, ...held])] : held
}

/** Holds a CRD until its objects are gone. */
export const crdFinalizer = 'customresourcecleanup.apiextensions.k8s.io'

function begin({ now }: Context, type: ResourceType, { live, options }: Deletion): KubeObject {
  const grace = type.key === 'pods' ? graceOf(live, options) : 0
  const { generation } = live.metadata
  const hasOwnEnd = type.key === 'namespaces' || type.key === crdKey
  const marked = {
    ...live,
    metadata: {
      ...live.metadata,
      deletionTimestamp: timestamp(new Date(now().getTime() + grace * 1000)),
      ...(hasOwnEnd ? {} : { deletionGracePeriodSeconds: grace }),
      ...(hasOwnEnd || generation === undefined ? {} : { generation: generation + 1 }),
    },
  }
  if (type.key !== 'namespaces') return marked
  return { ...marked, status: { ...(isObject(live.status) ? live.status : {}), phase: 'Terminating' } }
}

/** How long a pod may take to end: no time when it runs nowhere or has ended. */
function graceOf(pod: KubeObject, { gracePeriodSeconds }: DeleteOptions): number {
  const ended = ['Succeeded', 'Failed'].includes(text(at(pod, 'status', 'phase')))
  if (ended || text(at(pod, 'spec', 'nodeName')) === '') return 0
  const asked = gracePeriodSeconds ?? count(at(pod, 'spec', 'terminationGracePeriodSeconds'))
  return asked < 0 ? 1 : asked
}

/** A deletion that is under way can only be made to end sooner. */
function shorten({ key }: ResourceType, { live, options }: Deletion): KubeObject {
  const { deletionGracePeriodSeconds: before = 0, deletionTimestamp = '' } = live.metadata
  const { gracePeriodSeconds: grace } = options
  if (key !== 'pods' || grace === undefined || grace >= before) return live
  const ends = new Date(Date.parse(deletionTimestamp) + (grace - before) * 1000)
  const metadata = { ...live.metadata, deletionTimestamp: timestamp(ends), deletionGracePeriodSeconds: grace }
  return { ...live, metadata }
}

/** An object that one thing less holds when it is deleted. */
export function withoutFinalizer(object: KubeObject, finalizer: string): KubeObject {
  const { finalizers, ...metadata } = object.metadata
  const kept = finalizers?.filter((name) => name !== finalizer) ?? []
  return { ...object, metadata: { ...metadata, ...(kept.length === 0 ? {} : { finalizers: kept }) } }
}
