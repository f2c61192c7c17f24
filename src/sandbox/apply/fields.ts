import { isObject, type JsonObject } from '../object.ts'

/**
 * Where a field is: path elements as FieldsV1 writes them, `f:spec` for a field, `k:{"name":"web"}` for an item of a keyed list,
 * `v:"x"` for an item of a set. The root's path is empty.
 */
export type Path = string

/** A set of fields, as structured-merge-diff has them. A field is in it by itself, whatever is below it. */
export type FieldSet = ReadonlySet<Path>

const separator = '\0'

export const below = (path: Path, element: string): Path =>
  path === '' ? element : `${path}${separator}${element}`

export const elementsOf = (path: Path): readonly string[] => path.split(separator)

export const setOf = (paths: readonly (readonly string[])[]): FieldSet =>
  new Set(paths.map((elements) => elements.join(separator)))

export const union = (a: FieldSet, b: FieldSet): FieldSet => new Set([...a, ...b])

export const intersection = (a: FieldSet, b: FieldSet): FieldSet =>
  new Set([...a].filter((path) => b.has(path)))

/** What is in `a` and not in `b`. What is below a field of `b` stays. */
export const difference = (a: FieldSet, b: FieldSet): FieldSet =>
  new Set([...a].filter((path) => !b.has(path)))

/** `a` without the fields of `b` and all that is below them. */
export const without = (a: FieldSet, b: FieldSet): FieldSet =>
  new Set([...a].filter((path) => ![path, ...above(path)].some((one) => b.has(one))))

/** The paths that lead to a path. */
export function above(path: Path): Path[] {
  const elements = elementsOf(path)
  return elements.slice(1).map((_, index) => elements.slice(0, index + 1).join(separator))
}

/** The paths of a set: the fields of a level before what is below them, as the server lists conflicts. */
export function pathsOf(fields: FieldSet): Path[] {
  return [...fields].sort((a, b) => {
    const [left, right] = [elementsOf(a), elementsOf(b)]
    const index = left.findIndex((element, place) => element !== right[place])
    const [one, other] = [left[index], right[index]]
    if (one === undefined || other === undefined) return left.length - right.length
    const isLast = Number(right.length === index + 1) - Number(left.length === index + 1)
    return isLast || order(one, other)
  })
}

const kinds = '.fkvi'

/** Fields, keyed items, items of sets; numbers by their size. */
function order(a: string, b: string): number {
  const byKind = kinds.indexOf(a.charAt(0)) - kinds.indexOf(b.charAt(0))
  if (byKind !== 0 || !/^[kv]:/.test(a)) return byKind || (a < b ? -1 : 1)
  const [left, right] = [a, b].map((element) => Object.values(Object(JSON.parse(element.slice(2)))))
  const index = left?.findIndex((value, place) => value !== right?.[place]) ?? -1
  const [one, other] = [left?.[index], right?.[index]]
  if (typeof one === 'number' && typeof other === 'number') return one - other
  return a < b ? -1 : 1
}

/** `.spec.containers[name="web"].image` */
export function textOf(path: Path): string {
  return path === '' ? '' : elementsOf(path).map(textOfElement).join('')
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
  const sorted = Object.entries(keys).sort(([a], [b]) => (a < b ? -1 : 1))
  return `k:${JSON.stringify(Object.fromEntries(sorted))}`
}

type Tree = Map<string, Tree>

/** A set as the API writes it. A field that is in the set beside what is below it is told by a dot. */
export function toFieldsV1(fields: FieldSet): JsonObject {
  const root: Tree = new Map()
  for (const path of fields) {
    const end = elementsOf(path).reduce((tree, element) => {
      const inner: Tree = tree.get(element) ?? new Map()
      tree.set(element, inner)
      return inner
    }, root)
    end.set('.', new Map())
  }
  return written(root)
}

function written(tree: Tree): JsonObject {
  if (tree.size === 1 && tree.has('.')) return {}
  const sorted = [...tree].sort(([a], [b]) => order(a, b))
  return Object.fromEntries(sorted.map(([element, inner]) => [element, written(inner)]))
}

/** Reads a set; elements of a kind that is not known are left out. */
export function fromFieldsV1(json: JsonObject, path: Path = ''): FieldSet {
  const paths = Object.entries(json).flatMap(([key, inner]) => {
    const element = canonical(key)
    if (element === undefined || !isObject(inner)) return []
    const here = below(path, element)
    const isOwned = '.' in inner || Object.keys(inner).length === 0
    return [...(isOwned ? [here] : []), ...fromFieldsV1(inner, here)]
  })
  return new Set(paths)
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
