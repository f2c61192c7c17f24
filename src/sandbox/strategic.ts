import { goText, inOrder, keyOf, positions } from './element-order.ts'
import { ApiFailure, badRequest } from './failure.ts'
import { isObject, type JsonObject, type KubeObject } from './object.ts'
import { jsonType } from './patch.ts'
import type { Schema, TypeSchema } from './schema.ts'

const directive = '$patch'
const retainKeys = '$retainKeys'
const orderOf = '$setElementOrder/'
const deleteFrom = '$deleteFromPrimitiveList/'

/**
 * Strategic merge patch, by the patch strategies and merge keys of the schema. After apimachinery's `strategicpatch`:
 * https://github.com/kubernetes/community/blob/main/contributors/devel/sig-api-machinery/strategic-merge-patch.md
 */
export function strategicPatch(object: KubeObject, patch: unknown, schema: TypeSchema): KubeObject {
  if (!isObject(patch)) {
    throw badRequest(
      `json: cannot unmarshal ${jsonType(patch)} into Go value of type map[string]interface {}`,
    )
  }
  return mergeMap(object, patch, { schema: schema.root, types: schema }) as KubeObject
}

interface Typed {
  readonly schema: Schema
  readonly types: TypeSchema
}

interface ListType extends Typed {
  readonly isMerged: boolean
  readonly key: string | undefined
}

function mergeMap(original: JsonObject, patch: JsonObject, type: Typed): JsonObject {
  if (directive in patch) return replaced(patch)
  const result = new Map(Object.entries(retained(original, patch)))
  const orders = Object.entries(patch).filter(([name]) => name.startsWith(orderOf))
  const ordered = orders.map(([name, order]) =>
    orderIn({ name: name.slice(orderOf.length), order, patch, type }),
  )
  for (const [name, change] of Object.entries(patch)) {
    if (name === retainKeys || name.startsWith(orderOf)) continue
    if (name.startsWith(deleteFrom)) deleteItems(result, name.slice(deleteFrom.length), change)
    else if (change === null) result.delete(name)
    else result.set(name, mergeField(result.get(name), change, { name, type }))
  }
  for (const { name, wanted, key } of ordered) {
    const [items, live] = [result.get(name), original[name]]
    if (Array.isArray(items))
      result.set(name, inOrder(items, { wanted, live: Array.isArray(live) ? live : [], key }))
  }
  return Object.fromEntries([...result].filter(([, value]) => value !== undefined))
}

/** `$patch` in a map: take the map as it is, or none. */
function replaced(patch: JsonObject): JsonObject {
  const { [directive]: how, ...rest } = patch
  if (how === 'delete') return {}
  if (how === 'replace') return rest
  throw badDirective(patch)
}

/** `$retainKeys`: of a union, the fields that stay. */
function retained(original: JsonObject, patch: JsonObject): JsonObject {
  const keys = patch[retainKeys]
  if (keys === undefined) return original
  const isKept = (name: string) => Array.isArray(keys) && keys.includes(name)
  const set = Object.entries(patch).filter(([name, value]) => value !== null && !name.startsWith('$'))
  if (!Array.isArray(keys) || !set.every(([name]) => isKept(name))) {
    throw badRequest('invalid patch format of retainKeys')
  }
  return Object.fromEntries(Object.entries(original).filter(([name]) => isKept(name)))
}

function deleteItems(result: Map<string, unknown>, name: string, unwanted: unknown): void {
  const items = result.get(name)
  if (!Array.isArray(unwanted)) throw badRequest('invalid patch format of primitive list')
  if (Array.isArray(items)) {
    result.set(
      name,
      items.filter((item) => !unwanted.includes(item)),
    )
  }
}

