import { isDeepStrictEqual } from 'node:util'
import { recordUpdate, type WriteOf } from './apply/apply.ts'
import type { Context, WriteOptions } from './context.ts'
import { crdKey } from './crd.ts'
import { withDefaults } from './defaults.ts'
import { checkEphemeral } from './ephemeral.ts'
import { conflict, invalid, notFound } from './failure.ts'
import { isObject, type KubeObject, type Metadata } from './object.ts'
import { hasSubresource, inVersion, type ResourceType, storedVersion } from './resource.ts'
import type { NamedTarget, Target } from './route.ts'
import { strategyOf } from './strategy.ts'
import { invalidValue } from './validate/causes.ts'
import { checkObject, validate } from './validate.ts'
import { timestamp } from './values.ts'

/** What became of a write: the object as it is now, or would be after a dry run. */
export interface Written {
  readonly object: KubeObject
  readonly created: boolean
  readonly warnings: readonly string[]
}

/** How a write is recorded in managedFields. */
export function recordOf(
  context: Context,
  { type, subresource }: Target,
  { manager }: WriteOptions,
): WriteOf {
  return {
    manager,
    apiVersion: type.apiVersion,
    time: timestamp(context.now()),
    schema: type.schema,
    subresource,
    custom: type.custom ? { hasStatus: hasSubresource(type, 'status') } : undefined,
  }
}

/** Checks an object by its schema and fills in what was not said. */
export function decoded(type: ResourceType, object: KubeObject, { unknown }: Pick<WriteOptions, 'unknown'>) {
  const valid = validate(object, type, unknown)
  const filled = strategyOf(type).fill?.(valid.object) ?? valid.object
  const full = type.custom ? filled : withDefaults(filled)
  return { object: full, warnings: valid.warnings }
}

/** The status of an object is no business of those who write the object itself. */
export function withoutStatus(type: ResourceType, object: KubeObject): KubeObject {
  if (!hasSubresource(type, 'status') || strategyOf(type).status === 'given') return object
  const { status: _, ...rest } = object
  return rest as KubeObject
}

/** Throws 422 for what is wrong with an object, 501 for what the sandbox does not do. */
export function check(type: ResourceType, object: KubeObject, live?: KubeObject): void {
  const own = strategyOf(type).check?.(object, live) ?? []
  const causes = [...checkObject(type.info, object, live), ...own]
  if (causes.length > 0) throw invalid(type.info, object.metadata.name, causes)
  strategyOf(type).refuse?.(object)
}

/** The object that a target names, in the target's version. Throws 404. */
export function find({ store }: Context, { type, namespace, name }: NamedTarget): KubeObject {
  const found = store.get(type.key, { namespace, name })
  if (found === undefined) throw notFound(type.info, name)
  return inVersion(found, type.apiVersion)
}

/** A change to an object that is there. */
export interface Change {
  readonly target: NamedTarget
  readonly live: KubeObject
  readonly next: KubeObject
  /** The managedFields of `next` are already those that it is to have. */
  readonly recorded?: boolean
}

/** Puts a changed object in the place of the live one, as a PUT does. */
export function replace(context: Context, change: Change, options: WriteOptions): Written {
  const { target, live, next, recorded = false } = change
  const { type } = target
  checkUnmoved(type, live, next)
  const { object, warnings } = decoded(type, next, options)
  const merged = withServersOwn(live, within(change, object))
  const owned = recorded ? merged : recordUpdate(live, merged, recordOf(context, target, options))
  const updated = strategyOf(type).update?.(owned, live) ?? owned
  const changed = target.subresource === 'status' ? updated : counted(type, live, updated)
  if (type.key === 'pods') checkEphemeral(target, live, changed)
  check(type, changed, live)
  const result = isSame(live, changed) || options.dryRun ? undefined : commit(context, type, changed)
  const object_ = isSame(live, changed) ? live : (result ?? changed)
  return { object: inVersion(object_, type.apiVersion), created: false, warnings }
}

/** What may only be written by those who say which revision they saw. */
const conditional = new Set([
  ...[crdKey, 'poddisruptionbudgets.policy', 'leases.coordination.k8s.io', 'runtimeclasses.node.k8s.io'],
  ...['csidrivers', 'csinodes', 'csistoragecapacities', 'volumeattachments'].map(
    (one) => `${one}.storage.k8s.io`,
  ),
])

