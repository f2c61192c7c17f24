import { badRequest } from '../failure.ts'
import { isObject, type JsonObject } from '../object.ts'
import { jsonType } from '../patch.ts'
import type { Schema, TypeSchema } from '../schema.ts'
import { canonicalQuantity } from './quantity.ts'
import { isUnset } from './unset.ts'

/** What a decoder makes of an object, and the fields it does not know. */
export interface Decoded {
  readonly value: JsonObject
  readonly unknown: readonly string[]
}

/**
 * Reads an object as a server does that has a Go type for it: unknown fields and nulls are dropped, and what Go would not write again
 * (`omitempty`) is too; quantities get their canonical form. Throws what Go's decoder says of a wrong type, without the
 * words around it.
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
const quantityId = 'io.k8s.apimachinery.pkg.api.resource.Quantity'

function decodeAt(value: unknown, place: Place): unknown {
  if (value === null) return undefined
  const schema = place.types.resolve(place.schema)
  if (idOf(place.schema) === quantityId) return canonicalQuantity(value)
  if (schema.format === 'int-or-string') return expectScalar(value, place, ['string', 'integer'])
  if (schema.type === 'object') return decodeObject(value, schema, place)
  if (schema.type === 'array') return decodeList(value, schema, place)
  if (schema.type === undefined) return value
  expectScalar(value, place, [schema.type])
  if (schema.format === 'byte') checkBase64(String(value))
  if (schema.format === 'date-time') checkTime(String(value))
  return value
}

function decodeObject(value: unknown, schema: Schema, place: Place): unknown {
  if (!isObject(value)) throw mismatch(value, place)
  const { properties, additionalProperties } = schema
  if (properties !== undefined) return decodeStruct(value, { ...schema, properties }, place)
  if (!isObject(additionalProperties)) return value
  const entries = Object.entries(value).map(([key, inner]) => {
    const below = { ...place, schema: additionalProperties, path: `${place.path}.${key}` }
    return [key, decodeAt(inner, below) ?? zeroOf(below)]
  })
  return Object.fromEntries(entries)
}

type Struct = Schema & { readonly properties: Readonly<Record<string, Schema>> }

function decodeStruct(value: JsonObject, schema: Struct, place: Place): JsonObject {
  const struct = idOf(place.schema).split('.').at(-1) || place.struct
  const decoded = new Map<string, unknown>()
  for (const [name, inner] of Object.entries(value)) {
    const path = place.path === '' ? name : `${place.path}.${name}`
    const property = Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined
    if (property === undefined) {
      place.unknown.push(path)
      continue
    }
    const fieldPath = place.fieldPath === '' ? name : `${place.fieldPath}.${name}`
    const field = decodeAt(inner, { ...place, schema: property, path, fieldPath, struct })
    const isRequired = schema.required?.includes(name) ?? false
    const type = place.types.resolve(property)
    if (field !== undefined && (isRequired || !isUnset(field, { name, type, struct })))
      decoded.set(name, field)
  }
  return Object.fromEntries(decoded)
}

function decodeList(value: unknown, { items = {} }: Schema, place: Place): unknown {
  if (!Array.isArray(value)) throw mismatch(value, place)
  return value.map((item, index) => {
    const below = { ...place, schema: items, path: `${place.path}[${index}]` }
    return decodeAt(item, below) ?? zeroOf(below)
  })
}

/** What Go has where JSON has null among items. */
function zeroOf({ schema, types }: Place): unknown {
  const zeros: Record<string, unknown> = {
    object: {},
    array: [],
    string: '',
    integer: 0,
    number: 0,
    boolean: false,
  }
  return zeros[types.resolve(schema).type ?? ''] ?? null
}

function expectScalar(value: unknown, place: Place, types: readonly string[]): unknown {
  const isInteger = typeof value === 'number' && Number.isInteger(value)
  if (types.includes(isInteger ? 'integer' : typeof value)) return value
  if (isInteger && types.includes('number')) return value
  throw mismatch(value, place)
}

function mismatch(value: unknown, place: Place) {
  const found = typeof value === 'number' && !Number.isInteger(value) ? `number ${value}` : jsonType(value)
  const field = place.fieldPath === '' ? '' : ` struct field ${place.struct}.${place.fieldPath}`
  const into = field === '' ? ' value' : field
  return badRequest(
    `json: cannot unmarshal ${found} into Go${into} of type ${goType(place.schema, place.types)}`,
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

function checkBase64(text: string): void {
  const bad = text.search(/[^A-Za-z0-9+/=\r\n]/)
  const isWhole = text.replace(/[\r\n]/g, '').length % 4 === 0
  if (bad >= 0 || !isWhole)
    throw badRequest(`illegal base64 data at input byte ${bad >= 0 ? bad : text.length}`)
}

const rfc3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/

function checkTime(text: string): void {
  if (rfc3339.test(text) && !Number.isNaN(Date.parse(text))) return
  const quoted = JSON.stringify(text)
  throw badRequest(`parsing time ${quoted} as "2006-01-02T15:04:05Z07:00": cannot parse ${quoted} as "2006"`)
}
