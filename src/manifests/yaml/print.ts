import { isList, isMap, type Json } from '../value.ts'
import { scalarTags } from './scalars.ts'

/**
 * A value as the YAML library lays it out with `outputOptions`, many times as fast; undefined where a text in it has something
 * that only the library knows how to write.
 */
export function printYaml(value: Json): string | undefined {
  try {
    return `${isFilled(value) ? inner(value, '') : inLine(value)}\n`
  } catch (error) {
    if (error instanceof Strange) return undefined
    throw error
  }
}

class Strange extends Error {}

function isFilled(value: Json): value is Exclude<Json, string | number | boolean | null> {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0
}

/** The lines of a map or a list, the first one without its margin. */
function inner(value: Json, margin: string): string {
  if (isList(value)) return value.map((item) => `-${behindDash(item, margin)}`).join(`\n${margin}`)
  const entries = isMap(value) ? Object.entries(value) : []
  return entries.map(([key, one]) => `${named(key)}:${behindKey(one, margin)}`).join(`\n${margin}`)
}

function behindKey(value: Json, margin: string): string {
  if (!isFilled(value)) return ` ${inLine(value, `${margin}  `)}`
  const below = isList(value) ? margin : `${margin}  `
  return `\n${below}${inner(value, below)}`
}

function behindDash(value: Json, margin: string): string {
  return ` ${isFilled(value) ? inner(value, `${margin}  `) : inLine(value, `${margin}  `)}`
}

function inLine(value: Json, margin = '  '): string {
  if (typeof value !== 'string') return JSON.stringify(value)
  if (isPlain(value)) return value
  return value.includes('\n') ? block(value, margin) : quoted(value)
}

function named(key: string): string {
  // A long one would be written with a question mark.
  if (key.length > 100 || key.includes('\n')) throw new Strange()
  return isPlain(key) ? key : quoted(key)
}

/** Whether a text means itself without quotes. */
function isPlain(text: string): boolean {
  if (
    !/^(?:[A-Za-z0-9_/($]|\.(?=[A-Za-z0-9_/]))[A-Za-z0-9 _./@=+~(),;:'$-]*$/.test(text) ||
    /: |[: ]$/.test(text)
  )
    return false
  return !scalarTags.some(({ test }) => test?.test(text))
}

function quoted(text: string): string {
  if (!/^[ -~]*$/.test(text)) throw new Strange()
  return text.includes('"') && !text.includes("'") ? `'${text}'` : JSON.stringify(text)
}

/** Lines of their own; not where blank lines or spaces at the ends of the text or of a line would be lost. */
function block(text: string, margin: string): string {
  if (/^\s|\n\n$|\n[ \t]+(?:\n|$)|[^ -~\n\t\u00a0-\ud7ff]/.test(text)) throw new Strange()
  const isClosed = text.endsWith('\n')
  const body = (isClosed ? text.slice(0, -1) : text).replace(/\n(?!\n|$)/g, `\n${margin}`)
  return `${isClosed ? '|' : '|-'}\n${margin}${body}`
}
