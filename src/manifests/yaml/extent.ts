import { isMap, isScalar, isSeq, type ParsedNode } from 'yaml'
import type { Collection, Entry } from './locate.ts'

/** Where the text of a node ends, without the line end, the blank lines and the comments that follow it. */
export function endOf(node: ParsedNode, text: string): number {
  if (isMap(node) && !node.flow) {
    const last = node.items.at(-1) as Entry | undefined
    if (last !== undefined) return entryEnd(last, text)
  }
  if (isSeq(node) && !node.flow) {
    const last = node.items.at(-1) as ParsedNode | undefined
    if (last !== undefined) return endOf(last, text)
  }
  const end = node.range[1]
  if (!isScalar(node) || (node.type !== 'BLOCK_LITERAL' && node.type !== 'BLOCK_FOLDED')) return end
  // The blank lines after a block scalar that keeps them are its content.
  const header = /^[|>][-\d]*\+/.test(text.slice(node.range[0], end))
  const trimmed = text.slice(node.range[0], end).replace(header ? /\r?\n$/ : /[\r\n \t]+$/, '')
  return node.range[0] + trimmed.length
}

/** Where an entry of a map ends, as `endOf` has it. */
export function entryEnd(entry: Entry, text: string): number {
  const { value } = entry
  if (value === null || (isScalar(value) && value.range[0] === value.range[1])) return afterColon(entry)
  return endOf(value, text)
}

/** The offset behind an entry's colon, or behind the anchor or tag that follows it. */
export function afterColon(entry: Entry): number {
  const sep = entry.srcToken?.sep ?? []
  const props = sep.filter(({ type }) => type === 'map-value-ind' || type === 'anchor' || type === 'tag')
  const last = props.at(-1)
  if (last === undefined) return entry.key.range[1]
  return last.offset + last.source.length
}

/** The offset of an item's dash in a block list. */
export function dashOf(list: Collection, index: number): number | undefined {
  const token = list.srcToken
  if (token?.type !== 'block-seq') return undefined
  return token.items[index]?.start.find(({ type }) => type === 'seq-item-ind')?.offset
}
