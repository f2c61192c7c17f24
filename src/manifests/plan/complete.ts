import type { FieldPath } from '../diff/compare.ts'
import { type ItemStep, idOf, itemsOf, type Shape } from '../diff/shape.ts'
import { isList, isMap, type Json, type JsonMap } from '../value.ts'

interface Known {
  /** As the server has it. */
  readonly live: JsonMap | undefined
  readonly shape: Shape
}

/**
 * An object with what the server filled in within those of its values that are one thing to it. Without, such a value looks
 * changed, and who owns it would hold it. What is to be changed stays as it is.
 */
export function complete(object: JsonMap, { live, shape }: Known, changed: readonly FieldPath[]): JsonMap {
  const walk = (value: Json, there: Json | undefined, { shape, path }: Spot): Json => {
    const isOne = isMap(value) ? shape.isAtomic : isList(value) && shape.list.by === 'none'
    if (isOne) return holds(there, value) && !changed.some((one) => overlaps(one, path)) ? there : value
    if (isMap(value) && isMap(there)) {
      const fields = Object.entries(value).map(([name, field]) => {
        const theirs = Object.hasOwn(there, name) ? there[name] : undefined
        return [name, walk(field, theirs, { shape: shape.field(name), path: [...path, name] })]
      })
      return Object.fromEntries(fields)
    }
    const theirs = isList(there) ? itemsOf(there, shape.list) : undefined
    const own = isList(value) ? itemsOf(value, shape.list) : undefined
    if (theirs === undefined || own === undefined) return value
    return [...own].map(([id, { step, value: item }]) =>
      walk(item, theirs.get(id)?.value, { shape: shape.item(), path: [...path, step] }),
    )
  }
  const made = walk(object, live, { shape, path: [] })
  return isMap(made) ? made : object
}

interface Spot {
  readonly shape: Shape
  readonly path: FieldPath
}

/** Whether a value has all of another one, and maybe more. */
function holds(there: Json | undefined, value: Json): there is Json {
  if (isMap(value)) {
    return isMap(there) && Object.entries(value).every(([name, field]) => holds(there[name], field))
  }
  if (!isList(value)) return there === value
  return isList(there) && there.length === value.length && value.every((item, i) => holds(there[i], item))
}

/** Whether one path leads to, into or through what the other one leads to. */
function overlaps(a: FieldPath, b: FieldPath): boolean {
  const length = Math.min(a.length, b.length)
  return Array.from({ length }, (_, i) => isSame(a[i], b[i])).every(Boolean)
}

function isSame(a: string | ItemStep | undefined, b: string | ItemStep | undefined): boolean {
  if (a === undefined || b === undefined || typeof a === 'string' || typeof b === 'string') return a === b
  return idOf(a) === idOf(b)
}
