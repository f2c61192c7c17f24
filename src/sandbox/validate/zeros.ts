import { isObject } from '../object.ts'
import type { Schema, TypeSchema } from '../schema.ts'

/**
 * The value with what Kubernetes' own types always have, set or not: structs that are no pointers, and fields that are
 * written even when they are zero. The schema tells them by their defaults and by what it requires.
 */
export function withZeros(value: unknown, types: TypeSchema, schema: Schema = types.root): unknown {
  const { properties = {}, additionalProperties: others, items, required = [] } = types.resolve(schema)
  if (Array.isArray(value) && items !== undefined) return value.map((item) => withZeros(item, types, items))
  if (!isObject(value)) return value
  const filled = new Map(Object.entries(value))
  for (const [name, property] of Object.entries(properties)) {
    const inner = filled.get(name) ?? zeroOf(property, required.includes(name), types)
    if (inner !== undefined) filled.set(name, withZeros(inner, types, property))
  }
  if (!isObject(others)) return Object.fromEntries(filled)
  return Object.fromEntries([...filled].map(([key, inner]) => [key, withZeros(inner, types, others)]))
}

function zeroOf(property: Schema, isRequired: boolean, types: TypeSchema): unknown {
  if (property.$ref !== undefined && isObject(property.default)) {
    return types.resolve(property).type === 'object' ? {} : undefined
  }
  if (!isRequired) return undefined
  return property.type === 'array' ? null : property.default
}
