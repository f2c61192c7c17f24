import { isObject, type ManagedFieldsEntry } from '../object.ts'
import { type FieldSet, fromFieldsV1, toFieldsV1, union } from './fields.ts'

/** Who writes, and how: what tells entries apart. An applier has one entry whichever version it applies. */
export interface Manager {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource?: string | undefined
}

export interface Managed extends Manager {
  readonly fields: FieldSet
  readonly time?: string | undefined
}

/** What is managed, by `managerKey`. */
export type Managers = ReadonlyMap<string, Managed>

export function managerKey({ manager, operation, apiVersion, subresource }: Manager): string {
  return JSON.stringify({
    manager,
    operation,
    ...(operation === 'Update' ? { apiVersion } : {}),
    ...(subresource ? { subresource } : {}),
  })
}

/** Updates by so many managers are told apart; the oldest beyond that become one entry. */
const maxUpdateManagers = 10

/** Reads an object's managedFields; undefined if an entry is none. Entries come from clients, too. */
export function readManagers(entries: unknown): Managers | undefined {
  if (!Array.isArray(entries)) return new Map()
  const managers = new Map<string, Managed>()
  for (const entry of entries) {
    const managed = readEntry(entry)
    if (managed === undefined) return undefined
    managers.set(managerKey(managed), managed)
  }
  return managers
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
  return [...managers.values()]
    .sort(order)
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

const orderedBy = ['operation', 'time', 'manager', 'apiVersion', 'subresource'] as const

function order(a: Managed, b: Managed): number {
  for (const key of orderedBy) {
    const [left, right] = [a[key] ?? '', b[key] ?? '']
    if (left !== right) return left < right ? -1 : 1
  }
  return 0
}

/** After apimachinery's `capManagersManager`: the oldest updates of an API version become one entry. */
export function capped(managers: Managers): Managers {
  const updates = [...managers].filter(([, { operation }]) => operation === 'Update')
  let surplus = updates.length - maxUpdateManagers
  if (surplus <= 0) return managers
  const result = new Map(managers)
  const firsts = new Map<string, string>()
  for (const [key, managed] of updates.sort(([, a], [, b]) => order(a, b))) {
    const first = firsts.get(managed.apiVersion)
    if (first === undefined) firsts.set(managed.apiVersion, key)
    if (first === undefined || surplus <= 0) continue
    const bucket = {
      manager: 'ancient-changes',
      operation: 'Update',
      apiVersion: managed.apiVersion,
    } as const
    const former = result.get(managerKey(bucket)) ?? result.get(first)
    result.delete(first)
    result.delete(key)
    const fields = union(former?.fields ?? new Map(), managed.fields)
    result.set(managerKey(bucket), { ...bucket, time: managed.time, fields })
    surplus -= 1
  }
  return result
}
