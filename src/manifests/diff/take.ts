import { operate } from '../operate.ts'
import { equal, isList, isMap, type Json, type Operation, type Path } from '../value.ts'
import type { FieldPath } from './compare.ts'
import { idOf, itemsOf, type Shape } from './shape.ts'

/** What a field is to become on a side: a value, or gone. */
export interface Wish {
  readonly path: FieldPath
  readonly value: Json | undefined
  /** The object that the value comes from: a new item of a list goes after the one it follows there. */
  readonly like: Json | undefined
}

/** The operations, each on what those before it made, after which the value has what is wished for. */
export function operationsFor(value: Json, wishes: readonly Wish[], shape: Shape): Operation[] {
  const all: Operation[] = []
  let now = value
  for (const wish of wishes) {
    const operations = fulfil(now, wish, shape)
    now = operate(now, operations)
    all.push(...operations)
  }
  return all
}

interface Walk {
  now: Json | undefined
  like: Json | undefined
  shape: Shape
  readonly path: (string | number)[]
}

function fulfil(value: Json, wish: Wish, shape: Shape): Operation[] {
  const walk: Walk = { now: value, like: wish.like, shape, path: [] }
  for (const [depth, step] of wish.path.entries()) {
    const rest = wish.path.slice(depth)
    if (typeof step === 'string') {
      if (!isMap(walk.now)) return build(walk, rest, wish.value)
      if (!Object.hasOwn(walk.now, step)) return build(walk, rest, wish.value)
      walk.like = isMap(walk.like) ? walk.like[step] : undefined
      walk.now = walk.now[step]
      walk.shape = walk.shape.field(step)
      walk.path.push(step)
    } else {
      const index = indexOf(walk, idOf(step))
      if (index === -1) return build(walk, rest, wish.value)
      walk.like = isList(walk.like) ? itemsOf(walk.like, walk.shape.list)?.get(idOf(step))?.value : undefined
      walk.now = isList(walk.now) ? walk.now[index] : undefined
      walk.shape = walk.shape.item()
      walk.path.push(index)
    }
  }
  if (wish.value === undefined) return [{ op: 'remove', path: walk.path }]
  return change(walk.path, walk.now, wish.value)
}

function indexOf({ now, shape }: Walk, id: string): number {
  if (!isList(now)) return -1
  return [...(itemsOf(now, shape.list)?.keys() ?? [])].indexOf(id)
}

/** Adds what is not there, with the maps and lists around it that are not there either. */
function build({ now, like, shape, path }: Walk, rest: FieldPath, value: Json | undefined): Operation[] {
  if (value === undefined) return []
  const [step, ...inner] = rest
  if (step === undefined) return [{ op: 'set', path, value }]
  if (typeof step === 'string') {
    const put = wrap(inner, value)
    return isMap(now)
      ? [{ op: 'set', path: [...path, step], value: put }]
      : [{ op: 'set', path, value: { [step]: put } }]
  }
  const item = inner.length === 0 ? value : { ...step.keys, ...asMap(wrap(inner, value)) }
  if (!isList(now)) return [{ op: 'set', path, value: [item] }]
  return [{ op: 'insert', path: [...path, placeOf(idOf(step), { now, like, shape })], value: item }]
}

/** What is last in the path is there as it is: of an item, its keys are in it, or it is one of a set. */
function wrap(path: FieldPath, value: Json): Json {
  return path.reduceRight<Json>((inner, step, depth) => {
    if (typeof step === 'string') return { [step]: inner }
    return [depth === path.length - 1 ? inner : { ...step.keys, ...asMap(inner) }]
  }, value)
}

function asMap(value: Json) {
  return isMap(value) ? value : {}
}

/** Behind the nearest item before it on the other side that this side has too. */
function placeOf(
  id: string,
  { now, like, shape }: Pick<Walk, 'like' | 'shape'> & { now: readonly Json[] },
): number {
  const here = [...(itemsOf(now, shape.list)?.keys() ?? [])]
  const there = isList(like) ? [...(itemsOf(like, shape.list)?.keys() ?? [])] : []
  const before = there.slice(0, Math.max(0, there.indexOf(id))).reverse()
  const neighbour = before.find((other) => here.includes(other))
  if (neighbour !== undefined) return here.indexOf(neighbour) + 1
  return there.includes(id) ? 0 : now.length
}

/** Makes one value of another with as little as possible: a list keeps the items that stay. */
function change(path: Path, before: Json | undefined, after: Json): Operation[] {
  if (!isList(before) || !isList(after) || before.length === 0 || after.length === 0) {
    return [{ op: 'set', path, value: after }]
  }
  return changeList(path, before, after)
}

/** By the longest common subsequence (Wagner and Fischer's table), from the end, so that indices stay true. */
function changeList(path: Path, before: readonly Json[], after: readonly Json[]): Operation[] {
  if (before.length * after.length > maxTable) return [{ op: 'set', path, value: after }]
  const table = lengths(before, after)
  const operations: Operation[] = []
  let [i, j] = [before.length, after.length]
  while (i > 0 || j > 0) {
    const isSame = i > 0 && j > 0 && equal(before[i - 1], after[j - 1])
    if (isSame) {
      i -= 1
      j -= 1
    } else if (i > 0 && j > 0 && at(table, i - 1, j - 1) === at(table, i, j)) {
      operations.push({ op: 'set', path: [...path, i - 1], value: after[j - 1] ?? null })
      i -= 1
      j -= 1
    } else if (j > 0 && at(table, i, j - 1) >= at(table, i - 1, j)) {
      operations.push({ op: 'insert', path: [...path, i], value: after[j - 1] ?? null })
      j -= 1
    } else {
      operations.push({ op: 'remove', path: [...path, i - 1] })
      i -= 1
    }
  }
  return operations
}

/** Cells of the table above which a list is written anew instead of compared. */
const maxTable = 1_000_000

function lengths(before: readonly Json[], after: readonly Json[]): number[][] {
  const table = [new Array<number>(after.length + 1).fill(0)]
  for (const [i, a] of before.entries()) {
    const row = [0]
    for (const [j, b] of after.entries()) {
      row.push(equal(a, b) ? at(table, i, j) + 1 : Math.max(at(table, i, j + 1), row[j] ?? 0))
    }
    table.push(row)
  }
  return table
}

function at(table: readonly (readonly number[])[], i: number, j: number): number {
  return table[i]?.[j] ?? -1
}
