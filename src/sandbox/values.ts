import { isObject, type JsonObject } from './object.ts'

/** The objects in a list; none where there is no list. */
export const list = (value: unknown): readonly JsonObject[] =>
  Array.isArray(value) ? value.filter(isObject) : []

/** A text, or the empty one where there is none. */
export const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** A number, or 0 where there is none. */
export const count = (value: unknown): number => (typeof value === 'number' ? value : 0)

/** A time as the API writes it, in whole seconds. */
export const timestamp = (time: Date): string => time.toISOString().replace(/\.\d+Z$/, 'Z')

/** A map of texts, such as labels are. */
export const texts = (value: unknown): Readonly<Record<string, string>> =>
  isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, of]) => [key, text(of)])) : {}
