import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import { type Cause, notImplemented } from '../failure.ts'
import { isObject, type JsonObject } from '../object.ts'
import type { Schema, TypeSchema } from '../schema.ts'
import { duplicate, invalidValue, required, unsupported } from './causes.ts'
import type { Decoded } from './decode.ts'

const preserve = 'x-kubernetes-preserve-unknown-fields'
const embedded = 'x-kubernetes-embedded-resource'
const intOrString = 'x-kubernetes-int-or-string'
const listType = 'x-kubernetes-list-type'
/** Fields of every object, which are not checked by a CRD's schema. */
const objectFields = ['apiVersion', 'kind', 'metadata']

/**
 * A custom object as its structural schema leaves it: unknown fields pruned, nulls where none may be dropped, defaults set. The
 * object's own metadata is left alone. After apiextensions' `pruning` and `defaulting`.
 */
export function structured(object: JsonObject, { root }: TypeSchema): Decoded {
  const unknown: string[] = []
  const value = structuredAt(object, {
    schema: { ...root, [embedded]: true },
    path: '',
    unknown,
  })
  return { value: isObject(value) ? value : {}, unknown: unknown.sort() }
}

interface Place {
  readonly schema: Schema
  readonly path: string
  readonly unknown: string[]
}

function structuredAt(value: unknown, place: Place): unknown {
  const { schema, path } = place
  if (Array.isArray(value)) {
    const { items } = schema
    if (items === undefined) return value
    return value.map((item, index) =>
      structuredAt(item, { ...place, schema: items, path: `${path}[${index}]` }),
    )
  }
  if (!isObject(value)) return value
  const kept = Object.entries(value).flatMap(([name, inner]): [string, unknown][] => {
    const below = path === '' ? name : `${path}.${name}`
    const field = fieldOf(schema, name)
    if (field === undefined) place.unknown.push(below)
    if (field === undefined || (inner === null && field.nullable === false)) return []
    return [[name, structuredAt(inner, { ...place, schema: field, path: below })]]
  })
  const missing = Object.entries(schema.properties ?? {}).flatMap(([name, property]): [string, unknown][] => {
    if (property.default === undefined || kept.some(([field]) => field === name)) return []
    return [[name, structuredAt(property.default, { ...place, schema: property, unknown: [] })]]
  })
  return Object.fromEntries([...kept, ...missing])
}

/** The schema of a field; undefined where there may be none. */
function fieldOf(schema: Schema, name: string): Schema | undefined {
  const { properties = {}, additionalProperties: others } = schema
  const open: Schema = { [preserve]: true, nullable: true, additionalProperties: true }
  if (schema[embedded] && objectFields.includes(name)) return open
  const field = Object.hasOwn(properties, name) ? properties[name] : isObject(others) ? others : undefined
  if (field !== undefined) return { ...field, nullable: field.nullable === true }
  return others === true || schema[preserve] === true ? open : undefined
}

const formats = {
  byte: /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
  date: /^\d{4}-\d\d-\d\d$/,
  'date-time': /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/,
  int32: { type: 'number', validate: (value: number) => value >= -(2 ** 31) && value < 2 ** 31 },
} as const

const lenient = { strict: false, validateSchema: false, logger: false } as const
const ajv = new Ajv({ ...lenient, allErrors: true, verbose: true, ownProperties: true, formats })

// In a CRD whether a bound is exclusive is told by a keyword beside it, as in JSON Schema before its draft 6.
for (const [keyword, sign] of Object.entries({ Minimum: 1, Maximum: -1 })) {
  const exclusive = `exclusive${keyword}`
  ajv.removeKeyword(keyword.toLowerCase()).removeKeyword(exclusive)
  ajv.addKeyword({
    keyword: keyword.toLowerCase(),
    type: 'number',
    validate: (limit: number, value: number, schema: Schema = {}) =>
      sign * (value - limit) > 0 || (value === limit && schema[exclusive] !== true),
  })
}
ajv.addKeyword({
  keyword: intOrString,
  validate: (is: boolean, value: unknown) => !is || typeof value === 'string' || Number.isInteger(value),
})
ajv.addKeyword({
  keyword: listType,
  type: 'array',
  validate: (_: string, list: unknown[], schema: Schema = {}) => duplicates(list, schema).length === 0,
})

