import { isDeepStrictEqual } from 'node:util'
import { ApiFailure } from './failure.ts'
import { isObject } from './object.ts'

interface Order {
  readonly wanted: readonly unknown[]
  readonly live: readonly unknown[]
  readonly key: string | undefined
}

/** Where items stand in a list, -1 for those that are not in it. */
export function positions(
  items: readonly unknown[],
  list: readonly unknown[],
  key: string | undefined,
): number[] {
  const identity = (item: unknown) => (key === undefined ? item : keyOf(item, key))
  const known = list.map(identity)
  return items.map((item) => known.findIndex((other) => isDeepStrictEqual(other, identity(item))))
}

/** Items that are wanted in an order get it; the others stay before what they stood before in the live list. */
export function inOrder(items: readonly unknown[], { wanted, live, key }: Order): unknown[] {
  const places = positions(items, wanted, key)
  const formerly = positions(items, live, key)
  const ranked = items.map((item, index) => ({
    item,
    place: places[index] ?? -1,
    former: formerly[index] ?? -1,
  }))
  const right = ranked.filter(({ place }) => place >= 0).sort((a, b) => a.place - b.place)
  const left = ranked.filter(({ place }) => place < 0).sort((a, b) => a.former - b.former)
  const ordered: unknown[] = []
  for (const { item, former } of right) {
    while (former >= 0 && left[0] !== undefined && left[0].former >= 0 && left[0].former < former) {
      ordered.push(left.shift()?.item)
    }
    ordered.push(item)
  }
  return [...ordered, ...left.map(({ item }) => item)]
}

/** The merge key's value of an item. */
export function keyOf(item: unknown, key: string): unknown {
  if (isObject(item) && Object.hasOwn(item, key)) return item[key]
  throw new ApiFailure(500, '', `map: ${goText(item)} does not contain declared merge key: ${key}`)
}

/** A value as Go prints it. */
export function goText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`
  if (!isObject(value)) return value === null ? '<nil>' : String(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `map[${entries.map(([key, inner]) => `${key}:${goText(inner)}`).join(' ')}]`
}
