import { Document, visit } from 'yaml'
import type { Json } from '../value.ts'
import { yamlOptions } from './parse.ts'
import { printYaml } from './print.ts'

/** How the YAML library is to lay out what it writes: as people write manifests, one value a line, texts as blocks. */
export const outputOptions = {
  lineWidth: 0,
  indentSeq: false,
  blockQuote: 'literal',
} as const

/** A value as a YAML text that Kubernetes reads as the same value. Ends with a line end. */
export function toYaml(value: Json): string {
  return printYaml(value) ?? documentOf(value).toString(outputOptions)
}

/** A value, or nodes of the library, as a document in which every text keeps what it is. */
export function documentOf(value: unknown): Document {
  const options = { ...(yamlOptions as object), merge: false, aliasDuplicateObjects: false }
  const document = new Document(value, options)
  visit(document, {
    Scalar(_, scalar) {
      const { value: text } = scalar
      if (typeof text !== 'string') return
      // Without quotes it would be a merge key.
      if (isLostInBlocks(text) || text === '<<') scalar.type = 'QUOTE_DOUBLE'
    },
  })
  return document
}

/** A block depends on the blank lines that follow it in the file, and on spaces of its own where there is nothing else. */
function isLostInBlocks(text: string): boolean {
  return /(?:^|\n)\s*\n$|^\s|\n[ \t]+(?:\n|$)/.test(text) && text.includes('\n')
}
