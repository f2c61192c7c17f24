/** A JSON object whose fields nobody has looked at yet. */
export type Fields = { readonly [field: string]: unknown }

/** An object of the API as it comes over the wire, or as it is about to. */
export interface Thing extends Fields {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata: Fields
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value at a path of field names and list positions; undefined where there is none. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((inner, step) => {
    if (typeof step === 'number') return Array.isArray(inner) ? inner.at(step) : undefined
    return isFields(inner) ? inner[step] : undefined
  }, value)
}

export function text(value: unknown, ...path: readonly (string | number)[]): string {
  const found = at(value, ...path)
  if (typeof found !== 'string') throw new Error(`no text at ${path.join('.')}: ${JSON.stringify(value)}`)
  return found
}

export function list(value: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const found = at(value, ...path)
  if (!Array.isArray(found)) throw new Error(`no list at ${path.join('.')}: ${JSON.stringify(value)}`)
  return found
}

export function thing(value: unknown): Thing {
  if (!isFields(value) || !isFields(value.metadata)) throw new Error(`no object: ${JSON.stringify(value)}`)
  return { ...value, metadata: value.metadata }
}

/** The names of a list's items, in its order. */
export function names(value: unknown): string[] {
  return list(value, 'items').map((item) => text(item, 'metadata', 'name'))
}

export function nameOf(value: unknown): string {
  return text(value, 'metadata', 'name')
}

export function versionOf(value: unknown): string {
  return text(value, 'metadata', 'resourceVersion')
}

export function uidOf(value: unknown): string {
  return text(value, 'metadata', 'uid')
}

/** Who owns what of an object: `MANAGER OPERATION` -> FieldsV1. */
export function ownershipOf(value: unknown): Fields {
  const entries = list(value, 'metadata', 'managedFields')
  return Object.fromEntries(
    entries.map((entry) => [`${text(entry, 'manager')} ${text(entry, 'operation')}`, at(entry, 'fieldsV1')]),
  )
}
