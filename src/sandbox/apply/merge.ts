import { isObject } from '../object.ts'
import type { Schema, TypeSchema } from '../schema.ts'
import type { FieldSet } from './fields.ts'
import { byElement, elementOf, entriesOf, type ListShape, type MapShape, shapeOf } from './shape.ts'
import { isEmptyAs } from './typed.ts'

/** What applying one value to another makes of it: what is applied wins, all else stays. */
export function merge(live: unknown, applied: unknown, types: TypeSchema): unknown {
  return mergeAt({ live, applied, schema: types.root }, types)
}

interface Pair {
  readonly live: unknown
  readonly applied: unknown
  readonly schema: Schema
}

function mergeAt({ live, applied, schema }: Pair, types: TypeSchema): unknown {
  if (applied === undefined) return live
  const shape = shapeOf(schema, applied, types)
  if (shape.kind === 'scalar' || shape.atomic || (isEmptyAs(shape, live) && isEmptyAs(shape, applied)))
    return applied
  if (shape.kind === 'list') return mergeItems({ live, applied, schema }, shape, types)
  return mergeEntries({ live, applied, schema }, shape, types)
}

function mergeEntries({ live, applied }: Pair, shape: MapShape, types: TypeSchema): unknown {
  const merged = new Map(entriesOf(live))
  for (const [name, value] of entriesOf(applied)) {
    merged.set(
      name,
      mergeAt({ live: merged.get(name), applied: value, schema: shape.field(name) ?? {} }, types),
    )
  }
  return Object.fromEntries(merged)
}

function mergeItems({ live, applied }: Pair, shape: ListShape, types: TypeSchema): unknown {
  const former = Array.isArray(live) ? live : []
  const latter = byElement(shape, applied, types)
  const known = byElement(shape, live, types)
  const order = interleave(
    former.map((item) => elementOf(shape, item, types)),
    [...latter.keys()],
  )
  return order.map(({ element, index }) => {
    if (index !== undefined) return former[index]
    const same = known.get(element) ?? []
    const item = latter.get(element)?.[0]
    return mergeAt(
      { live: same.length === 1 ? same[0] : undefined, applied: item, schema: shape.item },
      types,
    )
  })
}

interface Taken {
  readonly element: string
  /** Where a live item that is not applied stands among the live ones. */
  readonly index?: number
}

/**
 * The order of a merged list: what is applied keeps its order, and live items that are not applied stay before the one they
 * stood before. After structured-merge-diff's `visitListItems`.
 */
export function interleave(live: readonly string[], applied: readonly string[]): Taken[] {
  const isApplied = new Set(applied)
  const isLive = new Set(live)
  const shared = applied.filter((element) => isLive.has(element))
  const merged = new Set<string>()
  const order: Taken[] = []
  let [l, a, s] = [0, 0, 0]
  while (l < live.length || a < applied.length) {
    const left = live[l]
    const right = applied[a]
    if (left !== undefined && !isApplied.has(left)) {
      order.push({ element: left, index: l++ })
      continue
    }
    const isAwaited = left !== undefined && right !== undefined && left !== right && shared[s] !== undefined
    if (isAwaited && shared[s] !== left) {
      l++
      continue
    }
    if (left !== undefined && (left === right || merged.has(left))) l++
    if (right === undefined) continue
    order.push({ element: right })
    merged.add(right)
    if (shared[s] === right) s++
    a++
  }
  return order
}

/** A value without the fields of a set. What is left empty by it is null, as there is nothing left that somebody set. */
export function remove(value: unknown, fields: FieldSet, types: TypeSchema): unknown {
  return removeAt({ value, schema: types.root }, fields, types)
}

interface Place {
  readonly value: unknown
  readonly schema: Schema
}

function removeAt({ value, schema }: Place, fields: FieldSet, types: TypeSchema): unknown {
  const shape = shapeOf(schema, value, types)
  if (shape.kind === 'scalar') return value
  if (shape.atomic) return null
  if (shape.kind === 'list') return removeItems(value, { shape, fields, types })
  if (!isObject(value)) return null
  const kept = entriesOf(value)
    .filter(([name]) => fields.get(`f:${name}`)?.owned !== true)
    .map(([name, inner]) => {
      const below = fields.get(`f:${name}`)?.inner
      if (below === undefined || below.size === 0) return [name, inner]
      return [name, removeAt({ value: inner, schema: shape.field(name) ?? {} }, below, types)]
    })
  return kept.length === 0 ? null : Object.fromEntries(kept)
}

interface Items {
  readonly shape: ListShape
  readonly fields: FieldSet
  readonly types: TypeSchema
}

function removeItems(value: unknown, { shape, fields, types }: Items): unknown {
  if (!Array.isArray(value)) return null
  const kept = value
    .map((item) => ({ item, field: fields.get(elementOf(shape, item, types)) }))
    .filter(({ field }) => field?.owned !== true)
    .map(({ item, field }) =>
      field === undefined ? item : removeAt({ value: item, schema: shape.item }, field.inner, types),
    )
  return kept.length === 0 ? null : kept
}
