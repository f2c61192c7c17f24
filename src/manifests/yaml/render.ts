import { Document, Scalar, visit } from 'yaml'
import type { Json } from '../value.ts'
import { documentOf, outputOptions } from './output.ts'
import { yamlOptions } from './parse.ts'
import type { Style } from './style.ts'

export interface RenderOptions {
  readonly style: Style
  /** The column of the key that the value is below, or of the dash. */
  readonly column: number
  /** How the string was quoted that this one replaces. */
  readonly quotes?: Scalar.Type | undefined
  /** Whether something follows in the line, which rules out a block scalar. */
  readonly oneLine?: boolean
}

/**
 * A value as it stands behind `key:`, from the first character after the colon on, without a line end: ` text`,
 * ` |` and lines, or a line end and lines.
 */
export function renderBehindKey(value: Json, options: RenderOptions): string {
  const [first = '', ...rest] = rendered({ k: nodeOf(value, options) }, options)
  return [first.slice(2), ...rest].join(options.style.newline)
}

/** A map's entry from its key on. */
export function renderEntry(key: string, value: Json, options: RenderOptions): string {
  return rendered({ [key]: nodeOf(value, options) }, options).join(options.style.newline)
}

/** A list's item from its dash on. */
export function renderItem(value: Json, options: RenderOptions): string {
  return rendered([nodeOf(value, options)], options).join(options.style.newline)
}

/** A value in one line, as it may stand within brackets: JSON, which YAML reads as the same. */
export function renderFlow(value: Json): string {
  return JSON.stringify(value)
}

function rendered(value: unknown, { style, column }: RenderOptions): string[] {
  const text = documentOf(value).toString({
    ...outputOptions,
    indent: style.indent,
    indentSeq: style.indentSeq,
    flowCollectionPadding: false,
  })
  const margin = ' '.repeat(column)
  const lines = text.replace(/\n$/, '').split('\n')
  return lines.map((line, index) => (index === 0 || line === '' ? line : margin + line))
}

function nodeOf(value: Json, { quotes, oneLine }: RenderOptions): unknown {
  if (oneLine && isMultiline(value)) {
    const node = new Document(value, { ...(yamlOptions as object), aliasDuplicateObjects: false }).contents
    visit(node, {
      Scalar(_, scalar) {
        if (typeof scalar.value === 'string') scalar.type = 'QUOTE_DOUBLE'
      },
      Collection(_, collection) {
        collection.flow = true
      },
    })
    return node
  }
  if (typeof value !== 'string') return value
  const scalar = new Scalar(value)
  if (quotes === 'QUOTE_DOUBLE' || quotes === 'QUOTE_SINGLE') scalar.type = quotes
  return scalar
}

/** Whether a value has a text in it that would be written as a block of lines. */
function isMultiline(value: Json): boolean {
  if (typeof value === 'string') return /[\n\r]/.test(value)
  return typeof value === 'object' && value !== null && Object.values(value).some(isMultiline)
}
