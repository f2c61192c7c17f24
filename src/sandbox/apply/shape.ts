import { isObject } from '../object.ts'
import type { Schema, TypeSchema } from '../schema.ts'
import { keyElement } from './fields.ts'

/** How a value is merged and owned, by its schema and, where that leaves it open, by what it is. */
export type Shape = ScalarShape | ListShape | MapShape

interface ScalarShape {
  readonly kind: 'scalar'
  readonly type: string | undefined
}

export interface ListShape {
  readonly kind: 'list'
  /** Owned and replaced as a whole. */
  readonly atomic: boolean
  /** The fields that tell items apart; none in a set. */
  readonly keys: readonly string[]
  readonly item: Schema
}

export interface MapShape {
  readonly kind: 'map'
  readonly atomic: boolean
  /** The schema of a field or key; undefined where there may be none of that name. */
  field(name: string): Schema | undefined
  /** Whether the schema names the field, as opposed to a key of a map. */
  declares(name: string): boolean
}

const preserve = 'x-kubernetes-preserve-unknown-fields'
const rawExtension = '#/components/schemas/io.k8s.apimachinery.pkg.runtime.RawExtension'

/** After kube-openapi's `schemaconv`. */
export function shapeOf(schema: Schema, value: unknown, types: TypeSchema): Shape {
  const resolved = resolve(schema, types)
  const kind = resolved.type === undefined ? kindOf(value) : (kindOfType[resolved.type] ?? 'scalar')
  if (kind === 'list') return listShape(resolved)
  return kind === 'map' ? mapShape(resolved) : { kind, type: scalarType(resolved) }
}

const kindOfType: Record<string, Shape['kind']> = { object: 'map', array: 'list' }

function kindOf(value: unknown): Shape['kind'] {
  if (Array.isArray(value)) return 'list'
  return typeof value === 'object' ? 'map' : 'scalar'
}

/** Times and int-or-strings are taken as they come. */
function scalarType({ type, format }: Schema): string | undefined {
  return type === 'string' && format !== undefined && format !== 'byte' ? undefined : type
}

function resolve(schema: Schema, types: TypeSchema): Schema {
  if (schema.$ref === undefined) return schema
  if (schema.$ref === rawExtension) return { 'x-kubernetes-map-type': 'atomic' }
  const mapType = schema['x-kubernetes-map-type']
  const resolved = types.resolve(schema)
  return mapType === undefined ? resolved : { ...resolved, 'x-kubernetes-map-type': mapType }
}

function listShape(schema: Schema): ListShape {
  const type = schema['x-kubernetes-list-type']
  return {
    kind: 'list',
    atomic: type === undefined || type === 'atomic',
    keys: type === 'map' ? (schema['x-kubernetes-list-map-keys'] ?? []) : [],
    item: inherit(schema, schema.items ?? { 'x-kubernetes-map-type': 'atomic' }),
  }
}

function mapShape(schema: Schema): MapShape {
  const { properties = {}, additionalProperties: others } = schema
  const isOpen = schema[preserve] === true || Object.keys(properties).length === 0
  const anyOther = others === undefined ? isOpen : others !== false
  const other = anyOther ? inherit(schema, isObject(others) ? others : {}) : undefined
  const declares = (name: string) => Object.hasOwn(properties, name)
  return {
    kind: 'map',
    atomic: schema['x-kubernetes-map-type'] === 'atomic',
    declares,
    field: (name) => (declares(name) ? inherit(schema, properties[name] ?? {}) : other),
  }
}

/** What is below a schema that keeps unknown fields keeps them too. */
function inherit(schema: Schema, inner: Schema): Schema {
  return schema[preserve] === true && inner.$ref === undefined ? { ...inner, [preserve]: true } : inner
}

/** The path element of a list's item; a key that is missing counts with its default. Throws what is wrong with the item. */
export function elementOf(list: ListShape, item: unknown, types: TypeSchema): string {
  if (list.keys.length === 0) return setElement(item)
  if (item === null) throw new TypeError('associative list with keys may not have a null element')
  if (!isObject(item)) throw new TypeError('associative list with keys may not have non-map elements')
  const properties = types.resolve(list.item).properties ?? {}
  const found = list.keys
    .map((key) => [key, item[key] ?? properties[key]?.default] as const)
    .filter(([, value]) => value !== undefined)
  if (found.length > 0) return keyElement(Object.fromEntries(found))
  const keys = list.keys.map((key) => JSON.stringify(key)).join(' ')
  throw new TypeError(
    `associative list with keys has an element that omits all key fields [${keys}] (and doesn't have default values for any key fields)`,
  )
}

function setElement(item: unknown): string {
  if (item === null)
    throw new TypeError("associative list without keys has an element that's an explicit null")
  if (Array.isArray(item)) throw new TypeError('not supported: associative list with lists as elements')
  if (isObject(item)) throw new TypeError("associative list without keys has an element that's a map type")
  return `v:${JSON.stringify(item)}`
}

/** A list's items by their path elements, in order. More than one have the same where a client was careless. */
export function byElement(list: ListShape, items: unknown, types: TypeSchema): Map<string, unknown[]> {
  const grouped = new Map<string, unknown[]>()
  if (!Array.isArray(items)) return grouped
  for (const item of items) {
    const element = elementOf(list, item, types)
    grouped.set(element, [...(grouped.get(element) ?? []), item])
  }
  return grouped
}

export const entriesOf = (value: unknown): [string, unknown][] =>
  isObject(value) ? Object.entries(value) : []

export const isEmpty = (value: unknown): boolean =>
  Array.isArray(value) ? value.length === 0 : Object.keys(isObject(value) ? value : {}).length === 0
