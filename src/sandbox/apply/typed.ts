import { isDeepStrictEqual } from 'node:util'
import { isObject } from '../object.ts'
import type { Schema, TypeSchema } from '../schema.ts'
import { below, type FieldSet, type Path, textOf, without } from './fields.ts'
import { childrenOf, type Shape, shapeOf } from './shape.ts'

interface Found {
  /** A value that is compared as a whole, or `inside` where what is in it is compared. */
  readonly value: unknown
  readonly whole: boolean
  readonly owned: boolean
}

const inside = Symbol('what is in it')

interface Place {
  readonly schema: Schema
  readonly path: Path
  readonly named: boolean
}

/** All that is in a value, by its path. */
function contentsOf(value: unknown, types: TypeSchema): Map<Path, Found> {
  const contents = new Map<Path, Found>()
  const visit = (value: unknown, { schema, path, named }: Place) => {
    const shape = shapeOf(schema, value, types)
    const children = shape.whole ? [] : childrenOf(shape, value, types)
    const isBare = children.length === 0 && !Array.isArray(value)
    const owned = isBare || shape.whole || !named
    contents.set(path, { value: children.length > 0 ? inside : value, whole: shape.whole, owned })
    for (const { element, values, schema: inner = {} } of children) {
      const place = { schema: inner, path: below(path, element), named: shape.names(element) }
      // Items that share an element are one thing that cannot be looked into.
      if (values.length > 1) contents.set(place.path, { value: values, whole: true, owned: true })
      else visit(values[0], place)
    }
  }
  visit(value, { schema: types.root, path: '', named: true })
  contents.delete('')
  return contents
}

/** The fields of a value: what its owner owns by applying it. */
export function fieldsOf(value: unknown, types: TypeSchema): FieldSet {
  return new Set([...contentsOf(value, types)].flatMap(([path, { owned }]) => (owned ? [path] : [])))
}

/** What became of the fields of a value: no field is in more than one of the sets. */
export interface Comparison {
  readonly added: FieldSet
  readonly removed: FieldSet
  readonly modified: FieldSet
}

/** How two values differ, but for what is never looked at. */
export function compare(
  { before, after }: { before: unknown; after: unknown },
  types: TypeSchema,
  ignored: FieldSet,
): Comparison {
  const [former, latter] = [contentsOf(before, types), contentsOf(after, types)]
  const pick = (from: ReadonlyMap<Path, Found>, is: (path: Path) => boolean) =>
    without(new Set([...from.keys()].filter(is)), ignored)
  return {
    added: pick(latter, (path) => !former.has(path)),
    removed: pick(former, (path) => !latter.has(path)),
    modified: pick(latter, (path) => former.has(path) && differ(former.get(path), latter.get(path))),
  }
}

function differ(a: Found | undefined, b: Found | undefined): boolean {
  if (a?.value === inside) return b?.whole === true
  return b?.value === inside ? a?.whole === true : !isDeepStrictEqual(a?.value, b?.value)
}

/** Why an object cannot be applied by its schema: wrong types, fields that do not exist, items that are told apart by nothing. */
export function problemsOf(
  value: unknown,
  types: TypeSchema,
  { schema, path }: Pick<Place, 'schema' | 'path'> = { schema: types.root, path: '' },
): string[] {
  if (value === null) return []
  const told = (problem: string, place = path) => (place === '' ? problem : `${textOf(place)}: ${problem}`)
  const shape = shapeOf(schema, value, types)
  const mismatch = mismatchOf(shape, value)
  if (mismatch !== undefined) return [told(mismatch)]
  try {
    return childrenOf(shape, value, types).flatMap(({ element, values, schema: inner }) => {
      const place = below(path, element)
      if (inner === undefined) return [told('field not declared in schema', place)]
      const twice = values.length > 1 ? [told(`duplicate entries for key ${textOf(element)}`)] : []
      return [...twice, ...values.flatMap((one) => problemsOf(one, types, { schema: inner, path: place }))]
    })
  } catch (error) {
    return [told(error instanceof Error ? error.message : String(error))]
  }
}

function mismatchOf({ kind, type = '' }: Shape, value: unknown): string | undefined {
  const expected = kind === 'scalar' ? (scalars[type] ?? 'any scalar') : kind
  const found = Array.isArray(value) ? 'list' : isObject(value) ? 'map' : typeof value
  const fits = expected === 'any scalar' ? typeof value !== 'object' : found === (types[expected] ?? expected)
  if (fits) return undefined
  const plain = typeof value === 'object' ? goType(value) : String(value)
  if (expected === 'numeric (int or float)') return `expected ${expected}, got ${goType(value)}`
  if (expected !== 'string') return `expected ${expected}, got &{${plain}}`
  return `expected string, got &value.valueUnstructured{Value:${plain}}`
}

const numeric = 'numeric (int or float)'
const scalars: Record<string, string> = {
  integer: numeric,
  number: numeric,
  string: 'string',
  boolean: 'boolean',
}
const types: Record<string, string> = { [numeric]: 'number' }

function goType(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}'
  if (typeof value === 'object') return 'map[string]interface {}'
  return typeof value === 'boolean' ? 'bool' : typeof value
}
