import { startQueue } from './controllers/queue.ts'
import { conditionOf, crdKey } from './crd.ts'
import { crdFinalizer, withoutFinalizer } from './delete.ts'
import { at, isObject, type KubeObject } from './object.ts'
import type { Registry } from './registry.ts'
import { list, text, timestamp } from './values.ts'
import type { Writer } from './writer.ts'

/** Who deletes a namespace together with what is in it counts on a namespace's end taking longer than a request. */
const namespaceLingers = 1000

/** Empties namespaces that are to go, establishes CRDs and removes the objects of those that are to go. */
export function startLifecycles(writer: Writer, registry: Registry): void {
  const { store } = writer
  const namespaces = startQueue((name) => emptyNamespace(writer, registry, name))
  const definitions = startQueue((name) => {
    const crd = store.get(crdKey, { name })
    if (crd === undefined) return
    if (crd.metadata.deletionTimestamp === undefined) establish(writer.as('kube-apiserver'), crd)
    else removeObjects(writer, crd)
  })
  store.onChange(({ resource, type, object }) => {
    const { name, namespace } = object.metadata
    if (resource === 'namespaces' && object.metadata.deletionTimestamp !== undefined) {
      namespaces.addAfter(name, namespaceLingers)
    }
    if (resource === crdKey && type !== 'DELETED') definitions.add(name)
    if (type !== 'DELETED') return
    if (isEnding(store.get('namespaces', { name: namespace ?? '' }))) namespaces.add(namespace ?? '')
    if (isEnding(store.get(crdKey, { name: resource }))) definitions.add(resource)
  })
}

function isEnding(object: KubeObject | undefined): boolean {
  return object?.metadata.deletionTimestamp !== undefined
}

function emptyNamespace(writer: Writer, registry: Registry, namespace: string): void {
  const { store } = writer
  if (!isEnding(store.get('namespaces', { name: namespace }))) return
  const keys = new Set(registry.all().flatMap(({ key, info }) => (info.namespaced ? [key] : [])))
  const left = [...keys].flatMap((key) => store.list(key, namespace).map((object) => ({ key, object })))
  for (const { key, object } of left) {
    if (!isEnding(object)) writer.delete({ resource: key, namespace, name: object.metadata.name })
  }
  if ([...keys].some((key) => store.list(key, namespace).length > 0)) return
  writer.change({ resource: 'namespaces', name: namespace }, (object) => ({
    ...object,
    spec: { ...(isObject(object.spec) ? object.spec : {}), finalizers: [] },
  }))
}

function removeObjects(writer: Writer, crd: KubeObject): void {
  // A CRD is named as its resource is filed.
  const key = crd.metadata.name
  for (const { metadata } of writer.store.list(key)) {
    if (metadata.deletionTimestamp === undefined) writer.delete({ resource: key, ...metadata })
  }
  if (writer.store.list(key).length > 0) return
  writer.change({ resource: crdKey, name: crd.metadata.name }, (object) =>
    withoutFinalizer(object, crdFinalizer),
  )
}

/** Accepts a CRD's names, unless another has its kind already, and says so. */
function establish(writer: Writer, crd: KubeObject): void {
  const { names, group, versions } = isObject(crd.spec) ? crd.spec : {}
  const taken = writer.store
    .list(crdKey)
    .filter((other) => other !== crd && conditionOf(other, 'Established') !== undefined)
    .some(
      (other) =>
        at(other, 'spec', 'group') === group && at(other, 'spec', 'names', 'kind') === at(names, 'kind'),
    )
  const [accepted, established] = taken
    ? [
        ['False', 'KindConflict', `${JSON.stringify(at(names, 'kind'))} is already in use`],
        ['False', 'NotAccepted', 'not all names are accepted'],
      ]
    : [
        ['True', 'NoConflicts', 'no conflicts found'],
        ['True', 'InitialNamesAccepted', 'the initial names have been accepted'],
      ]
  const conditions = [condition(crd, 'NamesAccepted', accepted), condition(crd, 'Established', established)]
  const stored = list(versions)
    .filter(({ storage }) => storage === true)
    .map(({ name }) => text(name))
  const before = at(crd, 'status', 'storedVersions')
  const storedVersions = [...new Set([...(Array.isArray(before) ? before : []), ...stored])]
  writer.change(
    { resource: crdKey, name: crd.metadata.name },
    (object) => ({ ...object, status: { conditions, acceptedNames: names, storedVersions } }),
    'status',
  )
}

function condition(crd: KubeObject, type: string, [status, reason, message]: readonly string[] = []) {
  const before = conditionOf(crd, type)
  const lastTransitionTime = before?.status === status ? before?.lastTransitionTime : timestamp(new Date())
  return { type, status, reason, message, lastTransitionTime }
}
