import { itemsOf, type Shape } from '../diff/shape.ts'
import { operate } from '../operate.ts'
import { valueAt } from '../path.ts'
import { equal, isList, isMap, type Json, type JsonMap, type Path } from '../value.ts'
import { type Candidate, candidates } from './known.ts'

/** A field of an object that may be a default. */
export interface Suspect {
  readonly path: Path
  readonly value: Json
  /** The same for all fields of which the server's answer for one holds for the others, within a kind. */
  readonly signature: string
  /** What to think of it where the server cannot be asked. */
  readonly isProbable: boolean
}

interface Here {
  readonly like: Json | undefined
  readonly shape: Shape
  readonly path: Path
}

/** Maps that hold whatever people put there. */
const free = new Set([
  'data',
  'stringData',
  'binaryData',
  'metadata',
  'labels',
  'annotations',
  'matchLabels',
  'status',
])

/** Fields that may be defaults, but for those that the user's own object has too. */
export function suspectsIn(object: JsonMap, like: JsonMap | undefined, shape: Shape): Suspect[] {
  return inMap(object, { like, shape, path: [] })
}

function inMap(map: JsonMap, { like, shape, path }: Here): Suspect[] {
  const parent = path.findLast((step) => typeof step === 'string') ?? ''
  return Object.entries(map).flatMap(([field, value]) => {
    const known = isMap(like) && Object.hasOwn(like, field) ? like[field] : undefined
    const here = { like: known, shape: shape.field(field), path: [...path, field] }
    const candidate = known === undefined ? candidateFor(field, value, String(parent)) : undefined
    if (candidate !== undefined) return [suspect(candidate, map, { path: here.path, value })]
    return free.has(field) ? [] : inside(value, here)
  })
}

function inside(value: Json, here: Here): Suspect[] {
  if (isMap(value)) return inMap(value, here)
  if (!isList(value)) return []
  const items = itemsOf(value, here.shape.list)
  const ids = items === undefined ? [] : [...items.keys()]
  const alike = isList(here.like) ? itemsOf(here.like, here.shape.list) : undefined
  return value.flatMap((item, index) => {
    const like =
      alike?.get(ids[index] ?? '')?.value ?? (isList(here.like) && !alike ? here.like[index] : undefined)
    return inside(item, { like, shape: here.shape.item(), path: [...here.path, index] })
  })
}

function candidateFor(field: string, value: Json, parent: string): Candidate | undefined {
  return candidates.get(field)?.find(({ is, under }) => {
    if (under !== undefined && under !== parent) return false
    return is === undefined || is.some((one) => equal(one, value))
  })
}

function suspect(
  { is, beside }: Candidate,
  map: JsonMap,
  { path, value }: { path: Path; value: Json },
): Suspect {
  const general = path.map((step) => (typeof step === 'number' ? '*' : step))
  const context = beside === undefined ? null : besideOf(beside, map[beside])
  return { path, value, signature: JSON.stringify([general, value, context]), isProbable: is !== undefined }
}

/** Of an image only its tag decides; else the value itself. */
function besideOf(field: string, value: Json | undefined): Json {
  if (field !== 'image' || typeof value !== 'string') return value ?? null
  if (value.includes('@')) return 'digest'
  const tag = /:([^:/]+)$/.exec(value)?.[1]
  return tag === undefined || tag === 'latest' ? 'latest' : 'tag'
}

/** An object without some of its fields, and without the maps that hold nothing else. */
export function withoutAll(object: JsonMap, paths: readonly Path[]): JsonMap {
  return paths.reduce<JsonMap>(without, object)
}

function without(object: JsonMap, path: Path): JsonMap {
  const changed = operate(object, [{ op: 'remove', path }])
  const now = isMap(changed) ? changed : object
  const parent = path.slice(0, -1)
  const holder = valueAt(now, parent)
  const isEmpty = isMap(holder) && Object.keys(holder).length === 0
  return isEmpty && typeof parent.at(-1) === 'string' ? without(now, parent) : now
}
