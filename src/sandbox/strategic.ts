import { ApiFailure, badRequest } from './failure.ts'
import { isObject, type JsonObject, type KubeObject } from './object.ts'
import { jsonType } from './patch.ts'
import type { Schema, TypeSchema } from './schema.ts'

const directive = '$patch'
const retainKeys = '$retainKeys'
const orderOf = '$setElementOrder/'
const deleteFrom = '$deleteFromPrimitiveList/'

/**
 * Strategic merge patch, by the patch strategies and merge keys of the schema. After apimachinery's `strategicpatch`; other than there,
 * an order that contradicts the patch's own list is no error.
 * https://github.com/kubernetes/community/blob/main/contributors/devel/sig-api-machinery/strategic-merge-patch.md
 */
export function strategicPatch(object: KubeObject, patch: unknown, schema: TypeSchema): KubeObject {
  if (isObject(patch)) return mergeMap(object, patch, { schema: schema.root, types: schema }) as KubeObject
  throw badRequest(`json: cannot unmarshal ${jsonType(patch)} into Go value of type map[string]interface {}`)
}

interface Typed {
  readonly schema: Schema
  readonly types: TypeSchema
}

function mergeMap(original: JsonObject, patch: JsonObject, type: Typed): JsonObject {
  if (directive in patch) return replaced(patch)
  const result = new Map(Object.entries(retained(original, patch)))
  for (const [name, change] of Object.entries(patch)) {
    if (name.startsWith(deleteFrom)) deleteItems(result, name.slice(deleteFrom.length), change)
    else if (change === null) result.delete(name)
    else if (name !== retainKeys && !name.startsWith(orderOf)) {
      result.set(name, mergeField(result.get(name), change, fieldOf(type, name)))
    }
  }
  for (const [directive, wanted] of Object.entries(patch).filter(([name]) => name.startsWith(orderOf))) {
    if (!Array.isArray(wanted)) throw badRequest('invalid patch format of setElementOrder list')
    const name = directive.slice(orderOf.length)
    const [items, live] = [result.get(name), original[name]]
    const order = { wanted, live: Array.isArray(live) ? live : [], key: fieldOf(type, name).key }
    if (Array.isArray(items)) result.set(name, inOrder(items, order))
  }
  return Object.fromEntries(result)
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
  const set = Object.keys(patch).filter((name) => patch[name] !== null && !name.startsWith('$'))
  if (!Array.isArray(keys) || !set.every((name) => keys.includes(name))) {
    throw badRequest('invalid patch format of retainKeys')
  }
  return Object.fromEntries(Object.entries(original).filter(([name]) => keys.includes(name)))
}

function deleteItems(result: Map<string, unknown>, name: string, unwanted: unknown): void {
  const items = result.get(name)
  if (!Array.isArray(unwanted)) throw badRequest('invalid patch format of primitive list')
  const isKept = (item: unknown) => !unwanted.includes(item)
  if (Array.isArray(items)) result.set(name, items.filter(isKept))
}

interface Field extends Typed {
  readonly strategies: readonly string[]
  readonly key: string | undefined
}

function fieldOf({ schema, types }: Typed, name: string): Field {
  const { properties = {}, additionalProperties } = types.resolve(schema)
  const other = isObject(additionalProperties) ? additionalProperties : {}
  const field: Schema = Object.hasOwn(properties, name) ? (properties[name] ?? {}) : other
  const strategies = (field['x-kubernetes-patch-strategy'] ?? '').split(',')
  return { schema: field, types, strategies, key: field['x-kubernetes-patch-merge-key'] }
}

function mergeField(original: unknown, change: unknown, field: Field): unknown {
  if (isObject(original) && isObject(change)) {
    return field.strategies.includes('replace') ? change : mergeMap(original, change, field)
  }
  if (!Array.isArray(original) || !Array.isArray(change)) return plain(change)
  return field.strategies.includes('merge') ? mergeList(original, change, field) : change
}

/** A new value as it is meant: without nulls and without what is only to be deleted. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain).filter((item) => item !== undefined)
  if (!isObject(value)) return value
  if (directive in value) return undefined
  const entries = Object.entries(value).filter(([, inner]) => inner !== null)
  return Object.fromEntries(entries.map(([name, inner]) => [name, plain(inner)]))
}

function mergeList(original: readonly unknown[], patch: readonly unknown[], field: Field): unknown[] {
  const { schema, types, key } = field
  if (![...original, ...patch].some(isObject)) {
    return inOrder([...new Set([...original, ...patch])], { wanted: patch, live: original, key: undefined })
  }
  if (key === undefined) throw new ApiFailure(500, '', 'cannot merge lists without merge key')
  const items = patch.filter(isObject)
  const wanted = items.filter((item) => !(directive in item))
  const special = items.filter((item) => directive in item)
  if (special.some((item) => item[directive] === 'replace')) return wanted
  const odd = special.find((item) => item[directive] !== 'delete')
  if (odd !== undefined) throw badDirective(odd)
  const unwanted = special.map((item) => keyOf(item, key))
  const live = original.filter((item) => !unwanted.includes(keyOf(item, key)))
  const result = new Map<unknown, unknown>(live.map((item) => [keyOf(item, key), item]))
  for (const item of wanted) {
    const same = result.get(keyOf(item, key))
    const type = { schema: types.resolve(schema).items ?? {}, types }
    result.set(keyOf(item, key), isObject(same) ? mergeMap(same, item, type) : item)
  }
  return inOrder([...result.values()], { wanted, live, key })
}

interface Order {
  readonly wanted: readonly unknown[]
  readonly live: readonly unknown[]
  readonly key: string | undefined
}

/** Items that are wanted in an order get it; the others stay before what they stood before in the live list. */
function inOrder(items: readonly unknown[], { wanted, live, key }: Order): unknown[] {
  const identity = (item: unknown) => (key === undefined ? item : keyOf(item, key))
  const places = (list: readonly unknown[]) => new Map(list.map((item, index) => [identity(item), index]))
  const [wantedAt, liveAt] = [places(wanted), places(live)]
  const by = (places: ReadonlyMap<unknown, number>) => (item: unknown) => places.get(identity(item)) ?? -1
  const sorted = (list: unknown[], place: (item: unknown) => number) =>
    list.sort((a, b) => place(a) - place(b))
  const [place, former] = [by(wantedAt), by(liveAt)]
  const left = sorted(
    items.filter((item) => place(item) < 0),
    former,
  )
  const ordered = sorted(
    items.filter((item) => place(item) >= 0),
    place,
  ).flatMap((item) => {
    const until = left.findIndex((other) => former(other) < 0 || former(other) >= former(item))
    return [...left.splice(0, until < 0 ? left.length : until), item]
  })
  return [...ordered, ...left]
}

/** The merge key's value of an item. */
function keyOf(item: unknown, key: string): unknown {
  if (isObject(item) && Object.hasOwn(item, key)) return item[key]
  throw new ApiFailure(500, '', `map: ${goText(item)} does not contain declared merge key: ${key}`)
}

function badDirective(patch: JsonObject): ApiFailure {
  return new ApiFailure(500, '', `unknown patch type: ${String(patch[directive])} in map: ${goText(patch)}`)
}

/** A value as Go prints it. */
function goText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`
  if (!isObject(value)) return value === null ? '<nil>' : String(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `map[${entries.map(([key, inner]) => `${key}:${goText(inner)}`).join(' ')}]`
}
