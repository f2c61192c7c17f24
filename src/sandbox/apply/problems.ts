import { isObject } from '../object.ts'
import type { Schema, TypeSchema } from '../schema.ts'
import { textOf } from './fields.ts'
import { elementOf, entriesOf, type ListShape, type MapShape, type Shape, shapeOf } from './shape.ts'

/** Why an object cannot be applied by its schema: wrong types, fields that do not exist, items that are told apart by nothing. */
export function typeProblems(value: unknown, types: TypeSchema): string[] {
  return problemsAt({ value, schema: types.root, path: [] }, types)
}

interface Place {
  readonly value: unknown
  readonly schema: Schema
  readonly path: readonly string[]
}

const told = ({ path }: Place, problem: string) =>
  path.length === 0 ? problem : `${textOf(path)}: ${problem}`

function problemsAt(place: Place, types: TypeSchema): string[] {
  if (place.value === null) return []
  const shape = shapeOf(place.schema, place.value, types)
  const problem = mismatch(shape, place.value)
  if (problem !== undefined) return [told(place, problem)]
  if (shape.kind === 'map') return problemsOfFields(place, shape, types)
  return shape.kind === 'list' ? problemsOfItems(place, shape, types) : []
}

function mismatch(shape: Shape, value: unknown): string | undefined {
  const expected = shape.kind === 'scalar' ? scalarName(shape.type) : shape.kind
  if (isA(expected, value)) return undefined
  if (expected === 'numeric (int or float)') return `expected ${expected}, got ${goType(value)}`
  const plain = typeof value === 'object' ? goType(value) : String(value)
  if (expected !== 'string') return `expected ${expected}, got &{${plain}}`
  const quoted = typeof value === 'object' ? goType(value) : JSON.stringify(value)
  return `expected string, got &value.valueUnstructured{Value:${quoted}}`
}

function scalarName(type: string | undefined): string {
  if (type === 'integer' || type === 'number') return 'numeric (int or float)'
  return type === 'string' || type === 'boolean' ? type : 'any scalar'
}

function isA(expected: string, value: unknown): boolean {
  if (expected === 'list') return Array.isArray(value)
  if (expected === 'map') return isObject(value)
  if (expected === 'any scalar') return typeof value !== 'object'
  return typeof value === (expected === 'numeric (int or float)' ? 'number' : expected)
}

function goType(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}'
  if (typeof value === 'object') return 'map[string]interface {}'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

function problemsOfFields({ value, path }: Place, shape: MapShape, types: TypeSchema): string[] {
  return entriesOf(value).flatMap(([name, inner]) => {
    const place = { value: inner, schema: shape.field(name), path: [...path, `f:${name}`] }
    if (place.schema === undefined) return [told({ ...place, schema: {} }, 'field not declared in schema')]
    return problemsAt({ ...place, schema: place.schema }, types)
  })
}

function problemsOfItems(place: Place, shape: ListShape, types: TypeSchema): string[] {
  const seen = new Set<string>()
  const items = Array.isArray(place.value) ? place.value : []
  return items.flatMap((item, index) => {
    try {
      const element = !shape.atomic ? elementOf(shape, item, types) : `i:${index}`
      const isTwice = seen.has(element)
      seen.add(element)
      const twice = isTwice ? [told(place, `duplicate entries for key ${textOf([element])}`)] : []
      return [
        ...twice,
        ...problemsAt({ value: item, schema: shape.item, path: [...place.path, element] }, types),
      ]
    } catch (error) {
      return [told(place, `element ${index}: ${error instanceof Error ? error.message : String(error)}`)]
    }
  })
}
