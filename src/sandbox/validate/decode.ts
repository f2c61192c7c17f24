import { badRequest } from '../failure.ts'
import { isObject, type JsonObject } from '../object.ts'
import { jsonType } from '../patch.ts'
import type { Schema, TypeSchema } from '../schema.ts'

/** What a decoder makes of an object, and the fields it does not know. */
export interface Decoded {
  readonly value: JsonObject
  readonly unknown: readonly string[]
}

/**
 * Reads an object as a server does that has a Go type for it: unknown fields, nulls and what is empty are dropped. Throws what Go's decoder
 * says of a wrong type, without the words around it. Other than there, a zero or false that was written stays, and quantities are
 * left as they were written.
 */
export function decode(object: JsonObject, schema: TypeSchema, kind: string): Decoded {
  const unknown: string[] = []
  const place = { schema: schema.root, types: schema, path: '', fieldPath: '', struct: kind, unknown }
  const value = decodeAt(object, place)
  return { value: isObject(value) ? value : {}, unknown }
}

interface Place {
  readonly schema: Schema
  readonly types: TypeSchema
  /** As unknown fields are told of: `spec.containers[0].image`. */
  readonly path: string
  /** As Go's decoder tells of fields: `spec.containers.image`. */
  readonly fieldPath: string
  /** The Go type that has the field. */
  readonly struct: string
  readonly unknown: string[]
}

const idOf = (schema: Schema) => schema.$ref?.split('/').at(-1) ?? ''
const join = (path: string, name: string) => (path === '' ? name : `${path}.${name}`)

function decodeAt(value: unknown, place: Place): unknown {
  if (value === null) return undefined
  const {
    type,
    format,
    items = {},
    properties,
    additionalProperties: others,
  } = place.types.resolve(place.schema)
  if (idOf(place.schema).endsWith('.Quantity')) return quantity(value)
  if (type === undefined && format === undefined) return value
  const found = typeof value === 'number' && Number.isInteger(value) ? 'integer' : jsonType(value)
  const fits =
    format === 'int-or-string'
      ? /integer|string/.test(found)
      : found === goTypes[type ?? ''] || found === type
  if (!fits && !(type === 'number' && found === 'integer')) throw mismatch(value, place)
  if (Array.isArray(value)) {
    return value.map((item, index) =>
      decodeAt(item, { ...place, schema: items, path: `${place.path}[${index}]` }),
    )
  }
  if (isObject(value) && properties !== undefined) return decodeStruct(value, properties, place)
  if (isObject(value) && isObject(others)) {
    const entries = Object.entries(value)
    return Object.fromEntries(
      entries.map(([key, item]) => [
        key,
        decodeAt(item, { ...place, schema: others, path: `${place.path}.${key}` }),
      ]),
    )
  }
  if (format === 'byte') checkBase64(String(value))
  if (format === 'date-time') checkTime(String(value))
  return value
}

const goTypes: Readonly<Record<string, string>> = { boolean: 'bool' }

function decodeStruct(
  value: JsonObject,
  properties: Readonly<Record<string, Schema>>,
  place: Place,
): JsonObject {
  const { required = [] } = place.types.resolve(place.schema)
  const struct = idOf(place.schema).split('.').at(-1) || place.struct
  const fields = Object.entries(value).flatMap(([name, inner]) => {
    const path = join(place.path, name)
    const schema = Object.hasOwn(properties, name) ? properties[name] : undefined
    if (schema === undefined) {
      place.unknown.push(path)
      return []
    }
    const field = decodeAt(inner, { ...place, schema, path, fieldPath: join(place.fieldPath, name), struct })
    const isMap = place.types.resolve(schema).additionalProperties !== undefined
    const isSet = required.includes(name) || !isEmpty(field, { name, isMap })
    return field === undefined || !isSet ? [] : [[name, field] as const]
  })
  return Object.fromEntries(fields)
}

/** Whether Go would not write an optional field (`omitempty`). An empty class is a value: it means none. */
function isEmpty(value: unknown, { name, isMap }: { name: string; isMap: boolean }): boolean {
  if (Array.isArray(value)) return value.length === 0
  return isObject(value)
    ? isMap && Object.keys(value).length === 0
    : value === '' && !/Class(Name)?$/.test(name)
}

function mismatch(value: unknown, place: Place) {
  const found = typeof value === 'number' && !Number.isInteger(value) ? `number ${value}` : jsonType(value)
  const into = place.fieldPath === '' ? 'value' : `struct field ${place.struct}.${place.fieldPath}`
  return badRequest(
    `json: cannot unmarshal ${found} into Go ${into} of type ${goType(place.schema, place.types)}`,
  )
}

function goType(schema: Schema, types: TypeSchema): string {
  const { type, format, items, additionalProperties } = types.resolve(schema)
  if (type === 'array') return `[]${goType(items ?? {}, types)}`
  if (isObject(additionalProperties)) return `map[string]${goType(additionalProperties, types)}`
  if (format === 'int-or-string') return 'int32'
  if (type === 'integer') return format ?? 'int'
  if (type === 'boolean') return 'bool'
  if (type === 'number') return 'float64'
  if (type === 'string' && format !== 'date-time') return format === 'byte' ? '[]uint8' : 'string'
  return idOf(schema).split('.').slice(-2).join('.')
}

function quantity(value: unknown): string {
  const text = typeof value === 'number' || typeof value === 'string' ? String(value) : ''
  if (/^[+-]?(\d+\.?\d*|\.\d+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)?$/.test(text)) return text
  const pattern = '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'
  throw badRequest(`quantities must match the regular expression '${pattern}'`)
}

function checkBase64(text: string): void {
  const bad = text.search(/[^A-Za-z0-9+/=\r\n]/)
  if (bad < 0 && text.replace(/[\r\n]/g, '').length % 4 === 0) return
  throw badRequest(`illegal base64 data at input byte ${bad >= 0 ? bad : text.length}`)
}

const rfc3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/

function checkTime(text: string): void {
  if (rfc3339.test(text) && !Number.isNaN(Date.parse(text))) return
  const quoted = JSON.stringify(text)
  throw badRequest(`parsing time ${quoted} as "2006-01-02T15:04:05Z07:00": cannot parse ${quoted} as "2006"`)
}
