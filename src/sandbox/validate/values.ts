import { isDeepStrictEqual } from 'node:util'
import type { Cause } from '../failure.ts'
import { isObject, type JsonObject } from '../object.ts'
import type { Schema, TypeSchema } from '../schema.ts'
import { duplicate, invalidValue, required, tooMany, unsupported } from './causes.ts'
import { formats } from './formats.ts'
import { duplicates } from './lists.ts'

/** What is wrong with a custom object by the values its CRD's schema allows, in a real server's words. */
export function checkValues(object: JsonObject, schema: TypeSchema): Cause[] {
  return checkAt({ value: object, schema: schema.root, path: '' }, schema)
}

interface Place {
  readonly value: unknown
  readonly schema: Schema
  readonly path: string
}

function checkAt(place: Place, types: TypeSchema): Cause[] {
  const schema = types.resolve(place.schema)
  const { value, path } = place
  if (value === null && schema.nullable === true) return []
  const here = { value, path, schema }
  const causes = [...checkType(here), ...checkEnum(here), ...checkAlternatives(here, types)]
  if (typeof value === 'number') return [...causes, ...checkNumber({ ...here, value })]
  if (typeof value === 'string') return [...causes, ...checkString({ ...here, value })]
  if (Array.isArray(value)) return [...causes, ...checkList({ ...here, value }, types)]
  return isObject(value) ? [...causes, ...checkFields({ ...here, value }, types)] : causes
}

/** Checks that a schema asks for with a number; undefined where it does not. */
const limit = (schema: Schema, keyword: string): number | undefined => {
  const value = schema[keyword]
  return typeof value === 'number' ? value : undefined
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value === 'number' && Number.isInteger(value) ? 'integer' : typeof value
}

function checkType({ value, schema, path }: Place): Cause[] {
  const allowed = schema['x-kubernetes-int-or-string'] ? ['integer', 'string'] : [schema.type]
  const found = typeOf(value)
  if (allowed[0] === undefined || allowed.includes(found)) return []
  if (found === 'integer' && allowed.includes('number')) return []
  const expected = `${path} in body must be of type ${allowed.join(',')}: "${found}"`
  return [{ reason: 'FieldValueTypeInvalid', message: `Invalid value: "${found}": ${expected}`, field: path }]
}

function checkEnum({ value, schema, path }: Place): Cause[] {
  if (schema.enum === undefined || schema.enum.some((allowed) => isDeepStrictEqual(allowed, value))) return []
  return [unsupported(path, value, schema.enum)]
}

function checkNumber({ value, schema, path }: Place & { value: number }): Cause[] {
  const [min, max, factor] = [limit(schema, 'minimum'), limit(schema, 'maximum'), limit(schema, 'multipleOf')]
  const told = (problem: string) => invalidValue(path, value, `${path} in body should be ${problem}`)
  const isBelow = min !== undefined && (schema.exclusiveMinimum ? value <= min : value < min)
  const isAbove = max !== undefined && (schema.exclusiveMaximum ? value >= max : value > max)
  return [
    ...(isBelow ? [told(`greater than ${schema.exclusiveMinimum ? '' : 'or equal to '}${min}`)] : []),
    ...(isAbove ? [told(`less than ${schema.exclusiveMaximum ? '' : 'or equal to '}${max}`)] : []),
    ...(factor !== undefined && value % factor !== 0 ? [told(`a multiple of ${factor}`)] : []),
    ...checkIntegerFormat({ value, schema, path }),
  ]
}

function checkIntegerFormat({ value, schema, path }: Place & { value: number }): Cause[] {
  if (schema.type !== 'integer') return []
  const isFit = schema.format !== 'int32' || (value >= -(2 ** 31) && value < 2 ** 31)
  if (isFit && Number.isInteger(value)) return []
  const format = isFit ? '(default format)' : 'with format int32'
  return [unnamed(`Checked value must be of type integer ${format} in ${path}`)]
}

/** What is told of no field: the server's own way to say it. */
const unnamed = (problem: string): Cause => invalidValue('<nil>', '', problem)