function mergeField(
  original: unknown,
  change: unknown,
  { name, type }: { name: string; type: Typed },
): unknown {
  const field = fieldType(type, name)
  if (isObject(original) && isObject(change)) {
    return field.strategies.includes('replace') ? change : mergeMap(original, change, field)
  }
  if (!Array.isArray(original) || !Array.isArray(change)) return plain(change)
  const list = listType(field)
  return list.isMerged ? mergeList(original, change, list) : change
}

function fieldType(
  { schema, types }: Typed,
  name: string,
): Typed & { strategies: string[]; key: string | undefined } {
  const { properties = {}, additionalProperties } = types.resolve(schema)
  const other = isObject(additionalProperties) ? additionalProperties : {}
  const field: Schema = Object.hasOwn(properties, name) ? (properties[name] ?? {}) : other
  const strategies = (field['x-kubernetes-patch-strategy'] ?? '').split(',')
  return { schema: field, types, strategies, key: field['x-kubernetes-patch-merge-key'] }
}

function listType({ schema, types, strategies, key }: ReturnType<typeof fieldType>): ListType {
  return { schema: types.resolve(schema).items ?? {}, types, isMerged: strategies.includes('merge'), key }
}

/** A new value as it is meant: without nulls and without what is only to be deleted. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain).filter((item) => item !== undefined)
  if (!isObject(value)) return value
  if (directive in value) return undefined
  const entries = Object.entries(value).filter(([, inner]) => inner !== null)
  return Object.fromEntries(entries.map(([name, inner]) => [name, plain(inner)]))
}

function mergeList(original: readonly unknown[], patch: readonly unknown[], type: ListType): unknown[] {
  if (![...original, ...patch].some(isObject)) {
    return inOrder([...new Set([...original, ...patch])], { wanted: patch, live: original, key: undefined })
  }
  const { key } = type
  if (key === undefined) throw new ApiFailure(500, '', 'cannot merge lists without merge key')
  const items = patch.filter(isObject)
  const special = items.filter((item) => directive in item)
  const set = items.filter((item) => !(directive in item))
  if (special.some((item) => item[directive] === 'replace')) return set
  const unwanted = special.map((item) => deletedKey(item, key))
  const left = original.filter((item) => !unwanted.includes(keyOf(item, key)))
  return inOrder(mergeItems(left, set, { ...type, key }), { wanted: set, live: left, key })
}

function mergeItems(original: unknown[], patch: JsonObject[], type: ListType & { key: string }): unknown[] {
  const result = [...original]
  for (const item of patch) {
    const value = keyOf(item, type.key)
    const index = result.findIndex((other) => keyOf(other, type.key) === value)
    const same = result[index]
    if (isObject(same)) result[index] = mergeMap(same, item, type)
    else result.push(item)
  }
  return result
}

function deletedKey(item: JsonObject, key: string): unknown {
  if (item[directive] !== 'delete') throw badDirective(item)
  return keyOf(item, key)
}

interface Ordering {
  readonly name: string
  readonly order: unknown
  readonly patch: JsonObject
  readonly type: Typed
}

/** `$setElementOrder`: how the items that the patch knows of are to stand to each other. It has to agree with the patch's own list. */
function orderIn({ name, order, patch, type }: Ordering) {
  const { key } = fieldType(type, name)
  if (!Array.isArray(order)) throw badRequest('invalid patch format of setElementOrder list')
  const given = patch[name]
  const set = Array.isArray(given) ? given.filter((item) => !isObject(item) || !(directive in item)) : []
  const places = positions(set, order, key)
  const agrees = places.every((place, index) => place > (places[index - 1] ?? -1))
  if (agrees || order.length === 0) return { name, wanted: order, key }
  const why = `The order in patch list:\n${goText(given)}\n doesn't match $setElementOrder list:\n${goText(order)}\n`
  throw new ApiFailure(500, '', why)
}

function badDirective(patch: JsonObject): ApiFailure {
  return new ApiFailure(500, '', `unknown patch type: ${String(patch[directive])} in map: ${goText(patch)}`)
}
