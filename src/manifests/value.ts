/** What a manifest holds: JSON, as the API server reads it. */
export type Json = null | boolean | number | string | readonly Json[] | JsonMap
export interface JsonMap {
  readonly [key: string]: Json
}

/** One step into a value: the key of a map, the index in a list. */
export type Step = string | number
export type Path = readonly Step[]

/**
 * A change to a value. `set` replaces what is at the path, or adds a key to the map there; `insert` puts an item
 * into a list, before the index that ends the path; `remove` takes away a key or an item.
 */
export type Operation =
  | { readonly op: 'set'; readonly path: Path; readonly value: Json }
  | { readonly op: 'insert'; readonly path: Path; readonly value: Json }
  | { readonly op: 'remove'; readonly path: Path }

export function isMap(value: Json | undefined): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value)
}

/** A path as people write it: `spec.containers[0].image`; keys that hold dots are quoted. */
export function formatPath(path: Path): string {
  return path
    .map((step) => {
      if (typeof step === 'number') return `[${step}]`
      return /^[\w$-]+$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`
    })
    .join('')
    .replace(/^\./, '')
}

/** Whether two values are the same; the order of a map's keys means nothing. */
export function equal(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true
  if (isList(a) && isList(b)) return a.length === b.length && a.every((item, index) => equal(item, b[index]))
  if (isMap(a) && isMap(b)) {
    const keys = Object.keys(a)
    if (keys.length !== Object.keys(b).length) return false
    return keys.every((key) => Object.hasOwn(b, key) && equal(a[key], b[key]))
  }
  return false
}