function checkString({ value, schema, path }: Place & { value: string }): Cause[] {
  const [min, max] = [limit(schema, 'minLength'), limit(schema, 'maxLength')]
  const { length } = [...value]
  const { pattern, format = '' } = schema
  const isMatch = typeof pattern !== 'string' || new RegExp(pattern, 'u').test(value)
  const isFormat = formats[format]?.test(value) ?? true
  const ofFormat = `${path} in body must be of type ${format}: ${JSON.stringify(value)}`
  return [
    ...(min !== undefined && length < min
      ? [invalidValue(path, value, `${path} in body should be at least ${min} chars long`)]
      : []),
    ...(max !== undefined && length > max
      ? [{ reason: 'FieldValueTooLong', message: `Too long: may not be more than ${max} bytes`, field: path }]
      : []),
    ...(isMatch ? [] : [invalidValue(path, value, `${path} in body should match '${pattern}'`)]),
    ...(isFormat ? [] : [{ ...invalidValue(path, value, ofFormat), reason: 'FieldValueTypeInvalid' }]),
  ]
}

function checkList({ value, schema, path }: Place & { value: unknown[] }, types: TypeSchema): Cause[] {
  const items = value.flatMap((item, index) =>
    checkAt({ value: item, schema: schema.items ?? {}, path: `${path}[${index}]` }, types),
  )
  const twice = duplicates(value, schema).map(({ index, identity }) =>
    duplicate(`${path}[${index}]`, identity),
  )
  return [...checkSize({ value: value.length, schema, path }, 'Items'), ...items, ...twice]
}

function checkSize(
  { value, schema, path }: Place & { value: number },
  what: 'Items' | 'Properties',
): Cause[] {
  const [min, max] = [limit(schema, `min${what}`), limit(schema, `max${what}`)]
  if (min !== undefined && value < min) {
    return [invalidValue(path, value, `${path} in body should have at least ${min} ${what.toLowerCase()}`)]
  }
  return max !== undefined && value > max ? [tooMany(path, value, max)] : []
}

function checkFields({ value, schema, path }: Place & { value: JsonObject }, types: TypeSchema): Cause[] {
  const { properties = {}, additionalProperties } = schema
  const others = isObject(additionalProperties) ? additionalProperties : {}
  const below = (name: string) => (path === '' ? name : `${path}.${name}`)
  const embedded = schema['x-kubernetes-embedded-resource'] ? ['apiVersion', 'kind'] : []
  const missing = [...(schema.required ?? []), ...embedded].filter((name) => value[name] === undefined)
  const fields = Object.entries(value).flatMap(([name, inner]) => {
    const field = Object.hasOwn(properties, name) ? (properties[name] ?? {}) : others
    return checkAt({ value: inner, schema: field, path: below(name) }, types)
  })
  const size = checkSize({ value: Object.keys(value).length, schema, path }, 'Properties')
  return [...size, ...missing.map((name) => required(below(name))), ...fields]
}

const schemasOf = (schema: Schema, keyword: string): Schema[] => {
  const value = schema[keyword]
  return Array.isArray(value) ? value.filter(isObject) : []
}

function checkAlternatives({ value, schema, path }: Place, types: TypeSchema): Cause[] {
  const outcomes = (keyword: string) =>
    schemasOf(schema, keyword).map((alternative) => checkAt({ value, schema: alternative, path }, types))
  const isValid = (causes: Cause[]) => causes.length === 0
  const [all, any, one] = [outcomes('allOf'), outcomes('anyOf'), outcomes('oneOf')]
  const valid = one.filter(isValid).length
  const found = valid === 0 ? 'Found none valid' : `Found ${valid} valid alternatives`
  const isDenied = isObject(schema.not) && isValid(checkAt({ value, schema: schema.not, path }, types))
  const failing = all.filter((causes) => !isValid(causes))
  const none = failing.length === all.length ? '. None validated' : ''
  return [
    ...failing.flat(),
    ...(failing.length > 0 ? [unnamed(`"${path}" must validate all the schemas (allOf)${none}`)] : []),
    ...(any.length > 0 && !any.some(isValid)
      ? [unnamed(`"${path}" must validate at least one schema (anyOf)`), ...(any[0] ?? [])]
      : []),
    ...(one.length > 0 && valid !== 1
      ? [unnamed(`"${path}" must validate one and only one schema (oneOf). ${found}`)]
      : []),
    ...(one.length > 0 && valid === 0 ? (one[0] ?? []) : []),
    ...(isDenied ? [unnamed(`"${path}" must not validate the schema (not)`)] : []),
  ]
}
