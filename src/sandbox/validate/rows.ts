import { isDeepStrictEqual } from 'node:util'
import type { Cause } from '../failure.ts'
import { at, isObject, type KubeObject } from '../object.ts'
import { list, text } from '../values.ts'
import { duplicate, invalidValue, required, unsupported } from './causes.ts'
import { configKey, dnsLabel, labelValue, qualifiedName } from './names.ts'

/** A value, where it is, and what it was before an update; on creation, and in lists, it was nothing. */
interface Place {
  readonly path: string
  readonly value: unknown
  readonly former: unknown
  readonly isUpdate: boolean
}
export type Check = (place: Place) => Cause[]
/** What is checked at a path; `containers[]` is each item of a list. Nothing is checked below what is not there. */
export type Row = readonly [path: string, ...checks: Check[]]

const isMissing = (value: unknown) =>
  value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)

export const needed =
  (why = ''): Check =>
  ({ path, value }) =>
    isMissing(value) ? [required(path, why)] : []

export const named: Check = ({ path, value }) =>
  isMissing(value) ? [required(path)] : dnsLabel(text(value)).map((why) => invalidValue(path, value, why))

export const oneOf =
  (...allowed: string[]): Check =>
  ({ path, value }) =>
    value === undefined || allowed.includes(text(value)) ? [] : [unsupported(path, value, allowed)]

export const port: Check = ({ path, value }) => {
  if (typeof value !== 'number' || (value >= 1 && value <= 65_535)) return []
  return [invalidValue(path, value, 'must be between 1 and 65535, inclusive')]
}

export const notNegative: Check = ({ path, value }) =>
  Number(value) < 0 ? [invalidValue(path, value, 'must be greater than or equal to 0')] : []

/** No two items of a list have the same name. */
export const unique: Check = ({ path, value }) => {
  const names = list(value).map(({ name }) => text(name))
  const twice = names.flatMap((name, index) => (name !== '' && names.indexOf(name) < index ? [index] : []))
  return twice.map((index) => duplicate(`${path}[${index}].name`, names[index]))
}

export const keys: Check = ({ path, value }) =>
  Object.keys(isObject(value) ? value : {}).flatMap((key) =>
    configKey(key).map((why) => invalidValue(`${path}[${key}]`, key, why)),
  )

export const fixed =
  (why = 'field is immutable'): Check =>
  ({ path, value, former, isUpdate }) =>
    isUpdate && !isDeepStrictEqual(value, former) ? [invalidValue(path, value, why)] : []

/** What is wrong with the keys and values of labels. */
export function checkLabels(path: string, labels: unknown): Cause[] {
  return Object.entries(isObject(labels) ? labels : {}).flatMap(([key, value]) => [
    ...qualifiedName(key).map((why) => invalidValue(path, key, why)),
    ...labelValue(text(value)).map((why) => invalidValue(path, value, why)),
  ])
}

/** What is wrong with an object by the rows of its kind. */
export function checkRows(rows: readonly Row[], object: KubeObject, previous?: KubeObject): Cause[] {
  return rows.flatMap(([path, ...checks]) =>
    placesOf(path.split('.'), object, previous).flatMap(({ path, value, former }) =>
      checks.flatMap((check) => check({ path, value, former, isUpdate: previous !== undefined })),
    ),
  )
}

type Found = Omit<Place, 'isUpdate'>

/** Items of lists have no former values, as nothing tells which was which. */
function placesOf(segments: readonly string[], object: unknown, previous: unknown): Found[] {
  let found: Found[] = [{ path: '', value: object, former: previous }]
  for (const segment of segments) {
    const name = segment.replace('[]', '')
    const fields = found.flatMap(({ path, value, former }) =>
      isObject(value)
        ? [{ path: path === '' ? name : `${path}.${name}`, value: value[name], former: at(former, name) }]
        : [],
    )
    const items = fields.flatMap(({ path, value }) =>
      list(value).map((item, index) => ({ path: `${path}[${index}]`, value: item, former: undefined })),
    )
    found = segment.endsWith('[]') ? items : fields
  }
  return found
}
