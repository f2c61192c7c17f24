import { startQueue } from './controllers/queue.ts'
import { withoutFinalizer } from './delete.ts'
import { type KubeObject, type OwnerReference, refOf } from './object.ts'
import type { Store } from './store.ts'
import type { ObjectKey, Writer } from './writer.ts'

/** Deletes through the API with a propagation policy. */
export type Delete = (key: ObjectKey, propagationPolicy: 'Background' | 'Foreground') => void

/**
 * Removes what lost its owners, and carries out foreground and orphaning deletions, as the garbage collector of
 * kube-controller-manager does: dependents are known by the uids in their ownerReferences.
 */
export function startCollector(store: Store, writer: Writer, remove: Delete): void {
  const present = new Map<string, ObjectKey>()
  const dependents = new Map<string, Map<string, ObjectKey>>()
  const keys = new Map<string, ObjectKey>()
  const queue = startQueue((id) => {
    const key = keys.get(id)
    keys.delete(id)
    if (key !== undefined) collect(key)
  })

  function later(key: ObjectKey): void {
    const id = idOf(key)
    keys.set(id, key)
    queue.add(id)
  }

  store.onChange(({ resource, type, object, previous }) => {
    const { uid = '', name, namespace, ownerReferences = [] } = object.metadata
    const key = { resource, namespace, name }
    for (const owner of previous?.metadata.ownerReferences ?? []) dependents.get(owner.uid)?.delete(idOf(key))
    if (type === 'DELETED') {
      present.delete(uid)
      for (const dependent of dependents.get(uid)?.values() ?? []) later(dependent)
      for (const owner of ownerReferences) wake(owner)
      return
    }
    present.set(uid, key)
    for (const owner of ownerReferences) remember(owner, key)
    if (ownerReferences.length > 0 || isWaiting(object)) later(key)
  })

  function wake({ uid }: OwnerReference): void {
    const key = present.get(uid)
    if (key !== undefined) later(key)
  }

  function remember({ uid }: OwnerReference, key: ObjectKey): void {
    const known = dependents.get(uid) ?? new Map<string, ObjectKey>()
    dependents.set(uid, known.set(idOf(key), key))
  }

  function collect(key: ObjectKey): void {
    const object = store.get(key.resource, key)
    if (object === undefined) return
    if (isWaiting(object)) {
      finish(key, object)
      return
    }
    const { ownerReferences = [], deletionTimestamp } = object.metadata
    const solid = ownerReferences.filter(isSolid)
    if (deletionTimestamp !== undefined || ownerReferences.length === solid.length) return
    if (solid.length > 0) {
      keepOwners(key, (owner) => solid.some(({ uid }) => uid === owner.uid))
      return
    }
    const awaited = ownerReferences.some(({ uid }) => present.has(uid))
    remove(key, awaited && dependentsOf(object).length > 0 ? 'Foreground' : 'Background')
  }

  /** Whether an owner is there to stay. */
  function isSolid({ uid }: OwnerReference): boolean {
    const key = present.get(uid)
    const owner = key && store.get(key.resource, key)
    return owner !== undefined && !holds(owner, 'foregroundDeletion')
  }

  function finish(key: ObjectKey, owner: KubeObject): void {
    const { uid } = owner.metadata
    const found = dependentsOf(owner)
    if (holds(owner, 'orphan')) {
      for (const dependent of found) keepOwners(dependent, (other) => other.uid !== uid)
      release(key, 'orphan')
      return
    }
    for (const dependent of found) later(dependent)
    const blocks = (dependent: ObjectKey) =>
      store
        .get(dependent.resource, dependent)
        ?.metadata.ownerReferences?.some((other) => other.uid === uid && other.blockOwnerDeletion === true)
    if (!found.some(blocks)) release(key, 'foregroundDeletion')
  }

  function dependentsOf({ metadata: { uid = '' } }: KubeObject): ObjectKey[] {
    return [...(dependents.get(uid)?.values() ?? [])]
  }

  function keepOwners(key: ObjectKey, keep: (owner: OwnerReference) => boolean): void {
    writer.change(key, (object) => {
      const { ownerReferences, ...metadata } = object.metadata
      const kept = ownerReferences?.filter(keep) ?? []
      return { ...object, metadata: { ...metadata, ...(kept.length === 0 ? {} : { ownerReferences: kept }) } }
    })
  }

  function release(key: ObjectKey, finalizer: string): void {
    writer.change(key, (object) => withoutFinalizer(object, finalizer))
  }
}

const idOf = (key: ObjectKey) => `${key.resource} ${refOf(key)}`

function holds({ metadata }: KubeObject, finalizer: string): boolean {
  return metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).includes(finalizer)
}

/** Whether an object's deletion is the collector's to finish. */
function isWaiting(object: KubeObject): boolean {
  return holds(object, 'orphan') || holds(object, 'foregroundDeletion')
}
