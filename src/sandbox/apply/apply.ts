import { isDeepStrictEqual } from 'node:util'
import { ApiFailure, badRequest } from '../failure.ts'
import { at, isObject, type KubeObject } from '../object.ts'
import type { TypeSchema } from '../schema.ts'
import { conflictFailure, conflictsOf } from './conflict.ts'
import { difference, type FieldSet, setOf, union, without } from './fields.ts'
import { capped, type Managed, type Managers, managerKey, readManagers, writeManagers } from './managers.ts'
import { merge } from './merge.ts'
import { withZeros } from './named.ts'
import { ignoring, prune, take } from './ownership.ts'
import { typeProblems } from './problems.ts'
import { compare, fieldsOf } from './typed.ts'

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

/** Never owned, as nobody chooses them. */
const neverOwned = setOf([
  ['f:apiVersion'],
  ['f:kind'],
  ['f:metadata'],
  ...['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'generation'].map((name) =>
    metadata(name),
  ),
  ...['clusterName', 'managedFields', 'resourceVersion'].map((name) => metadata(name)),
])

function metadata(name: string): string[] {
  return ['f:metadata', `f:${name}`]
}

/** What a write to a kind's status leaves alone beside the spec. */
const statusIgnores: Record<string, readonly string[][]> = {
  Deployment: [metadata('labels')],
  Pod: [metadata('deletionTimestamp'), metadata('ownerReferences')],
  FlowSchema: [['f:metadata']],
  PriorityLevelConfiguration: [['f:metadata']],
  ServiceCIDR: [['f:metadata']],
  VolumeAttachment: [['f:metadata']],
  ResourceClaim: [['f:metadata']],
  CustomResourceDefinition: [['f:metadata']],
  APIService: [['f:metadata']],
}

/** The fields that a request to a (sub)resource does not write whatever it says: the strategies' reset fields. */
function ignoredFields(kind: string, { subresource, custom }: WriteOf): FieldSet {
  if (subresource === undefined) return setOf(custom?.hasStatus === false ? [] : [['f:status']])
  if (subresource !== 'status') return new Map()
  return setOf([['f:spec'], ...(custom ? [['f:metadata']] : (statusIgnores[kind] ?? []))])
}

/**
 * Server-side apply: the live object (undefined: there is none) with what is applied merged into it, without what this manager applied
 * before and does not any more, and with the managed fields that go with it. Defaults are still to be set. Throws the conflicts with
 * other managers. After structured-merge-diff's `Updater.Apply` and apimachinery's `managedfields`.
 */
export function apply(
  live: KubeObject | undefined,
  applied: KubeObject,
  how: WriteOf & { readonly force: boolean },
): KubeObject {
  checkApplied(applied, how)
  const before = withoutManagers(live ?? emptyObject(applied, how))
  const known = readManagers(live?.metadata.managedFields)
  if (known === undefined) throw new ApiFailure(500, '', 'failed to decode managed fields')
  const managers = known.size === 0 && live !== undefined ? sinceBefore(before, how) : known
  const ignored = ignoredFields(applied.kind, how)
  const me = { manager: how.manager, operation: 'Apply', ...whereOf(how) } as const
  const fields = without(fieldsOf(applied, how.schema), ignored)
  const mine: Managed = { ...me, fields, time: managers.get(managerKey(me))?.time }
  const all = new Map(managers).set(managerKey(me), mine)
  const merged = merge(before, applied, how.schema)
  const after = prune(merged, {
    managers: all,
    formerly: managers.get(managerKey(me))?.fields,
    types: how.schema,
  })
  const owned = take(all, {
    by: managerKey(me),
    changes: ignoring(compare(before, after, how.schema), ignored),
    onConflict: (conflicts) => {
      const left = how.force ? [] : conflictsOf(conflicts, { live: before, ...how })
      if (left.length > 0) throw conflictFailure(left)
    },
  })
  const time = isDeepStrictEqual(before, after) ? mine.time : how.time
  return withManagers(after as KubeObject, settle(owned, { ...mine, time }))
}

/** The updated object with the managed fields after a create, an update or a patch. The object is complete, with defaults. */
export function recordUpdate(live: KubeObject | undefined, updated: KubeObject, how: WriteOf): KubeObject {
  const former = formerManagers(live, updated, how)
  const after = withoutManagers(updated)
  if (former.size === 0 && live !== undefined) return withManagers(after, former)
  return withManagers(
    after,
    updatedBy(withoutManagers(live ?? emptyObject(updated, how)), after, { ...how, former }),
  )
}

function updatedBy(
  before: KubeObject,
  after: KubeObject,
  how: WriteOf & { readonly former: Managers },
): Managers {
  const changes = ignoring(compare(before, after, how.schema), ignoredFields(after.kind, how))
  const me = { manager: how.manager, operation: 'Update', ...whereOf(how) } as const
  const others = take(how.former, { changes, onConflict: () => undefined })
  const fields = difference(union(changes.added, changes.modified), neverOwned)
  if (fields.size === 0) return capped(others)
  const mine = union(others.get(managerKey(me))?.fields ?? new Map(), fields)
  return capped(new Map(others).set(managerKey(me), { ...me, fields: mine, time: how.time }))
}

const whereOf = ({ apiVersion, subresource }: WriteOf) => ({ apiVersion, subresource })

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
    sent.length === 0 || (sent.length === 1 && isObject(sent[0]) && Object.keys(sent[0]).length === 0)
  if (isReset) return new Map()
  return readManagers(sent) ?? kept
}

/** Fields of an object that nobody managed before its first apply belong to whoever that was. */
function sinceBefore(live: KubeObject, how: WriteOf): Managers {
  const before = { ...how, manager: 'before-first-apply', former: new Map() }
  return updatedBy(emptyObject(live, how), live, before)
}

function checkApplied(applied: KubeObject, { apiVersion, schema }: WriteOf): void {
  if (applied.apiVersion !== apiVersion) {
    const versions = `Specified patch version: ${applied.apiVersion}, expected: ${apiVersion}`
    throw badRequest(`Incorrect version specified in apply patch. ${versions}`)
  }
  if (at(applied, 'metadata', 'managedFields')) throw badRequest('metadata.managedFields must be nil')
  const problems = typeProblems(applied, schema)
  if (problems.length === 0) return
  const { namespace = '', name } = applied.metadata
  const said = problems.length === 1 ? problems[0] : `errors:\n  ${problems.join('\n  ')}`
  const object = `${namespace}/${name}; ${apiVersion}, Kind=${applied.kind}`
  throw new ApiFailure(500, '', `failed to create typed patch object (${object}): ${said}`)
}

/** The managers with the applier's own entry, less what is never owned. */
function settle(managers: Managers, mine: Managed): Managers {
  const settled = new Map(managers)
  const fields = difference(mine.fields, neverOwned)
  if (fields.size === 0) settled.delete(managerKey(mine))
  else settled.set(managerKey(mine), { ...mine, fields })
  return settled
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
  return {
    ...object,
    metadata: { ...object.metadata, ...(managedFields.length > 0 ? { managedFields } : {}) },
  }
}
