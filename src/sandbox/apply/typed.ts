import { isDeepStrictEqual } from 'node:util'
import type { Schema, TypeSchema } from '../schema.ts'
import { add, type Draft, type FieldSet, type Path } from './fields.ts'
import { byElement, entriesOf, isEmpty, type ListShape, type MapShape, type Shape, shapeOf } from './shape.ts'

/** The fields of a value: what its owner owns by applying it. */
export function fieldsOf(value: unknown, types: TypeSchema): FieldSet {
  const fields: Draft = new Map()
  collect(value, { schema: types.root, path: [], types, fields })
  return fields
}

interface Place {
  readonly schema: Schema
  readonly path: Path
  readonly types: TypeSchema
  readonly fields: Draft
}

function collect(value: unknown, place: Place): void {
  const shape = shapeOf(place.schema, value, place.types)
  if (shape.kind === 'scalar' || shape.atomic) add(place.fields, place.path)
  else if (shape.kind === 'list') collectItems(value, shape, place)
  else collectEntries(value, shape, place)
}

function collectItems(value: unknown, shape: ListShape, place: Place): void {
  for (const [element, items] of byElement(shape, value, place.types)) {
    const path = [...place.path, element]
    add(place.fields, path)
    if (items.length === 1) collect(items[0], { ...place, schema: shape.item, path })
  }
}

function collectEntries(value: unknown, shape: MapShape, place: Place): void {
  for (const [name, inner] of entriesOf(value)) {
    const path = [...place.path, `f:${name}`]
    collect(inner, { ...place, schema: shape.field(name) ?? {}, path })
    const isBare = inner === null || (!Array.isArray(inner) && typeof inner === 'object' && isEmpty(inner))
    if (isBare || !shape.declares(name)) add(place.fields, path)
  }
}

/** What became of the fields of a value: no field is in more than one of the sets. */
export interface Comparison<Fields = FieldSet> {
  readonly added: Fields
  readonly removed: Fields
  readonly modified: Fields
}

export function compare(before: unknown, after: unknown, types: TypeSchema): Comparison {
  const into: Comparison<Draft> = { added: new Map(), removed: new Map(), modified: new Map() }
  visit({ before, after, schema: types.root, path: [] }, { types, into })
  return into
}

/** Two values at one path; undefined where there is none. */
interface Pair {
  readonly before: unknown
  readonly after: unknown
  readonly schema: Schema
  readonly path: Path
}

interface Visit {
  readonly types: TypeSchema
  readonly into: Comparison<Draft>
}

function visit(pair: Pair, how: Visit): void {
  const shapes = shapesOf(pair, how.types)
  const isLeaf = shapes.map((shape) => descend(pair, shape, how)).at(-1)
  if (isLeaf) return
  if (pair.before === undefined) add(how.into.added, pair.path)
  else if (pair.after === undefined) add(how.into.removed, pair.path)
}

/** A value without a schema may change its kind: then it is looked at as both. */
function shapesOf({ before, after, schema }: Pair, types: TypeSchema): Shape[] {
  const former = shapeOf(schema, before, types)
  const latter = shapeOf(schema, after, types)
  if (after === undefined) return [former]
  return before === undefined || former.kind === latter.kind ? [latter] : [former, latter]
}

/** Returns whether the pair was compared as a whole. */
function descend(pair: Pair, shape: Shape, how: Visit): boolean {
  if (
    shape.kind === 'scalar' ||
    shape.atomic ||
    (isEmptyAs(shape, pair.before) && isEmptyAs(shape, pair.after))
  ) {
    compareWhole(pair, how)
    return true
  }
  if (shape.kind === 'list') visitItems(pair, shape, how)
  else visitEntries(pair, shape, how)
  return false
}

/** Nothing, null, and what is of another kind have no items either. */
export const isEmptyAs = ({ kind }: Shape, value: unknown): boolean =>
  isEmpty(value) || Array.isArray(value) !== (kind === 'list')

function compareWhole({ before, after, path }: Pair, { into }: Visit): void {
  if (before === undefined) add(into.added, path)
  else if (after === undefined) add(into.removed, path)
  else if (!isDeepStrictEqual(before, after)) add(into.modified, path)
}

function visitEntries({ before, after, path }: Pair, shape: MapShape, how: Visit): void {
  const former = new Map(entriesOf(before))
  const latter = new Map(entriesOf(after))
  for (const name of new Set([...former.keys(), ...latter.keys()])) {
    visit(
      {
        before: former.get(name),
        after: latter.get(name),
        schema: shape.field(name) ?? {},
        path: [...path, `f:${name}`],
      },
      how,
    )
  }
}

function visitItems({ before, after, path: above }: Pair, shape: ListShape, how: Visit): void {
  const former = byElement(shape, before, how.types)
  const latter = byElement(shape, after, how.types)
  for (const element of new Set([...former.keys(), ...latter.keys()])) {
    const old = former.get(element) ?? []
    const now = latter.get(element) ?? []
    const path = [...above, element]
    if (old.length > 1 && now.length > 1) {
      if (!isDeepStrictEqual(old, now)) add(how.into.modified, path)
      continue
    }
    // Items that share an element are one thing that cannot be looked into.
    const alone = (items: unknown[]) => (items.length > 1 ? undefined : items[0])
    const pair = { before: alone(old), after: alone(now), schema: shape.item, path }
    if (pair.before !== undefined || pair.after !== undefined) visit(pair, how)
    if (old.length > 1) add(how.into.removed, path)
    if (now.length > 1) add(how.into.added, path)
  }
}
