import type { FieldPath } from '../diff/compare.ts'
import { itemsOf, type Shape } from '../diff/shape.ts'
import type { Wish } from '../diff/take.ts'
import { equal, isList, isMap, type Json, type JsonMap } from '../value.ts'

/** A field that is another one in two states of an object: a wish for the second. */
export interface Change extends Wish {
  readonly from: Json | undefined
}

/** What makes one state of an object of another: the smallest fields, with none around them; items of lists as a whole. */
export function changesOf(from: JsonMap | undefined, to: JsonMap | undefined, shape: Shape): Change[] {
  return changesIn(from, to, { shape, path: [], like: to })
}

interface Here {
  readonly shape: Shape
  readonly path: FieldPath
  readonly like: JsonMap | undefined
}

function changesIn(from: Json | undefined, to: Json | undefined, here: Here): Change[] {
  const { shape, path, like } = here
  if (equal(from, to)) return []
  const isWhole = path.length === 0 && (from === undefined || to === undefined)
  const isOther = from !== undefined && to !== undefined && isMap(from) !== isMap(to)
  const [olds, news] = [partsOf(from, shape), partsOf(to, shape)]
  if (isWhole || isOther || olds === undefined || news === undefined || olds.size + news.size === 0) {
    return [{ path, from, value: to, like }]
  }
  return [...new Map([...olds, ...news])].flatMap(([id, { step }]) => {
    const [old, now] = [olds.get(id), news.get(id)]
    const next = [...path, step]
    if (typeof step === 'string') {
      return changesIn(old?.value, now?.value, { shape: shape.field(step), path: next, like })
    }
    if (old !== undefined && now !== undefined) {
      return changesIn(old.value, now.value, { shape: shape.item(), path: next, like })
    }
    return [{ path: next, from: old?.value, value: now?.value, like }]
  })
}

interface Part {
  readonly step: FieldPath[number]
  readonly value: Json
}

/** What a value consists of; of one that is not there, nothing; undefined for what is one thing. */
function partsOf(value: Json | undefined, shape: Shape): ReadonlyMap<string, Part> | undefined {
  if (value === undefined) return new Map()
  if (isMap(value)) {
    if (shape.isAtomic) return undefined
    return new Map(Object.entries(value).map(([name, inner]) => [name, { step: name, value: inner }]))
  }
  return isList(value) ? itemsOf(value, shape.list) : undefined
}

/** Whether two values are the same; where it means nothing, the order of items may be another. */
export function isSame(a: Json | undefined, b: Json | undefined, shape: Shape): boolean {
  return changesIn(a, b, { shape, path: [], like: undefined }).length === 0
}
