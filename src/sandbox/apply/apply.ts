import { isDeepStrictEqual } from 'node:util'
import { ApiFailure, badRequest } from '../failure.ts'
import { at, isObject, type KubeObject } from '../object.ts'
import type { TypeSchema } from '../schema.ts'
import { withZeros } from '../validate/zeros.ts'
import { difference, type FieldSet, setOf, union, without } from './fields.ts'
import { conflictFailure, type Managers, managerKey, readManagers, take, writeManagers } from './managers.ts'
import { merge } from './merge.ts'
import { prune } from './prune.ts'
import { compare, fieldsOf, problemsOf } from './typed.ts'

/** A write whose owner is recorded. */
export interface WriteOf {
  readonly manager: string
  readonly apiVersion: string
  readonly time: string
  readonly subresource?: string | undefined
  readonly schema: TypeSchema
  /** Given for custom resources: whether there is a status subresource. Without it, the status is a field like any other. */
  readonly custom?: { readonly hasStatus: boolean } | undefined
}

const metadata = (...names: string[]) => names.map((name) => ['f:metadata', `f:${name}`])

/** Never owned, as nobody chooses them. */
const neverOwned = setOf([
  ['f:apiVersion'],
  ['f:kind'],
  ['f:metadata'],
  ...metadata('name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'generation'),
  ...metadata('clusterName', 'managedFields', 'resourceVersion'),
])

/** What a write to a kind's status leaves alone beside the spec. */
const statusIgnores: Record<string, readonly string[][]> = {
  Deployment: metadata('labels'),
  Pod: metadata('deletionTimestamp', 'ownerReferences'),
  CustomResourceDefinition: [['f:metadata']],
}

/** The fields that a request to a (sub)resource does not write whatever it says: the strategies' reset fields. */
function ignoredFields(kind: string, { subresource, custom }: WriteOf): FieldSet {
  if (subresource === undefined) return setOf(custom?.hasStatus === false ? [] : [['f:status']])
  if (subresource !== 'status') return new Set()
  return setOf([['f:spec'], ...(custom ? [['f:metadata']] : (statusIgnores[kind] ?? []))])
}

/**
 * Server-side apply: the live object (undefined: there is none) with what is applied merged into it, without what this manager applied
 * before and does not any more, and with the managed fields that go with it. Defaults are still to be set. Throws the conflicts with
 * other managers. After structured-merge-diff's `Updater.Apply` and apimachinery's `managedfields`. Other than there, kubectl's
 * `last-applied-configuration` takes part in no conflict, and entries of updates are not joined however many there are.
 */
export function apply(
  live: KubeObject | undefined,
  applied: KubeObject,
  how: WriteOf & { readonly force: boolean },
): KubeObject {
  checkApplied(applied, how)
  const { manager, apiVersion, subresource, schema } = how
  const before = withoutManagers(live ?? emptyObject(applied, how))
  const known = readManagers(live?.metadata.managedFields)
  if (known === undefined) throw new ApiFailure(500, '', 'failed to decode managed fields')
  const managers = known.size === 0 && live !== undefined ? sinceBefore(before, how) : known
  const ignored = ignoredFields(applied.kind, how)
  const me = { manager, operation: 'Apply', apiVersion, subresource } as const
  const key = managerKey(me)
  const former = managers.get(key)
  const fields = without(fieldsOf(applied, schema), ignored)
  const merged = merge(before, applied, schema)
  const all = new Map(managers).set(key, { ...me, fields })
  const after = prune(merged, { managers: all, formerly: former?.fields, types: schema })
  const { left, conflicts } = take(managers, compare({ before, after }, schema, ignored), key)
  if (conflicts.length > 0 && !how.force) throw conflictFailure(conflicts)
  const mine = difference(fields, neverOwned)
  const time = isDeepStrictEqual(before, after) ? former?.time : how.time
  const owned = mine.size === 0 ? left : new Map(left).set(key, { ...me, fields: mine, time })
  return withManagers(after as KubeObject, owned)
}

/** The updated object with the managed fields after a create, an update or a patch. The object is complete, with defaults. */
export function recordUpdate(live: KubeObject | undefined, updated: KubeObject, how: WriteOf): KubeObject {
  const managers = formerManagers(live, updated, how)
  const after = withoutManagers(updated)
  if (managers.size === 0 && live !== undefined) return withManagers(after, managers)
  const before = withoutManagers(live ?? emptyObject(updated, how))
  return withManagers(after, updatedBy({ before, after, managers }, how))
}

interface Update {
  readonly before: KubeObject
  readonly after: KubeObject
  readonly managers: Managers
}

function updatedBy({ before, after, managers }: Update, how: WriteOf): Managers {
  const { manager, apiVersion, subresource, time } = how
  const changes = compare({ before, after }, how.schema, ignoredFields(after.kind, how))
  const { left } = take(managers, changes)
  const fields = difference(union(changes.added, changes.modified), neverOwned)
  if (fields.size === 0) return left
  const me = { manager, operation: 'Update', apiVersion, subresource, time } as const
  const mine = union(left.get(managerKey(me))?.fields ?? new Set(), fields)
  return new Map(left).set(managerKey(me), { ...me, fields: mine })
}

/** A client may edit the entries, and may drop them all by an empty list or one empty entry. One that leaves them out does not mean it. */
function formerManagers(
  live: KubeObject | undefined,
  updated: KubeObject,
  { subresource }: WriteOf,
): Managers {
  const kept = readManagers(live?.metadata.managedFields) ?? new Map()
  const sent: unknown = updated.metadata.managedFields
  if (subresource !== undefined || !Array.isArray(sent)) return kept
  const isReset =
    sent.length <= 1 && sent.every((entry) => isObject(entry) && Object.keys(entry).length === 0)
  return isReset ? new Map() : (readManagers(sent) ?? kept)
}

/** Fields of an object that nobody managed before its first apply belong to whoever that was. */
function sinceBefore(live: KubeObject, how: WriteOf): Managers {
  const made = { before: emptyObject(live, how), after: live, managers: new Map() }
  return updatedBy(made, { ...how, manager: 'before-first-apply' })
}

function checkApplied(applied: KubeObject, { apiVersion, schema }: WriteOf): void {
  if (applied.apiVersion !== apiVersion) {
    const versions = `Specified patch version: ${applied.apiVersion}, expected: ${apiVersion}`
    throw badRequest(`Incorrect version specified in apply patch. ${versions}`)
  }
  if (at(applied, 'metadata', 'managedFields')) throw badRequest('metadata.managedFields must be nil')
  const problems = problemsOf(applied, schema)
  if (problems.length === 0) return
  const { namespace = '', name } = applied.metadata
  const said = problems.length === 1 ? problems[0] : `errors:\n  ${problems.join('\n  ')}`
  const group = apiVersion.includes('/') ? '' : '/'
  const object = `${namespace}/${name}; ${group}${apiVersion}, Kind=${applied.kind}`
  throw new ApiFailure(500, '', `failed to create typed patch object (${object}): ${said}`)
}

/** What the object is compared to when there was none. Kubernetes' own kinds are never quite empty. */
function emptyObject({ apiVersion, kind }: KubeObject, { schema, custom }: WriteOf): KubeObject {
  const bare = { apiVersion, kind, metadata: { name: '' } }
  return (custom === undefined ? withZeros(bare, schema) : bare) as KubeObject
}

function withoutManagers(object: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata
  return { ...object, metadata }
}

function withManagers(object: KubeObject, managers: Managers): KubeObject {
  const managedFields = writeManagers(managers)
  if (managedFields.length === 0) return object
  return { ...object, metadata: { ...object.metadata, managedFields } }
}