function checkUnmoved(type: ResourceType, { metadata: live }: KubeObject, { metadata }: KubeObject): void {
  const { info } = type
  const { resourceVersion = '', uid = '' } = metadata
  if (resourceVersion === '' && (type.custom || conditional.has(type.key))) {
    const cause = invalidValue('metadata.resourceVersion', 0, 'must be specified for an update')
    throw invalid({ group: info.group, kind: info.plural }, live.name, [cause])
  }
  if (uid !== '' && uid !== live.uid) {
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${live.uid}`
    throw conflict(info, live.name, why)
  }
  if (resourceVersion !== '' && resourceVersion !== live.resourceVersion) {
    const why = 'the object has been modified; please apply your changes to the latest version and try again'
    throw conflict(info, live.name, why)
  }
}

/** What of the next object may be written through the target's subresource; the rest stays as it is. */
function within({ target, live }: Change, next: KubeObject): KubeObject {
  const { type, subresource } = target
  switch (subresource) {
    case 'status':
      return withStatus({ ...live, metadata: metadataWithStatus(type, live, next) }, next.status)
    case 'ephemeralcontainers':
      return { ...live, spec: { ...specOf(live), ephemeralContainers: specOf(next).ephemeralContainers } }
    case 'finalize':
      return { ...live, spec: next.spec }
    default:
      return hasSubresource(type, 'status') ? withStatus(next, live.status) : next
  }
}

function withStatus({ status: _, ...object }: KubeObject, status: unknown): KubeObject {
  return { ...object, ...(status === undefined ? {} : { status }) } as KubeObject
}

const specOf = (object: KubeObject) => (isObject(object.spec) ? object.spec : {})

/** Fields of the metadata that are not written together with a status, by resource; of custom resources none is. */
const keptFromStatus: Readonly<Record<string, readonly string[]>> = {
  'deployments.apps': ['labels'],
  pods: ['ownerReferences'],
}

function metadataWithStatus({ key, custom }: ResourceType, live: KubeObject, next: KubeObject): Metadata {
  const { managedFields, ...given } = next.metadata
  const kept = new Set(custom || key === crdKey ? Object.keys(given) : keptFromStatus[key])
  const written = Object.entries(given).filter(([name]) => !kept.has(name))
  const recorded = managedFields === undefined ? {} : { managedFields }
  return { ...live.metadata, ...Object.fromEntries(written), ...recorded }
}

function withServersOwn({ metadata: live }: KubeObject, next: KubeObject): KubeObject {
  const names = [
    'uid',
    'resourceVersion',
    'generation',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
  ] as const
  const own = Object.fromEntries(
    names.flatMap((name) => (live[name] === undefined ? [] : [[name, live[name]]])),
  )
  const others = Object.entries(next.metadata).filter(([name]) => !names.some((one) => one === name))
  return { ...next, metadata: { ...Object.fromEntries(others), ...own, name: live.name } }
}

/** Raises the generation when what was asked for changed. */
function counted(type: ResourceType, live: KubeObject, next: KubeObject): KubeObject {
  const { generation } = live.metadata
  if (generation === undefined || isDeepStrictEqual(wanted(type, live), wanted(type, next))) return next
  return { ...next, metadata: { ...next.metadata, generation: generation + 1 } }
}

function wanted(type: ResourceType, object: KubeObject): unknown {
  const { metadata, apiVersion: _, ...rest } = withoutStatus(type, object)
  // A Deployment's annotations go on to its ReplicaSets.
  return type.key === 'deployments.apps' ? { ...rest, annotations: metadata.annotations } : rest
}

function isSame(live: KubeObject, next: KubeObject): boolean {
  return isDeepStrictEqual(untimed(live), untimed(next))
}

/** An object without the times in its managedFields: they alone are no change. Fields without a value are none. */
function untimed(object: KubeObject): unknown {
  const managedFields = object.metadata.managedFields?.map(({ time: _, ...entry }) => entry)
  return JSON.parse(JSON.stringify({ ...object, metadata: { ...object.metadata, managedFields } }))
}

/** An object that was marked for deletion goes when nothing holds it any more. */
export function commit({ store }: Context, type: ResourceType, object: KubeObject): KubeObject {
  if (!isHeld(type, object)) {
    store.remove(type.key, object.metadata)
    return object
  }
  return store.put(type.key, inVersion(object, storedVersion(type)))
}

function isHeld({ key }: ResourceType, { metadata, spec }: KubeObject): boolean {
  const { deletionTimestamp, finalizers = [], deletionGracePeriodSeconds = 0 } = metadata
  if (deletionTimestamp === undefined || finalizers.length > 0 || deletionGracePeriodSeconds > 0) return true
  return (
    key === 'namespaces' && isObject(spec) && Array.isArray(spec.finalizers) && spec.finalizers.length > 0
  )
}
