import { describePath, type FieldPath } from '../diff/compare.ts'
import { type Shape, shapeAt } from '../diff/shape.ts'
import type { Wish } from '../diff/take.ts'
import { fieldAt, made } from '../plan/outcome.ts'
import { isList, isMap, type Json, type JsonMap } from '../value.ts'
import { type Change, changesOf, isSame } from './changes.ts'

/** A write of an object: what it made of what. Undefined where there was none. */
export interface Step {
  readonly before: JsonMap | undefined
  readonly after: JsonMap | undefined
  /** Whether `after` is all that was there afterwards; else it is what was sent, and a server has added to it. */
  readonly isExact: boolean
}

/** What takes writes back: by field, against what is there now. */
export interface Inverse {
  /** What is there then, if what is disputed is left as it is. */
  readonly target: JsonMap | undefined
  /** What those fields would go back to that somebody else changed since to something else; with an empty path, all of the object. */
  readonly disputed: readonly Wish[]
  /** Whether anything in it changed since the last of the writes. */
  readonly isMoved: boolean
}

/** Takes back writes, the last of which comes first, and nothing that was changed beside or after them. Pure. */
export function invert(now: JsonMap | undefined, steps: readonly Step[], shape: Shape): Inverse {
  const disputed = new Map<string, Wish>()
  let state = now
  for (const step of steps) {
    const { clear, open } = undone(state, step, shape)
    for (const wish of open) disputed.set(describePath(wish.path), wish)
    state = fulfilled(state, clear, shape)
  }
  const [last] = steps
  const isMoved = last !== undefined && !isLike(now, last.after, { ...last, shape })
  return { target: state, disputed: [...disputed.values()], isMoved }
}

/** An object with what is wished for; a wish with an empty path is for all of it. */
export function fulfilled(
  object: JsonMap | undefined,
  wishes: readonly Wish[],
  shape: Shape,
): JsonMap | undefined {
  const whole = wishes.find(({ path }) => path.length === 0)
  if (whole !== undefined) return isMap(whole.value) ? whole.value : undefined
  return object && made(object, wishes, shape)
}

interface Undone {
  readonly clear: readonly Wish[]
  readonly open: readonly Wish[]
}

/** What a write did that can be taken back, and what somebody changed since. */
export function undone(state: JsonMap | undefined, step: Step, shape: Shape): Undone {
  const { before, after } = step
  const whole: Wish = { path: [], value: before, like: before }
  if (isSame(state, before, shape)) return { clear: [], open: [] }
  if (before !== undefined && after !== undefined && state !== undefined) {
    return undoneFields(state, { ...step, before, after }, shape)
  }
  if (state === undefined && after !== undefined)
    return { clear: [], open: before === undefined ? [] : [whole] }
  return isLike(state, after, { ...step, shape })
    ? { clear: [whole], open: [] }
    : { clear: [], open: [whole] }
}

function undoneFields(
  state: JsonMap,
  { before, after, isExact }: Step & { readonly before: JsonMap; readonly after: JsonMap },
  shape: Shape,
): Undone {
  const full = isExact ? after : completed(after, { before, state }, shape)
  const clear: Change[] = []
  const open: Wish[] = []
  for (const change of changesOf(full, before, shape)) {
    const { path, from, value } = change
    const here = fieldAt(state, path, shape)
    const item = path.findIndex(
      (step, index) =>
        typeof step !== 'string' && fieldAt(state, path.slice(0, index + 1), shape) === undefined,
    )
    // In an item that somebody took away, there is nothing to change: it would come back as a part of itself.
    const gone = item === -1 ? path : path.slice(0, item + 1)
    if (gone.length < path.length) {
      if (value !== undefined) open.push({ path: gone, value: fieldAt(before, gone, shape), like: before })
    } else if (!isSame(here, value, shapeAt(shape, path))) {
      if (isLike(here, from, { isExact, shape: shapeAt(shape, path) })) clear.push(change)
      else open.push(change)
    }
  }
  return { clear: withParents(state, clear, { like: before, shape }), open }
}

/** What makes one state of an object of another, by field; what would be left empty, and is not in the other one, goes as a whole. */
export function backTo(from: JsonMap | undefined, to: JsonMap | undefined, shape: Shape): Wish[] {
  const changes = changesOf(from, to, shape)
  if (from === undefined || to === undefined) return changes
  const isIn = (inner: Wish, outer: Wish) =>
    inner.path.length > outer.path.length &&
    describePath(inner.path.slice(0, outer.path.length)) === describePath(outer.path)
  const all = withParents(from, changes, { like: to, shape })
  return all.filter((one) => !all.some((outer) => isIn(one, outer)))
}

/** With wishes that take away what the others leave empty, where the state that they lead to does not have it. */
function withParents(
  object: JsonMap,
  wishes: readonly Wish[],
  { like, shape }: { readonly like: JsonMap | undefined; readonly shape: Shape },
): Wish[] {
  const now = made(object, wishes, shape)
  const gone = wishes.filter(({ value }) => value === undefined)
  const parents = new Map<string, FieldPath>()
  for (const { path } of gone) {
    const around = path.map((_, depth) => path.slice(0, depth)).filter(({ length }) => length > 0)
    const empty = around.filter((one) => {
      const value = fieldAt(now, one, shape)
      return value !== undefined && leavesOf(value) === 0 && fieldAt(like, one, shape) === undefined
    })
    if (empty[0] !== undefined) parents.set(describePath(empty[0]), empty[0])
  }
  return [...wishes, ...[...parents.values()].map((path): Wish => ({ path, value: undefined, like }))]
}

function leavesOf(value: Json): number {
  if (isMap(value)) return Object.values(value).reduce<number>((sum, inner) => sum + leavesOf(inner), 0)
  return isList(value) ? value.length : 1
}

/**
 * What was sent, with what was there before and was not sent, if that is there still: others have it. What is not there any more was
 * taken away.
 */
function completed(
  after: JsonMap,
  { before, state }: Record<'before' | 'state', JsonMap>,
  shape: Shape,
): JsonMap {
  const kept = changesOf(after, before, shape).filter(
    ({ path, from }) => from === undefined && fieldAt(state, path, shape) !== undefined,
  )
  return made(after, kept, shape)
}

interface Likeness extends Pick<Step, 'isExact'> {
  readonly shape: Shape
}

/** Whether a value is what a write left: the same, or, where that is all that is known, with everything that was sent. */
function isLike(value: Json | undefined, left: Json | undefined, { isExact, shape }: Likeness): boolean {
  if (!isExact && isMap(left) && isMap(value)) {
    return Object.entries(left).every(([name, inner]) =>
      isLike(value[name], inner, { isExact, shape: shape.field(name) }),
    )
  }
  if (!isExact && isList(left) && isList(value) && left.length === value.length) {
    return left.every((item, index) => isLike(value[index], item, { isExact, shape: shape.item() }))
  }
  return isSame(value, left, shape)
}