const checks = new WeakMap<Schema, ValidateFunction>()

/**
 * What is wrong with a custom object by the values that its CRD's schema allows, in a real server's words. Formats other than
 * those above are not checked, nor that an embedded resource says what it is.
 */
export function checkValues(object: JsonObject, { root }: TypeSchema): Cause[] {
  const check = checks.get(root) ?? compiled(root)
  checks.set(root, check)
  return check(object) ? [] : (check.errors ?? []).flatMap(causesOf)
}

function compiled({ properties = {}, ...root }: Schema): ValidateFunction {
  const own = Object.entries(properties).filter(([name]) => !objectFields.includes(name))
  try {
    return ajv.compile({ ...root, properties: Object.fromEntries(own) })
  } catch (error) {
    throw notImplemented(
      `a CRD's schema with what ajv refuses: ${error instanceof Error ? error.message : error}`,
    )
  }
}

/** What a value should, by the keyword whose limit it breaks. */
const should: Readonly<Record<string, (limit: unknown, schema: Schema) => string>> = {
  minimum: (min, schema) => `be greater than ${schema.exclusiveMinimum ? '' : 'or equal to '}${min}`,
  maximum: (max, schema) => `be less than ${schema.exclusiveMaximum ? '' : 'or equal to '}${max}`,
  multipleOf: (factor) => `be a multiple of ${factor}`,
  minLength: (min) => `be at least ${min} chars long`,
  minItems: (min) => `have at least ${min} items`,
  minProperties: (min) => `have at least ${min} properties`,
  pattern: (pattern) => `match '${pattern}'`,
}

function causesOf({ keyword, instancePath, schema, parentSchema = {}, data, params }: ErrorObject): Cause[] {
  const path = pathOf(instancePath)
  const size = isObject(data) ? Object.keys(data).length : Array.isArray(data) ? data.length : data
  const words = should[keyword]?.(schema, parentSchema)
  if (words !== undefined) return [invalidValue(path, size, `${path} in body should ${words}`)]
  const cause = (reason: string, message: string) => [{ reason, message, field: path }]
  switch (keyword) {
    case 'required':
      return [required(`${path}.${params.missingProperty}`.replace(/^\./, ''))]
    case 'enum':
      return [unsupported(path, data, params.allowedValues)]
    case listType:
      return duplicates(Array.isArray(data) ? data : [], parentSchema).map(({ index, identity }) =>
        duplicate(`${path}[${index}]`, identity),
      )
    case 'maxItems':
    case 'maxProperties':
      return cause('FieldValueTooMany', `Too many: ${size}: must have at most ${schema} items`)
    case 'maxLength':
      return cause('FieldValueTooLong', `Too long: may not be more than ${schema} bytes`)
    case 'type':
    case 'format':
    case intOrString: {
      const found = JSON.stringify(keyword === 'format' ? data : typeOf(data))
      const expected = keyword === intOrString ? 'integer,string' : schema
      const why = `${path} in body must be of type ${expected}: ${found}`
      return cause('FieldValueTypeInvalid', `Invalid value: ${found}: ${why}`)
    }
    default:
      return [invalidValue('<nil>', '', `"${path}" must validate the schema (${keyword})`)]
  }
}

/** `/spec/ports/0` -> `spec.ports[0]` */
function pathOf(pointer: string): string {
  const parts = pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  return parts
    .map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`))
    .join('')
    .replace(/^\./, '')
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value === 'number' && Number.isInteger(value) ? 'integer' : typeof value
}

/** Items of a set or a keyed list that are there already, with what they have in common. */
function duplicates(items: readonly unknown[], schema: Schema): { index: number; identity: unknown }[] {
  const keys = schema['x-kubernetes-list-map-keys']
  const identities = items.map((item) =>
    keys !== undefined && isObject(item) ? Object.fromEntries(keys.map((key) => [key, item[key]])) : item,
  )
  if (schema[listType] === 'atomic') return []
  const texts = identities.map((identity) => JSON.stringify(identity))
  return identities.flatMap((identity, index) =>
    texts.indexOf(texts[index] ?? '') < index ? [{ index, identity }] : [],
  )
}
