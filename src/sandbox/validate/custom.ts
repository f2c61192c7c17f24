import { isObject, type JsonObject } from '../object.ts'
import type { Schema, TypeSchema } from '../schema.ts'

const preserve = 'x-kubernetes-preserve-unknown-fields'
const embedded = 'x-kubernetes-embedded-resource'
/** Fields of every object, which a CRD's schema does not name. */
const objectFields = ['apiVersion', 'kind', 'metadata']

/**
 * A custom object as its structural schema leaves it: unknown fields pruned, nulls where none may be dropped, defaults set. The
 * object's own metadata is left alone. After apiextensions' `pruning` and `defaulting`.
 */
export function structured(object: JsonObject, schema: TypeSchema): { value: JsonObject; unknown: string[] } {
  const unknown: string[] = []
  const value = structuredAt(object, {
    schema: { ...schema.root, [embedded]: true },
    path: '',
    types: schema,
    unknown,
  })
  return { value: isObject(value) ? value : {}, unknown: unknown.sort() }
}

interface Place {
  readonly schema: Schema
  readonly path: string
  readonly types: TypeSchema
  readonly unknown: string[]
}

function structuredAt(value: unknown, place: Place): unknown {
  const schema = place.types.resolve(place.schema)
  if (Array.isArray(value)) {
    const { items } = schema
    if (items === undefined) return value
    return value.map((item, index) =>
      structuredAt(item, { ...place, schema: items, path: `${place.path}[${index}]` }),
    )
  }
  return isObject(value) ? structuredObject(value, schema, place) : value
}

function structuredObject(value: JsonObject, schema: Schema, place: Place): JsonObject {
  const result = new Map<string, unknown>()
  for (const [name, inner] of Object.entries(value)) {
    const path = place.path === '' ? name : `${place.path}.${name}`
    const field = fieldOf(schema, name)
    if (field === undefined) {
      if (schema[preserve] === true || isObjectField(schema, name)) result.set(name, inner)
      else place.unknown.push(path)
    } else if (inner !== null || field.nullable === true) {
      result.set(name, structuredAt(inner, { ...place, schema: field, path }))
    }
  }
  return withDefaults(result, schema, place)
}

const isObjectField = (schema: Schema, name: string) =>
  schema[embedded] === true && objectFields.includes(name)

function fieldOf(schema: Schema, name: string): Schema | undefined {
  if (isObjectField(schema, name)) return undefined
  const { properties = {}, additionalProperties } = schema
  if (Object.hasOwn(properties, name)) return properties[name]
  if (additionalProperties === true) return { [preserve]: true }
  return isObject(additionalProperties) ? additionalProperties : undefined
}

function withDefaults(fields: Map<string, unknown>, { properties = {} }: Schema, place: Place): JsonObject {
  for (const [name, property] of Object.entries(properties)) {
    if (fields.has(name) || property.default === undefined) continue
    fields.set(name, structuredAt(property.default, { ...place, schema: property, unknown: [] }))
  }
  return Object.fromEntries(fields)
}
