import { isMap, type ParsedNode } from 'yaml'
import type { Place } from './edit.ts'
import { entryEnd } from './extent.ts'
import type { Entry } from './locate.ts'
import { renderFlow } from './render.ts'
import { columnOf, lineStart, type Splice } from './text.ts'

/** Adds to or removes from a collection in brackets that keeps at least one item. */
export function editFlow(place: Place): Splice {
  const { operation, index } = place
  if (operation.op === 'remove') return remove(place)
  const extents = extentsOf(place)
  const separator = `,${separation(place)}`
  const at = operation.op === 'insert' ? Number(operation.path.at(-1)) : extents.length
  const put = renderNew(place)
  const next = extents[at]
  const last = extents.at(-1)
  if (index !== -1 && next !== undefined) return { start: next.start, end: next.start, text: put + separator }
  const end = last?.end ?? place.collection.range[0] + 1
  return { start: end, end, text: separator + put }
}

function remove(place: Place): Splice {
  const extents = extentsOf(place)
  const [here, next, before] = [place.index, place.index + 1, place.index - 1].map((i) => extents[i])
  if (here === undefined) throw new Error('what is removed is there')
  if (next !== undefined) return { start: here.start, end: next.start, text: '' }
  return { start: before?.end ?? here.start, end: here.end, text: '' }
}

function renderNew({ operation, collection, text }: Place): string {
  if (operation.op === 'remove') throw new Error('nothing is rendered for a removal')
  const value = renderFlow(operation.value)
  if (!isMap(collection)) return value
  const key = String(operation.path.at(-1))
  const isQuoted = collection.items.some((entry) => text[(entry as Entry).key.range[0]] === '"')
  return `${isQuoted || !/^[A-Za-z][\w./-]*$/.test(key) ? JSON.stringify(key) : key}: ${value}`
}

interface Extent {
  readonly start: number
  readonly end: number
}

function extentsOf({ collection, text }: Place): Extent[] {
  if (!isMap(collection)) return collection.items.map(({ range }) => ({ start: range[0], end: range[1] }))
  return (collection.items as readonly Entry[]).map((entry) => ({
    start: entry.key.range[0],
    end: entryEnd(entry, text),
  }))
}

/** What stands between two items: a space, or a line end and the margin of the items. */
function separation({ collection, text, style }: Place): string {
  const first = isMap(collection)
    ? (collection.items[0] as Entry | undefined)?.key
    : (collection.items[0] as ParsedNode | undefined)
  if (first === undefined || first === null) return ' '
  const start = first.range[0]
  if (lineStart(text, start) === lineStart(text, collection.range[0])) return ' '
  return style.newline + ' '.repeat(columnOf(text, start))
}
