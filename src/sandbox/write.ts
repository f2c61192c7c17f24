import { recordUpdate, type WriteOf } from './apply/apply.ts'
import type { Context, WriteOptions } from './context.ts'
import { crdKey } from './crd.ts'
import { withDefaults } from './defaults.ts'
import { conflict, invalid, notFound } from './failure.ts'
import { type Change, checkEphemeral, counted, isSame, within, withServersOwn } from './merged.ts'
import { at, type KubeObject } from './object.ts'
import { hasSubresource, inVersion, type ResourceType, storedVersion } from './resource.ts'
import type { NamedTarget, Target } from './route.ts'
import { refuse, strategyOf } from './strategy.ts'
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

/** Throws 422 for what is wrong with an object, 501 for what the sandbox does not do. */
export function check(type: ResourceType, object: KubeObject, live?: KubeObject): void {
  const own = strategyOf(type).check?.(object, live) ?? []
  const causes = [...checkObject(type.info, object, live), ...own]
  if (causes.length > 0) throw invalid(type.info, object.metadata.name, causes)
  refuse(type, object)
}

/** The object that a target names, in the target's version. Throws 404. */
export function find({ store }: Context, { type, namespace, name }: NamedTarget): KubeObject {
  const found = store.get(type.key, { namespace, name })
  if (found === undefined) throw notFound(type.info, name)
  return inVersion(found, type.apiVersion)
}

/** Puts a changed object in the place of the live one, as a PUT does. */
export function replace(context: Context, change: Change, options: WriteOptions): Written {
  const { target, live, next, recorded = false } = change
  const { type } = target
  checkUnmoved(type, live, next)
  const { object, warnings } = decoded(type, next, options)
  const merged = withServersOwn(live, within(change, object))
  const owned = recorded ? merged : recordUpdate(live, merged, recordOf(context, target, options))
  const updated = strategyOf(type).update?.(owned, live, context) ?? owned
  const changed = target.subresource === 'status' ? updated : counted(type, live, updated)
  if (type.key === 'pods') checkEphemeral(target, live, changed)
  check(type, changed, live)
  const done = isSame(live, changed) ? live : options.dryRun ? changed : commit(context, type, changed)
  return { object: inVersion(done, type.apiVersion), created: false, warnings }
}

/** What may only be written by those who say which revision they saw. */
const conditional = new Set([crdKey, 'poddisruptionbudgets.policy', 'leases.coordination.k8s.io'])

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

/** An object that was marked for deletion goes when nothing holds it any more. */
export function commit({ store }: Context, type: ResourceType, object: KubeObject): KubeObject {
  if (object.metadata.deletionTimestamp === undefined || isHeld(type, object)) {
    return store.put(type.key, inVersion(object, storedVersion(type)))
  }
  store.remove(type.key, object.metadata)
  return object
}

/** Whether anything keeps an object that is to go: finalizers, the time it has, what is left in a namespace. */
export function isHeld({ key }: ResourceType, { metadata, spec }: KubeObject): boolean {
  const { finalizers = [], deletionGracePeriodSeconds = 0 } = metadata
  const contents = key === 'namespaces' ? at(spec, 'finalizers') : []
  return (
    finalizers.length > 0 ||
    deletionGracePeriodSeconds > 0 ||
    (Array.isArray(contents) && contents.length > 0)
  )
}
