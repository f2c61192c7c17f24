import { isObject } from '../object.ts'
import type { Schema } from '../schema.ts'

/** Items of a set or a keyed list that are there already, with what they have in common. */
export function duplicates(
  items: readonly unknown[],
  schema: Schema,
): { index: number; identity: unknown }[] {
  const type = schema['x-kubernetes-list-type']
  if (type !== 'set' && type !== 'map') return []
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const seen = new Set<string>()
  return items.flatMap((item, index) => {
    const identity =
      type === 'map' && isObject(item) ? Object.fromEntries(keys.map((key) => [key, item[key]])) : item
    const text = JSON.stringify(identity)
    const isTwice = seen.has(text)
    seen.add(text)
    return isTwice ? [{ index, identity }] : []
  })
}
