import { isObject } from '../object.ts'
import type { Schema, TypeSchema } from '../schema.ts'
import { keyElement } from './fields.ts'

/** How a value is merged and owned, by its schema and, where that leaves it open, by what it is. */
export interface Shape {
  readonly kind: 'scalar' | 'list' | 'map'
  /** Owned and replaced as a whole, as scalars always are. */
  readonly whole: boolean
  /** A scalar's type; undefined where any will do. */
  readonly type: string | undefined
  /** The fields that tell a list's items apart; none in a set. */
  readonly keys: readonly string[]
  /** The schema of what is at a path element; undefined where there may be none of that name. */
  at(element: string): Schema | undefined
  /** Whether the schema names the field, as opposed to a map's key or a list's item. */
  names(element: string): boolean
}

const preserve = 'x-kubernetes-preserve-unknown-fields'
const rawExtension = '#/components/schemas/io.k8s.apimachinery.pkg.runtime.RawExtension'

/** After kube-openapi's `schemaconv`. */
export function shapeOf(schema: Schema, value: unknown, types: TypeSchema): Shape {
  const resolved = resolve(schema, types)
  const kind = resolved.type === undefined ? kindOf(value) : (kindOfType[resolved.type] ?? 'scalar')
  const { type, format, properties = {}, 'x-kubernetes-list-type': listType } = resolved
  const names = (element: string) => Object.hasOwn(properties, element.slice(2))
  const isAtomicList = listType === undefined || listType === 'atomic'
  return {
    kind,
    whole:
      kind === 'list' ? isAtomicList : kind === 'scalar' || resolved['x-kubernetes-map-type'] === 'atomic',
    // Times and int-or-strings are taken as they come.
    type: type === 'string' && format !== undefined && format !== 'byte' ? undefined : type,
    keys: listType === 'map' ? (resolved['x-kubernetes-list-map-keys'] ?? []) : [],
    at: (element) =>
      inherit(
        resolved,
        kind === 'list'
          ? itemOf(resolved)
          : names(element)
            ? properties[element.slice(2)]
            : otherOf(resolved),
      ),
    names: (element) => kind === 'map' && names(element),
  }
}

const kindOfType: Record<string, Shape['kind']> = { object: 'map', array: 'list' }

function kindOf(value: unknown): Shape['kind'] {
  if (Array.isArray(value)) return 'list'
  return typeof value === 'object' ? 'map' : 'scalar'
}

function resolve(schema: Schema, types: TypeSchema): Schema {
  if (schema.$ref === undefined) return schema
  if (schema.$ref === rawExtension) return { 'x-kubernetes-map-type': 'atomic' }
  const mapType = schema['x-kubernetes-map-type']
  const resolved = types.resolve(schema)
  return mapType === undefined ? resolved : { ...resolved, 'x-kubernetes-map-type': mapType }
}

const itemOf = ({ items }: Schema): Schema => items ?? { 'x-kubernetes-map-type': 'atomic' }

function otherOf(schema: Schema): Schema | undefined {
  const { properties = {}, additionalProperties: others } = schema
  const isOpen = schema[preserve] === true || Object.keys(properties).length === 0
  if (others === undefined ? !isOpen : others === false) return undefined
  return isObject(others) ? others : {}
}

/** What is below a schema that keeps unknown fields keeps them too. */
function inherit(schema: Schema, inner: Schema | undefined): Schema | undefined {
  const keeps = schema[preserve] === true && inner !== undefined && inner.$ref === undefined
  return keeps ? { ...inner, [preserve]: true } : inner
}

/** What is at a path element of a map or list. There is more than one value where a client was careless with a list's keys. */
export interface Child {
  readonly element: string
  readonly values: readonly unknown[]
  readonly schema: Schema | undefined
}

/** What is in a map or list, in order; nothing is in a value of another kind. Throws what is wrong with a list's item. */
export function childrenOf(shape: Shape, value: unknown, types: TypeSchema): Child[] {
  const grouped = new Map<string, unknown[]>()
  const add = (element: string, inner: unknown) =>
    grouped.set(element, [...(grouped.get(element) ?? []), inner])
  if (shape.kind === 'map' && isObject(value)) {
    for (const [name, inner] of Object.entries(value)) if (inner !== undefined) add(`f:${name}`, inner)
  } else if (shape.kind === 'list' && Array.isArray(value)) {
    for (const [index, item] of value.entries()) add(elementOf(shape, { item, index }, types), item)
  }
  return [...grouped].map(([element, values]) => ({ element, values, schema: shape.at(element) }))
}

/** The path element of a list's item; a key that is missing counts with its default. */
function elementOf(
  list: Shape,
  { item, index }: { item: unknown; index: number },
  types: TypeSchema,
): string {
  if (list.whole) return `i:${index}`
  const wrong = (why: string) => new TypeError(`element ${index}: associative list ${why}`)
  if (list.keys.length === 0) {
    if (typeof item !== 'object') return `v:${JSON.stringify(item)}`
    throw wrong(`without keys has an element that's ${item === null ? 'an explicit null' : 'a map type'}`)
  }
  if (!isObject(item))
    throw wrong(`with keys may not have ${item === null ? 'a null element' : 'non-map elements'}`)
  const properties = types.resolve(list.at('') ?? {}).properties ?? {}
  const found = list.keys
    .map((key) => [key, item[key] ?? properties[key]?.default] as const)
    .filter(([, value]) => value !== undefined)
  if (found.length > 0) return keyElement(Object.fromEntries(found))
  const keys = list.keys.map((key) => JSON.stringify(key)).join(' ')
  throw wrong(
    `with keys has an element that omits all key fields [${keys}] (and doesn't have default values for any key fields)`,
  )
}

/** The map or list that has these children. */
export function rebuilt(
  { kind }: Shape,
  children: readonly (readonly [element: string, value: unknown])[],
): unknown {
  if (kind === 'list') return children.map(([, value]) => value)
  return Object.fromEntries(children.map(([element, value]) => [element.slice(2), value]))
}
