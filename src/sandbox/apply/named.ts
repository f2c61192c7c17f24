import { isObject } from '../object.ts'
import type { Schema, TypeSchema } from '../schema.ts'
import type { FieldSet } from './fields.ts'
import { shapeOf } from './shape.ts'

/**
 * The set with every field that the schema names and that has something in the set below it. A manager of `spec.replicas` does not
 * own `spec`, yet both come and go together.
 */
export function withNamed(fields: FieldSet, types: TypeSchema, schema: Schema = types.root): FieldSet {
  const map = shapeOf(schema, {}, types)
  const list = shapeOf(schema, [], types)
  return new Map(
    [...fields].map(([element, { owned, inner }]) => {
      const name = element.slice(2)
      const isField = element.startsWith('f:') && map.kind === 'map'
      const named = isField && inner.size > 0 && map.declares(name)
      const below = isField ? map.field(name) : list.kind === 'list' ? list.item : undefined
      return [element, { owned: owned || named, inner: withNamed(inner, types, below ?? {}) }]
    }),
  )
}

/**
 * The value with what Kubernetes' own types always have, set or not: structs that are no pointers, and fields that are
 * written even when they are zero. The schema tells them by their defaults and by what it requires.
 */
export function withZeros(value: unknown, types: TypeSchema, schema: Schema = types.root): unknown {
  const { properties = {}, additionalProperties, items, required = [] } = types.resolve(schema)
  if (Array.isArray(value))
    return items === undefined ? value : value.map((item) => withZeros(item, types, items))
  if (!isObject(value)) return value
  const filled = new Map(Object.entries(value))
  for (const [name, property] of Object.entries(properties)) {
    const inner = filled.get(name) ?? zeroOf(property, required.includes(name), types)
    if (inner !== undefined) filled.set(name, withZeros(inner, types, property))
  }
  if (!isObject(additionalProperties)) return Object.fromEntries(filled)
  return Object.fromEntries(
    [...filled].map(([key, inner]) => [key, withZeros(inner, types, additionalProperties)]),
  )
}

function zeroOf(property: Schema, isRequired: boolean, types: TypeSchema): unknown {
  if (property.$ref !== undefined && isObject(property.default)) {
    return types.resolve(property).type === 'object' ? {} : undefined
  }
  if (!isRequired) return undefined
  return property.type === 'array' ? null : property.default
}
