import { isMap, type ParsedNode } from 'yaml'
import type { Place } from './edit.ts'
import { dashOf, endOf, entryEnd } from './extent.ts'
import { type Entry, Refused } from './locate.ts'
import { renderEntry, renderItem } from './render.ts'
import { beginsLine, columnOf, lineEnd, lineStart, type Splice } from './text.ts'

/** Adds to or removes from a collection without brackets that keeps at least one item. */
export function editBlock(place: Place): Splice {
  return place.operation.op === 'remove' ? remove(place) : add(place)
}

function remove(place: Place): Splice {
  const { text, index, collection } = place
  const start = startOf(place, index)
  const end = endOfItem(place, index)
  if (beginsLine(text, start)) {
    const from = lineStart(text, start)
    const to = lineEnd(text, end)
    // The last line of a text without a final line end leaves none behind.
    const isLast = to === text.length && !text.endsWith('\n')
    return { start: isLast ? Math.max(0, from - newlineBefore(text, from)) : from, end: to, text: '' }
  }
  if (index + 1 >= collection.items.length) throw new Refused(place.operation.path, 'shares its line')
  const next = startOf(place, index + 1)
  const rest = text.slice(lineEnd(text, end), lineStart(text, next))
  // Comments above the next one stay where they are, so that what follows begins in a line of its own.
  if (rest.trim() !== '')
    return { start: lineBefore(text, start), end: lineEnd(text, end), text: place.style.newline }
  return { start, end: next, text: '' }
}

function add(place: Place): Splice {
  const { text, style, operation, collection } = place
  if (operation.op === 'remove') throw new Error('a removal adds nothing')
  const at = isMap(collection) ? collection.items.length : Number(operation.path.at(-1))
  const first = startOf(place, 0)
  const column = columnOf(text, first)
  const options = { style, column }
  const put = isMap(collection)
    ? renderEntry(String(operation.path.at(-1)), operation.value, options)
    : renderItem(operation.value, { ...options, style: { ...style, indent: 2 } })
  const margin = ' '.repeat(column)
  if (at === 0) return { start: first, end: first, text: `${put}${style.newline}${margin}` }
  const end = lineEnd(text, endOfItem(place, at - 1))
  const isOpen = end > 0 && text[end - 1] !== '\n'
  const line = isOpen ? `${style.newline}${margin}${put}` : `${margin}${put}${style.newline}`
  return { start: end, end, text: line }
}

function startOf({ collection, operation }: Place, index: number): number {
  const start = isMap(collection)
    ? (collection.items[index] as Entry | undefined)?.key.range[0]
    : dashOf(collection, index)
  if (start === undefined) throw new Refused(operation.path, 'stands in a form that is not edited')
  return start
}

function endOfItem({ collection, text }: Place, index: number): number {
  const item = collection.items[index]
  return isMap(collection) ? entryEnd(item as Entry, text) : endOf(item as ParsedNode, text)
}

function newlineBefore(text: string, offset: number): number {
  if (text[offset - 1] !== '\n') return 0
  return text[offset - 2] === '\r' ? 2 : 1
}

/** The end of what stands before an offset in its line, without the space between. */
function lineBefore(text: string, offset: number): number {
  return lineStart(text, offset) + text.slice(lineStart(text, offset), offset).trimEnd().length
}
