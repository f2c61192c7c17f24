import type { FieldPath } from '../diff/compare.ts'
import { itemsOf, type Shape } from '../diff/shape.ts'
import { valueAt } from '../path.ts'
import { equal, isList, isMap, type Json, type JsonMap } from '../value.ts'

/** Our name among the field managers of an object. */
export const fieldManager = 'kubesync'

/** An entry of `metadata.managedFields`: who wrote which fields. */
export interface Owner {
  readonly manager: string
  readonly operation: string
  readonly subresource: string
  readonly fields: JsonMap
  readonly entry: JsonMap
}

export function ownersIn(live: JsonMap): Owner[] {
  const entries = valueAt(live, ['metadata', 'managedFields'])
  return (isList(entries) ? entries : []).filter(isMap).map((entry) => ({
    manager: typeof entry.manager === 'string' ? entry.manager : '',
    operation: typeof entry.operation === 'string' ? entry.operation : '',
    subresource: typeof entry.subresource === 'string' ? entry.subresource : '',
    fields: isMap(entry.fieldsV1) ? entry.fieldsV1 : {},
    entry,
  }))
}

/** The managers of a value: of all that is in it, and of nothing beside it. */
export function ownersOf(live: JsonMap, paths: readonly FieldPath[]): Owner[] {
  return ownersIn(live).filter(({ fields }) => paths.some((path) => owns(fields, path)))
}

/** The fields that a value at a path consists of, as server-side apply tells them apart. */
export function fieldsOf(value: Json, path: FieldPath, shape: Shape): FieldPath[] {
  if (isMap(value) && !shape.isAtomic && Object.keys(value).length > 0) {
    return Object.entries(value).flatMap(([key, inner]) => fieldsOf(inner, [...path, key], shape.field(key)))
  }
  const items = isList(value) ? itemsOf(value, shape.list) : undefined
  if (items === undefined || items.size === 0) return [path]
  return [...items.values()].map(({ step }) => [...path, step])
}

/**
 * Whether somebody else keeps a field at its value. A person's kubectl does not: it wrote once, and would not
 * write again by itself.
 */
export function isForeign({ manager, operation }: Owner): boolean {
  if (manager === fieldManager) return false
  return operation === 'Apply' || !(manager === 'before-first-apply' || manager.startsWith('kubectl'))
}

/** A step as it is written in FieldsV1 (sigs.k8s.io/structured-merge-diff, fieldpath). */
function keyOf(fields: JsonMap, step: FieldPath[number]): string | undefined {
  if (typeof step === 'string') return `f:${step}`
  if (step.by === 'value') return `v:${JSON.stringify(step.keys[''])}`
  return Object.keys(fields).find((key) => key.startsWith('k:') && equal(parsed(key.slice(2)), step.keys))
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function owns(fields: JsonMap, path: FieldPath): boolean {
  const [step, ...rest] = path
  if (step === undefined) return true
  const inner = fields[keyOf(fields, step) ?? '']
  if (inner === undefined) return false
  // A leaf: all that is below belongs to it.
  return !isMap(inner) || Object.keys(inner).length === 0 || owns(inner, rest)
}

/**
 * Managed fields in which fields that others own are ours: when we then apply an object without them, the server
 * removes them (as csaupgrade does it for all that client-side apply owned).
 */
export function handedOver(live: JsonMap, paths: readonly FieldPath[]): Json[] {
  const owners = ownersIn(live)
  const isOurs = ({ manager, operation }: Owner) => manager === fieldManager && operation === 'Apply'
  const before = owners.find(isOurs)
  const ours = paths.reduce<JsonMap>((fields, path) => added(fields, path), before?.fields ?? {})
  const others = owners
    .filter((owner) => !isOurs(owner))
    .map(({ fields, entry }) => ({
      entry,
      fields: paths.reduce<JsonMap>((now, path) => removed(now, path), fields),
    }))
    .filter(({ fields }) => Object.keys(fields).length > 0)
  const base = before?.entry ?? {
    manager: fieldManager,
    operation: 'Apply',
    apiVersion: live.apiVersion ?? null,
    fieldsType: 'FieldsV1',
  }
  return [...others.map(({ entry, fields }) => ({ ...entry, fieldsV1: fields })), { ...base, fieldsV1: ours }]
}

function removed(fields: JsonMap, [step, ...rest]: FieldPath): JsonMap {
  const key = step === undefined ? undefined : keyOf(fields, step)
  const inner = key === undefined ? undefined : fields[key]
  if (key === undefined || inner === undefined) return fields
  const { [key]: _, ...others } = fields
  if (rest.length === 0 || !isMap(inner)) return others
  const now = removed(inner, rest)
  const isGone = Object.keys(now).length === 0 && Object.keys(inner).length > 0
  return isGone ? others : { ...others, [key]: now }
}

function added(fields: JsonMap, [step, ...rest]: FieldPath): JsonMap {
  if (step === undefined) return fields
  const key = keyOf(fields, step) ?? (typeof step === 'string' ? '' : `k:${JSON.stringify(step.keys)}`)
  const inner = fields[key]
  if (rest.length === 0) return { ...fields, [key]: inner ?? (typeof step === 'string' ? {} : { '.': {} }) }
  return { ...fields, [key]: added(isMap(inner) ? inner : {}, rest) }
}
