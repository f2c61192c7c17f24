import { isMap, isScalar, isSeq, Lexer, type ParsedNode } from 'yaml'
import { equal, type Json } from '../value.ts'
import type { Edited } from './edit.ts'
import { dashOf, entryEnd } from './extent.ts'
import { type Collection, type Entry, Refused } from './locate.ts'
import { parseYaml } from './parse.ts'
import { beginsLine, columnOf, lineEnd, lineStart, splice } from './text.ts'

/** A stretch of the text that a node is in. */
interface Region {
  readonly text: string
  readonly from: number
  readonly to: number
}

/** An entry of a map: the lines of comments above it, and the rest from its key on, with what is below in order. */
interface Piece {
  readonly key: string
  readonly lead: string
  readonly body: string
}

/**
 * Puts the fields of a document in kubectl's order, which is the alphabet's, by moving whole lines: comments go with what they stand above,
 * those above the first field of the document stay there, and what is within brackets stays as it is. The result is read again: if it
 * means something else, or a comment is missing, nothing is changed.
 */
export function sortYaml(text: string, document: number): Edited {
  const before = parseYaml(text)
  const parsed = before[document]
  const root = parsed?.node.contents as ParsedNode | null | undefined
  const refused = (reason: string): Edited => ({ refused: { path: [], reason } })
  if (parsed === undefined || parsed.problems.length > 0) return refused('it cannot be read')
  if (root === null || root === undefined) return { text }
  try {
    const region = {
      text,
      from: Math.max(lineStart(text, root.range[0]), text.startsWith('\ufeff') ? 1 : 0),
      to: parsed.node.range[2],
    }
    const sorted = splice(text, { start: region.from, end: region.to, text: inOrder(root, region) })
    if (
      means(
        sorted,
        before.map(({ value }) => value),
      ) &&
      String(commentsIn(sorted)) === String(commentsIn(text))
    )
      return { text: sorted }
    return refused(
      'its fields cannot be put in order by moving lines: aliases or a text in several lines depend on where they are',
    )
  } catch (error) {
    if (error instanceof Refused) return refused(error.message)
    throw error
  }
}

function means(text: string, values: readonly Json[]): boolean {
  const after = parseYaml(text)
  const isRight = ({ problems, value }: (typeof after)[number], index: number) =>
    problems.length === 0 && equal(value, values[index])
  return after.length === values.length && after.every(isRight)
}

/** All comments of a text, in some order that is the same for the same comments. */
export function commentsIn(text: string): string[] {
  // The lexer announces a scalar, which may begin with the same sign.
  const tokens = [...new Lexer().lex(text)]
  return tokens.filter((token, index) => token.startsWith('#') && tokens[index - 1] !== '\u001f').sort()
}

function inOrder(node: ParsedNode | null, region: Region): string {
  if (isMap(node) && !node.flow && node.items.length > 0) return mapInOrder(node as Collection, region)
  if (isSeq(node) && !node.flow) return itemsInOrder(node as Collection, region)
  return region.text.slice(region.from, region.to)
}

function itemsInOrder(list: Collection, { text, from, to }: Region): string {
  const starts = list.items.map((_, index) => {
    const dash = dashOf(list, index)
    if (dash === undefined) throw new Refused([], 'has a list in a form that is not edited')
    return beginsLine(text, dash) ? lineStart(text, dash) : dash
  })
  const items = starts.map((start, index) =>
    inOrder(list.items[index] as ParsedNode, { text, from: start, to: starts[index + 1] ?? to }),
  )
  return text.slice(from, starts[0] ?? to) + items.join('')
}

function mapInOrder(map: Collection, region: Region): string {
  const { text, from, to } = region
  const entries = map.items as Entry[]
  const [first = 0] = entries.map(({ key }) => key.range[0])
  const column = columnOf(text, first)
  const isOpen = beginsLine(text, first)
  const start = isOpen ? leadStart(text, first, from) : first
  const { pieces, end } = piecesOf(entries, { region, start, column })
  const sorted = pieces.toSorted((a, b) => (a.key < b.key ? -1 : 1))
  const newline = text.includes('\r\n') ? '\r\n' : '\n'
  const isTorn = !text.slice(start, end).endsWith('\n')
  const closed = (one: string) => (one.endsWith('\n') ? one : one + newline)
  const margin = ' '.repeat(column)
  const lines = sorted.map(({ lead, body }, index) =>
    index === 0 && !isOpen ? closed(body) : closed(`${lead}${margin}${body}`),
  )
  const all = lines.join('')
  const before = text.slice(from, start)
  const lifted = isOpen ? before : withLead(before, { lead: sorted[0]?.lead ?? '', region })
  return lifted + (isTorn ? all.slice(0, -newline.length) : all) + text.slice(end, to)
}

/** The dash of an item whose first field is another one now: comments of that field go above the dash. */
function withLead(dash: string, { lead, region }: { lead: string; region: Region }): string {
  if (lead === '') return dash
  const margin = /^([ \t]*)-[ \t]+$/.exec(dash)?.[1]
  if (margin === undefined || !beginsLine(region.text, region.from)) {
    throw new Refused([], 'has a comment in a list for which there would be no place')
  }
  return lead.replace(/^[ \t]+(?=\S)/gm, margin) + dash
}

/** The entries of a map, and where the last one ends. */
function piecesOf(
  entries: readonly Entry[],
  { region, start, column }: { region: Region; start: number; column: number },
): { pieces: Piece[]; end: number } {
  const { text, to } = region
  const ends = entries.map((entry, index) => {
    const next = entries[index + 1]?.key.range[0]
    if (next !== undefined && !beginsLine(text, next)) throw new Refused([], 'has fields that share a line')
    return tailEnd(text, { from: lineEnd(text, entryEnd(entry, text)), to: next ?? to, column })
  })
  const pieces = entries.map(({ key, value }, index): Piece => {
    if (!isScalar(key)) throw new Refused([], 'has a field without a plain name')
    const [from, at, end] = [ends[index - 1] ?? start, key.range[0], ends[index] ?? to]
    const lead = text.slice(from, Math.max(from, lineStart(text, at)))
    return { key: String(key.value), lead, body: inOrder(value, { text, from: at, to: end }) }
  })
  return { pieces, end: ends.at(-1) ?? to }
}

/** Comments that stand further right than the fields of a map belong to what is above them. */
function tailEnd(text: string, { from, to, column }: { from: number; to: number; column: number }): number {
  let end = from
  for (let at = from; at < to; at = lineEnd(text, at)) {
    const indent = /^[ \t]*(?=#)/.exec(text.slice(at, lineEnd(text, at)))?.[0].length
    if (indent !== undefined && indent > column) end = lineEnd(text, at)
    else if (text.slice(at, lineEnd(text, at)).trim() !== '' && indent === undefined) break
  }
  return Math.min(end, to)
}

/** Where the comments above a field begin; those above a document's first field are the document's. */
function leadStart(text: string, key: number, from: number): number {
  let start = Math.max(lineStart(text, key), from)
  while (start > from) {
    const line = lineStart(text, start - 1)
    if (line < from || !/^[ \t]*(?:#.*)?\r?\n$/.test(text.slice(line, start))) break
    start = line
  }
  return start
}
