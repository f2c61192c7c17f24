import { ApiFailure } from '../failure.ts'
import { isObject, type ManagedFieldsEntry } from '../object.ts'
import {
  difference,
  type FieldSet,
  fromFieldsV1,
  intersection,
  pathsOf,
  textOf,
  toFieldsV1,
  union,
} from './fields.ts'
import type { Comparison } from './typed.ts'

/** Who writes, how, and what: one entry of managedFields. An applier has one entry whichever version it applies. */
export interface Managed {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource?: string | undefined
  readonly fields: FieldSet
  readonly time?: string | undefined
}

/** What is managed, by `managerKey`. */
export type Managers = ReadonlyMap<string, Managed>

/** What tells entries apart. */
export function managerKey(managed: Omit<Managed, 'fields'>): string {
  const { manager, operation, apiVersion, subresource = '' } = managed
  return JSON.stringify([manager, operation, operation === 'Update' ? apiVersion : '', subresource])
}

/** Reads an object's managedFields; undefined if an entry is none. Entries come from clients, too. */
export function readManagers(entries: unknown): Managers | undefined {
  if (!Array.isArray(entries)) return new Map()
  const read = entries.flatMap((entry) => readEntry(entry) ?? [])
  return read.length < entries.length ? undefined : new Map(read.map((one) => [managerKey(one), one]))
}

function readEntry(entry: unknown): Managed | undefined {
  if (!isObject(entry) || entry.fieldsType !== 'FieldsV1') return undefined
  const { manager = '', operation, apiVersion, subresource, time, fieldsV1 = {} } = entry
  if (operation !== 'Apply' && operation !== 'Update') return undefined
  if (typeof manager !== 'string' || typeof apiVersion !== 'string' || apiVersion === '') return undefined
  if (!isObject(fieldsV1)) return undefined
  return {
    manager,
    operation,
    apiVersion,
    subresource: typeof subresource === 'string' ? subresource : undefined,
    time: typeof time === 'string' ? time : undefined,
    fields: fromFieldsV1(fieldsV1),
  }
}

/** The entries of an object's managedFields, ordered as the server orders them. */
export function writeManagers(managers: Managers): readonly ManagedFieldsEntry[] {
  const rank = ({ operation, time = '', manager, apiVersion, subresource = '' }: Managed) =>
    [operation, time, manager, apiVersion, subresource].join('\0')
  return [...managers.values()]
    .sort((a, b) => (rank(a) < rank(b) ? -1 : 1))
    .map(({ manager, operation, apiVersion, time, fields, subresource }) => ({
      manager,
      operation,
      apiVersion,
      ...(time === undefined ? {} : { time }),
      fieldsType: 'FieldsV1',
      fieldsV1: toFieldsV1(fields),
      ...(subresource ? { subresource } : {}),
    }))
}

/** What others than the applier still own after changes that are not theirs, and the fields they would lose to another value. */
export function take(managers: Managers, { added, removed, modified }: Comparison, by?: string) {
  const changed = union(modified, added)
  const others = [...managers].filter(([key]) => key !== by)
  const narrowed = (narrow: (fields: FieldSet) => FieldSet) =>
    others
      .map(([key, managed]) => [key, { ...managed, fields: narrow(managed.fields) }] as const)
      .filter(([, { fields }]) => fields.size > 0)
  const conflicts = narrowed((fields) => intersection(fields, changed)).map(([, managed]) => managed)
  return { left: new Map(narrowed((fields) => difference(fields, union(changed, removed)))), conflicts }
}

/** The refusal as the server words it. */
export function conflictFailure(conflicts: readonly Managed[]): ApiFailure {
  const sorted = [...conflicts].sort((a, b) => (managerKey(a) < managerKey(b) ? -1 : 1))
  const told = sorted.map((managed) => ({ by: nameOf(managed), fields: pathsOf(managed.fields).map(textOf) }))
  const causes = told.flatMap(({ by, fields }) =>
    fields.map((field) => ({ reason: 'FieldManagerConflict', message: `conflict with ${by}`, field })),
  )
  const lists = told.map(({ by, fields }) => `conflicts with ${by}:\n- ${fields.join('\n- ')}`).join('\n')
  const [first] = causes
  const said =
    causes.length === 1
      ? `1 conflict: ${first?.message}: ${first?.field}`
      : `${causes.length} conflicts: ${lists}`
  return new ApiFailure(409, 'Conflict', `Apply failed with ${said}`, { causes })
}

function nameOf({ manager, subresource, operation, apiVersion }: Managed): string {
  const within = subresource ? ` with subresource ${JSON.stringify(subresource)}` : ''
  return `${JSON.stringify(manager)}${within}${operation === 'Update' ? ` using ${apiVersion}` : ''}`
}
