import { isMap, type Json, type JsonMap } from '../value.ts'

/** How a list's items are told apart: by some of their fields, by their value, or not at all. */
export type ListIdentity =
  | { readonly by: 'keys'; readonly keys: readonly string[]; readonly defaults: JsonMap }
  | { readonly by: 'value' }
  | { readonly by: 'none' }

/** What the API's schema says of a value, as far as comparing it needs: what is one thing, and what has parts. */
export interface Shape {
  /** Whether a map is replaced as a whole. */
  readonly isAtomic: boolean
  readonly list: ListIdentity
  /** Of a field of the map. */
  field(name: string): Shape
  /** Of the list's items. */
  item(): Shape
}

/** Where there is no schema: maps have parts, lists have none. */
export const unknownShape: Shape = {
  isAtomic: false,
  list: { by: 'none' },
  field: () => unknownShape,
  item: () => unknownShape,
}

/** An item of a list by what it is, not by where it is. */
export interface ItemStep {
  readonly by: 'keys' | 'value'
  /** The identifying fields; of a set, the value itself under the empty name. */
  readonly keys: JsonMap
}

/** What identifies each item; undefined when some cannot be told apart, and the list is one thing. */
export function itemsOf(
  list: readonly Json[],
  identity: ListIdentity,
): ReadonlyMap<string, { readonly step: ItemStep; readonly value: Json }> | undefined {
  if (identity.by === 'none') return undefined
  const items = new Map<string, { step: ItemStep; value: Json }>()
  for (const value of list) {
    const step = stepOf(value, identity)
    if (step === undefined || items.has(idOf(step))) return undefined
    items.set(idOf(step), { step, value })
  }
  return items
}

/** A text that is the same for the same item. */
export function idOf({ keys }: ItemStep): string {
  return JSON.stringify(Object.entries(keys))
}

function stepOf(value: Json, identity: ListIdentity): ItemStep | undefined {
  if (identity.by === 'value') {
    return typeof value === 'object' ? undefined : { by: 'value', keys: { '': value } }
  }
  if (identity.by === 'none' || !isMap(value)) return undefined
  const keys: Record<string, Json> = {}
  for (const name of identity.keys) {
    const key = value[name] ?? identity.defaults[name]
    if (key === undefined || (typeof key === 'object' && key !== null)) return undefined
    keys[name] = key
  }
  return { by: 'keys', keys }
}

/** The shape of what a path leads to. */
export function shapeAt(shape: Shape, path: readonly (string | ItemStep)[]): Shape {
  return path.reduce((now, step) => (typeof step === 'string' ? now.field(step) : now.item()), shape)
}
