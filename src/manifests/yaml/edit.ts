import { isMap, isScalar, type ParsedNode } from 'yaml'
import { Misfit, operate } from '../operate.ts'
import { equal, type Operation, type Path } from '../value.ts'
import { editBlock } from './edit-block.ts'
import { editFlow } from './edit-flow.ts'
import { afterColon, dashOf, endOf } from './extent.ts'
import { type Collection, collectionAt, type Entry, indexOf, Refused } from './locate.ts'
import { parseYaml, type YamlDocument } from './parse.ts'
import { renderBehindKey, renderFlow, renderItem } from './render.ts'
import { type Style, styleOf } from './style.ts'
import { columnOf, hasComment, type Splice, splice } from './text.ts'

/** The new text, or why the old one must stay: which path, in words for the user. */
export type Edited =
  | { readonly text: string }
  | { readonly refused: { readonly path: Path; readonly reason: string } }

/** What an edit works on. */
export interface Place {
  readonly text: string
  readonly style: Style
  readonly operation: Operation
  readonly collection: Collection
  /** Of the key or item in the collection; -1 for one to be added. */
  readonly index: number
}

/**
 * Carries operations out in the text of one document of a file, and leaves every other byte as it is. The result is read
 * again: if it does not mean what the operations mean, or another document changed, nothing is changed.
 */
export function editYaml(text: string, document: number, operations: readonly Operation[]): Edited {
  const before = parseYaml(text)
  try {
    const edited = operations.reduce((now, operation) => editOnce(now, document, operation), text)
    const wanted = before.map(({ value }, index) => (index === document ? operate(value, operations) : value))
    const after = parseYaml(edited)
    const isRight =
      after.length === wanted.length &&
      after.every(({ problems, value }, index) => problems.length === 0 && equal(value, wanted[index]))
    if (isRight) return { text: edited }
    const path = operations[0]?.path ?? []
    return { refused: { path, reason: 'cannot be written into this text without changing more than it' } }
  } catch (error) {
    if (!(error instanceof Refused) && !(error instanceof Misfit)) throw error
    return { refused: { path: error.path, reason: error.message } }
  }
}

function editOnce(text: string, document: number, operation: Operation): string {
  const parsed: YamlDocument | undefined = parseYaml(text)[document]
  if (parsed === undefined || parsed.problems.length > 0) throw new Refused([], 'cannot be read')
  const root = parsed.node.contents as ParsedNode | null
  const step = operation.path.at(-1)
  if (step === undefined) throw new Refused([], 'is replaced as a whole only by a new file')
  const collection = collectionAt(root, operation.path)
  const index = indexOf(collection, step)
  const place = { text, style: styleOf(text, root), operation, collection, index }
  return splice(text, editOf(place, root))
}

function editOf(place: Place, root: ParsedNode | null): Splice {
  const { operation, collection, index } = place
  if (operation.op === 'set' && index !== -1) return replace(place)
  // A collection changes between empty and not: brackets come or go, in what it is the value of.
  const count = collection.items.length
  if ((count === 0 && operation.op !== 'remove') || (count === 1 && operation.op === 'remove')) {
    return refill(place, root)
  }
  return collection.flow ? editFlow(place) : editBlock(place)
}

/** Another value for a key or an item that is there. */
function replace(place: Place): Splice {
  const { operation, collection, index, text, style } = place
  if (operation.op !== 'set') throw new Error('only what is set has a value')
  const item = collection.items[index]
  const value = isMap(collection) ? (item as Entry).value : (item as ParsedNode)
  if (collection.flow && value !== null) {
    return { start: value.range[0], end: value.range[1], text: renderFlow(operation.value) }
  }
  const quotes = isScalar(value) ? value.type : undefined
  if (!isMap(collection)) return replaceItem(value as ParsedNode, place)
  const entry = item as Entry
  const start = afterColon(entry)
  const end = value === null ? start : Math.max(start, endOf(value, text))
  const column = columnOf(text, entry.key.range[0])
  const put = renderBehindKey(operation.value, { style, column, quotes, oneLine: hasComment(text, end) })
  return keepingSpace({ start, end, text: put }, text)
}

function replaceItem(value: ParsedNode, { operation, collection, index, text, style }: Place): Splice {
  const dash = dashOf(collection, index)
  if (operation.op !== 'set' || dash === undefined) {
    throw new Refused(operation.path, 'stands in a form that is not edited')
  }
  const end = endOf(value, text)
  const put = renderItem(operation.value, {
    style: { ...style, indent: 2 },
    column: columnOf(text, dash),
    quotes: isScalar(value) ? value.type : undefined,
    oneLine: hasComment(text, end),
  })
  return { start: dash, end: Math.max(dash + 1, end), text: put }
}

/** The white space between a colon and a value in its line stays what it was. */
function keepingSpace({ start, end, text: put }: Splice, text: string): Splice {
  const space = /^[ \t]+(?=[^\s#])/.exec(text.slice(start, end))?.[0]
  return { start, end, text: space !== undefined && put.startsWith(' ') ? space + put.slice(1) : put }
}

function refill(place: Place, root: ParsedNode | null): Splice {
  const { operation, collection, text } = place
  const parent = operation.path.slice(0, -1)
  const now = operation.op === 'remove' ? (isMap(collection) ? {} : []) : filled(place)
  const [start] = collection.range
  if (collection.flow || parent.length === 0) {
    if (parent.length === 0 || operation.op === 'remove') {
      return { start, end: endOf(collection, text), text: renderFlow(now) }
    }
  }
  const outer = collectionAt(root, parent)
  const step = parent.at(-1)
  const index = step === undefined ? -1 : indexOf(outer, step)
  return replace({ ...place, collection: outer, index, operation: { op: 'set', path: parent, value: now } })
}

function filled({ operation }: Place) {
  if (operation.op === 'remove') throw new Error('nothing is filled by a removal')
  const step = operation.path.at(-1)
  return typeof step === 'number' ? [operation.value] : { [String(step)]: operation.value }
}
