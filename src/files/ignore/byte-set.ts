/** Characters of a bracket expression, by code: the bytes of a name (see `bytesOf`). */
export type ByteSet = ReadonlySet<number>

export interface Bracket {
  readonly set: ByteSet
  /** The position after the closing bracket. */
  readonly end: number
}

const MAX_BYTE = 0xff
const named: Readonly<Record<string, (char: string) => boolean>> = {
  alnum: (char) => /[0-9A-Za-z]/.test(char),
  alpha: (char) => /[A-Za-z]/.test(char),
  blank: (char) => char === ' ' || char === '\t',
  cntrl: (char) => char < ' ' || char === '\x7f',
  digit: (char) => /[0-9]/.test(char),
  graph: (char) => char > ' ' && char < '\x7f',
  lower: (char) => /[a-z]/.test(char),
  print: (char) => char >= ' ' && char < '\x7f',
  punct: (char) => char > ' ' && char < '\x7f' && !/[0-9A-Za-z]/.test(char),
  space: (char) => /[ \t\n\v\f\r]/.test(char),
  upper: (char) => /[A-Z]/.test(char),
  xdigit: (char) => /[0-9A-Fa-f]/.test(char),
}

/**
 * Reads the bracket expression that begins at a position of a pattern, as git's wildmatch.c reads it: `!` or `^`
 * negates, a first `]` is itself, ranges and `[:class:]`es count, `\` makes what follows literal. Undefined if it is
 * not closed or names a class that is none: such a pattern matches nothing.
 */
export function readBracket(pattern: string, start: number): Bracket | undefined {
  const isNegated = pattern[start + 1] === '!' || pattern[start + 1] === '^'
  const listed = new Set<number>()
  let at = isNegated ? start + 2 : start + 1
  let before: number | undefined
  do {
    const item = readItem(pattern, at, before)
    if (item === undefined) return undefined
    for (const code of item.codes) listed.add(code)
    before = item.last
    at = item.end
  } while (pattern[at] !== ']')
  return { set: isNegated ? complement(listed) : listed, end: at + 1 }
}

interface Item {
  readonly codes: Iterable<number>
  readonly end: number
  /** What a range may begin with. */
  readonly last: number | undefined
}

function readItem(pattern: string, at: number, before: number | undefined): Item | undefined {
  const char = pattern[at]
  if (char === undefined) return undefined
  if (char === '[' && pattern[at + 1] === ':') {
    const close = pattern.indexOf(']', at + 2)
    if (close < 0) return undefined
    if (close > at + 2 && pattern[close - 1] === ':')
      return readClass(pattern.slice(at + 2, close - 1), close + 1)
  }
  const next = pattern[at + 1]
  if (char === '-' && before !== undefined && next !== undefined && next !== ']') {
    const to = readOne(pattern, at + 1)
    return to && { codes: range(before, to.code), end: to.end, last: undefined }
  }
  const one = readOne(pattern, at)
  return one && { codes: [one.code], end: one.end, last: one.code }
}

function readClass(name: string, end: number): Item | undefined {
  const isIn = named[name]
  if (isIn === undefined) return undefined
  return {
    codes: [...range(0, 0x7f)].filter((code) => isIn(String.fromCharCode(code))),
    end,
    last: undefined,
  }
}

function readOne(pattern: string, at: number): { readonly code: number; readonly end: number } | undefined {
  const escaped = pattern[at] === '\\' ? at + 1 : at
  return escaped < pattern.length ? { code: pattern.charCodeAt(escaped), end: escaped + 1 } : undefined
}

function* range(from: number, to: number): Generator<number> {
  for (let code = from; code <= to; code++) yield code
}

function complement(listed: ByteSet): ByteSet {
  return new Set([...range(0, MAX_BYTE)].filter((code) => !listed.has(code)))
}
