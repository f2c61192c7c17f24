import { bytesOf, type PathGlob, readGlob } from './glob.ts'

/** One line of a .gitignore. */
export interface Pattern {
  /** It takes back what an earlier one ignores. */
  readonly isNegated: boolean
  readonly directoriesOnly: boolean
  /** Compared with a path from where the pattern stands; or with names at any depth, if it is of one. */
  readonly glob: PathGlob
  readonly anyDepth: boolean
}

/** The patterns of a file like .gitignore, in their order (see gitignore(5)); lines that match nothing are left out. */
export function readPatterns(text: string): Pattern[] {
  const lines = text.replace(/^\ufeff/, '').split('\n')
  // git takes the carriage return off whole lines only; the last one counts as whole.
  return lines.flatMap((line) => readPattern(line.replace(/\r$/, '')) ?? [])
}

/** The pattern of a line; undefined for a comment and for what matches nothing. */
export function readPattern(line: string): Pattern | undefined {
  if (line.startsWith('#')) return undefined
  const trimmed = bytesOf(withoutTrailingSpaces(line))
  const isNegated = trimmed.startsWith('!')
  const all = isNegated ? trimmed.slice(1) : trimmed
  const directoriesOnly = all.endsWith('/')
  const text = directoriesOnly ? all.slice(0, -1) : all
  const glob = text === '' ? undefined : readGlob(text.startsWith('/') ? text.slice(1) : text)
  if (glob === undefined) return undefined
  const anyDepth = !text.includes('/')
  // Without a slash, stars are just stars.
  return { isNegated, directoriesOnly, anyDepth, glob: anyDepth && glob[0] === '**' ? everyName : glob }
}

const everyName: PathGlob = [{ kind: 'suffix', text: '' }]

/** Spaces at the end go, unless a backslash is before them. */
function withoutTrailingSpaces(line: string): string {
  let end = 0
  for (let at = 0; at < line.length; at++) {
    if (line[at] === ' ') continue
    if (line[at] === '\\') at++
    end = at + 1
  }
  return line.slice(0, end)
}
