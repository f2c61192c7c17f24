import type { Schema, TypeSchema } from '../schema.ts'
import { above, below, type FieldSet, type Path } from './fields.ts'
import { childrenOf, rebuilt, shapeOf } from './shape.ts'

interface Pair {
  readonly live: unknown
  readonly applied: unknown
  readonly schema: Schema
}

/** What applying one value to another makes of it: what is applied wins, all else stays. */
export function merge(live: unknown, applied: unknown, types: TypeSchema): unknown {
  return mergeAt({ live, applied, schema: types.root }, types)
}

function mergeAt({ live, applied, schema }: Pair, types: TypeSchema): unknown {
  const shape = shapeOf(schema, applied, types)
  if (shape.whole) return applied
  const childrenBy = (value: unknown) =>
    new Map(childrenOf(shape, value, types).map((child) => [child.element, child]))
  const [former, latter] = [childrenBy(live), childrenBy(applied)]
  if (former.size === 0 && latter.size === 0) return applied
  const children = interleave([...former.keys()], [...latter.keys()]).flatMap((element) => {
    const { values = [] } = former.get(element) ?? {}
    const mine = latter.get(element)
    if (mine === undefined) return values.map((value) => [element, value] as const)
    const [same] = values.length === 1 ? values : []
    const pair = { live: same, applied: mine.values[0], schema: mine.schema ?? {} }
    return [[element, mergeAt(pair, types)] as const]
  })
  return rebuilt(shape, children)
}

/**
 * The order of a merged list: what is applied keeps its order, and live items that are not applied stay before the one they
 * stood before. After structured-merge-diff's `visitListItems`.
 */
export function interleave(live: readonly string[], applied: readonly string[]): string[] {
  const places = new Map(live.map((element, index) => [element, index]))
  const isApplied = new Set(applied)
  const shared = applied.filter((element) => places.has(element))
  const order: string[] = []
  let [next, awaited] = [0, 0]
  const stay = (until: number) => {
    order.push(...live.slice(next, until).filter((element) => !isApplied.has(element)))
    next = Math.max(next, until)
  }
  for (const element of applied) {
    const place = places.get(shared[awaited] ?? '') ?? live.length
    stay(place < next ? live.length : place)
    order.push(element)
    if (element === shared[awaited]) awaited += 1
  }
  stay(live.length)
  return order
}

/** A value without the fields of a set. What is left empty by it is null, as there is nothing left that somebody set. */
export function remove(value: unknown, fields: FieldSet, types: TypeSchema): unknown {
  const touched = new Set([...fields].flatMap(above))
  const removeAt = (value: unknown, schema: Schema, path: Path): unknown => {
    const shape = shapeOf(schema, value, types)
    if (shape.kind === 'scalar') return value
    if (shape.whole) return null
    const kept = childrenOf(shape, value, types).flatMap(({ element, values, schema: inner = {} }) => {
      const place = below(path, element)
      if (fields.has(place)) return []
      const left = touched.has(place) ? values.map((one) => removeAt(one, inner, place)) : values
      return left.map((one) => [element, one] as const)
    })
    return kept.length === 0 ? null : rebuilt(shape, kept)
  }
  return removeAt(value, types.root, '')
}
