import { isObject, type JsonObject } from '../object.ts'

/**
 * A set of fields, as structured-merge-diff has them. The keys are path elements as FieldsV1 writes them: `f:spec`
 * for a field, `k:{"name":"web"}` for an item of a keyed list, `v:"x"` for an item of a set. A field that is not
 * itself in the set is there only for those below it.
 */
export type FieldSet = ReadonlyMap<string, Field>
export type Path = readonly string[]

interface Field {
  readonly owned: boolean
  readonly inner: FieldSet
}

/** A set that is being put together. */
export type Draft = Map<string, { owned: boolean; inner: Draft }>

const absent: Field = { owned: false, inner: new Map() }

export function add(draft: Draft, path: Path): void {
  const [element, ...rest] = path
  if (element === undefined) return
  const field = draft.get(element) ?? { owned: false, inner: new Map() }
  draft.set(element, field)
  if (rest.length === 0) field.owned = true
  else add(field.inner, rest)
}

export function setOf(paths: readonly Path[]): FieldSet {
  const draft: Draft = new Map()
  for (const path of paths) add(draft, path)
  return draft
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  return combine(a, b, (inA, inB) => inA || inB)
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  return combine(a, b, (inA, inB) => inA && inB)
}

/** What is in `a` and not in `b`. What is below a field of `b` stays. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  return combine(a, b, (inA, inB) => inA && !inB)
}

/** `a` without the fields of `b` and all that is below them. */
export function without(a: FieldSet, b: FieldSet): FieldSet {
  const kept = [...a].filter(([element]) => b.get(element)?.owned !== true)
  return pruned(
    kept.map(([element, { owned, inner }]) => [
      element,
      { owned, inner: without(inner, b.get(element)?.inner ?? absent.inner) },
    ]),
  )
}

function combine(a: FieldSet, b: FieldSet, keep: (inA: boolean, inB: boolean) => boolean): FieldSet {
  return pruned(
    [...new Set([...a.keys(), ...b.keys()])].map((element) => {
      const left = a.get(element) ?? absent
      const right = b.get(element) ?? absent
      return [
        element,
        { owned: keep(left.owned, right.owned), inner: combine(left.inner, right.inner, keep) },
      ]
    }),
  )
}

const pruned = (fields: [string, Field][]): FieldSet =>
  new Map(fields.filter(([, { owned, inner }]) => owned || inner.size > 0))

/** The paths of a set: the fields of a level before what is below them, as the server lists conflicts. */
export function pathsOf(fields: FieldSet, above: Path = []): Path[] {
  const elements = sorted(fields)
  return [
    ...elements.filter(([, { owned }]) => owned).map(([element]) => [...above, element]),
    ...elements.flatMap(([element, { inner }]) => pathsOf(inner, [...above, element])),
  ]
}

/** `.spec.containers[name="web"].image` */
export function textOf(path: Path): string {
  return path.map(textOfElement).join('')
}

function textOfElement(element: string): string {
  const content = element.slice(2)
  if (element.startsWith('f:')) return `.${content}`
  if (element.startsWith('v:')) return `[=${content}]`
  if (element.startsWith('i:')) return `[${content}]`
  const keys = Object.entries(JSON.parse(content)).map(([key, value]) => `${key}=${JSON.stringify(value)}`)
  return `[${keys.join(',')}]`
}

/** The path element of an item of a keyed list. */
export function keyElement(keys: JsonObject): string {
  const sortedKeys = Object.entries(keys).sort(([a], [b]) => (a < b ? -1 : 1))
  return `k:${JSON.stringify(Object.fromEntries(sortedKeys))}`
}

/** A set as the API writes it. */
export function toFieldsV1(fields: FieldSet): JsonObject {
  return Object.fromEntries(
    sorted(fields).map(([element, { owned, inner }]) => [
      element,
      owned && inner.size > 0 ? { '.': {}, ...toFieldsV1(inner) } : toFieldsV1(inner),
    ]),
  )
}

/** Reads a set; elements of a kind that is not known are left out. */
export function fromFieldsV1(json: JsonObject): FieldSet {
  return pruned(
    Object.entries(json).flatMap(([key, below]): [string, Field][] => {
      const element = canonical(key)
      if (element === undefined || !isObject(below)) return []
      const owned = '.' in below || Object.keys(below).length === 0
      return [[element, { owned, inner: fromFieldsV1(below) }]]
    }),
  )
}

/** Clients may write the keys of a list in any order and with blanks. */
function canonical(element: string): string | undefined {
  if (/^[fi]:/.test(element)) return element
  if (!/^[kv]:/.test(element)) return undefined
  try {
    const content: unknown = JSON.parse(element.slice(2))
    if (element.startsWith('v:')) return `v:${JSON.stringify(content)}`
    return isObject(content) ? keyElement(content) : undefined
  } catch {
    return undefined
  }
}

function sorted(fields: FieldSet): [string, Field][] {
  return [...fields].sort(([a], [b]) => order(a, b))
}

const kinds = 'fkvi'

/** Fields, keyed items, items of sets; numbers by their size. */
function order(a: string, b: string): number {
  const byKind = kinds.indexOf(a.charAt(0)) - kinds.indexOf(b.charAt(0))
  if (byKind !== 0 || a.startsWith('f:')) return byKind || (a < b ? -1 : 1)
  const [left, right] = [a, b].map((element) => Object.values(Object(JSON.parse(element.slice(2)))))
  const index = left?.findIndex((value, place) => value !== right?.[place]) ?? -1
  const [one, other] = [left?.[index], right?.[index]]
  if (typeof one === 'number' && typeof other === 'number') return one - other
  return a < b ? -1 : 1
}
