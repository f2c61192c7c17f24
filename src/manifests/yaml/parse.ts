import { type Document, LineCounter, parseAllDocuments } from 'yaml'
import { messageOf } from '../../errors.ts'
import type { Json } from '../value.ts'
import { scalarTags } from './scalars.ts'

/** Where the parser stopped: lines and columns from 1. */
export interface YamlProblem {
  readonly message: string
  readonly line: number
  readonly column: number
  /** The line itself. */
  readonly source: string
}

/** A document of a file. Its offsets are into the file's text. */
export interface YamlDocument {
  readonly node: Document.Parsed
  readonly value: Json
  readonly problems: readonly YamlProblem[]
}

/** How the YAML library is to read and write: JSON's types, Kubernetes' scalars, no aliases that explode. */
export const yamlOptions = {
  schema: 'failsafe',
  customTags: (tags: readonly unknown[]) => [...scalarTags, ...tags],
  merge: true,
  uniqueKeys: true,
  strict: true,
  logLevel: 'error',
} as const

/** How many nodes an alias may stand for, all in all; more is a bomb. */
const maxAliases = 1000

/** Reads all documents of a text, a `---` at the end of which makes no document. Never throws. */
export function parseYaml(text: string): YamlDocument[] {
  const lineCounter = new LineCounter()
  const documents = parseAllDocuments(text, {
    ...(yamlOptions as object),
    lineCounter,
    keepSourceTokens: true,
  })
  if (!Array.isArray(documents)) return []
  const lines = text.split(/\r?\n/)
  return documents.map((node) => {
    const errors = node.errors.map(({ message, pos }) => place(message, pos[0], { lineCounter, lines }))
    if (errors.length > 0) return { node, value: null, problems: errors }
    try {
      return { node, value: node.toJS({ maxAliasCount: maxAliases }) as Json, problems: [] }
    } catch (error) {
      // Aliases that stand for more than they may.
      const problem = place(messageOf(error), node.range[0], { lineCounter, lines })
      return { node, value: null, problems: [problem] }
    }
  })
}

function place(
  message: string,
  offset: number,
  { lineCounter, lines }: { lineCounter: LineCounter; lines: readonly string[] },
): YamlProblem {
  const found = lineCounter.linePos(offset)
  // What is not closed is only missed at the end: that is said where there is something to see.
  const seen = lines.slice(0, found.line).findLastIndex((line) => line.trim() !== '')
  const isBlank = seen !== -1 && seen < found.line - 1
  const { line, col } = isBlank ? { line: seen + 1, col: (lines[seen]?.length ?? 0) + 1 } : found
  const [first = message] = message.split('\n')
  return {
    message: first.replace(/ at line \d+, column \d+:?$/, ''),
    line,
    column: col,
    source: lines[line - 1] ?? '',
  }
}
