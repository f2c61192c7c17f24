/**
 * Globs as git's wildmatch.c matches them with WM_PATHNAME. Here a glob is cut into the names of a path first, and
 * both levels (characters in a name, names in a path) are matched by remembering the last star only: going back to
 * an earlier one never finds more. So the time is the product of both lengths at most, whatever the glob.
 */
import { type ByteSet, readBracket } from './byte-set.ts'

/** A character by its code, one of a set, or one of the two below. */
type Token = number | ByteSet
const ANY = -1
const STAR = -2

/** What a name is compared with. */
export type NameGlob =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'suffix'; readonly text: string }
  | { readonly kind: 'tokens'; readonly tokens: readonly Token[] }

/** `**`: any number of names. */
export const ANY_NAMES = '**'
export type PathGlob = readonly (NameGlob | typeof ANY_NAMES)[]

const plainText = /^[\x20-\x7e]*$/

/** A text as one character for each byte of its UTF-8: git matches bytes. */
export function bytesOf(text: string): string {
  return plainText.test(text) ? text : Buffer.from(text).toString('latin1')
}

/** Reads a glob of bytes; undefined if it is one that matches nothing. It has one name if it has no slash. */
export function readGlob(glob: string): PathGlob | undefined {
  const names: Token[][] = [[]]
  for (let at = 0; at < glob.length; ) {
    const read = readToken(glob, at)
    if (read === undefined) return undefined
    if (read.token === undefined) names.push([])
    else names.at(-1)?.push(read.token)
    at = read.end
  }
  const globs = names.map(nameGlob)
  // At the end it stands for what is in a directory, and not for the directory.
  return globs.length > 1 && globs.at(-1) === ANY_NAMES ? [...globs, EVERYTHING] : globs
}

interface Read {
  /** Undefined for a slash. */
  readonly token: Token | undefined
  readonly end: number
}

function readToken(glob: string, at: number): Read | undefined {
  const char = glob[at]
  switch (char) {
    case '/':
      return { token: undefined, end: at + 1 }
    case '?':
      return { token: ANY, end: at + 1 }
    case '*':
      return { token: STAR, end: at + 1 }
    case '[': {
      const bracket = readBracket(glob, at)
      return bracket && { token: bracket.set, end: bracket.end }
    }
    case '\\':
      if (at + 1 === glob.length) return undefined
      return { token: glob[at + 1] === '/' ? undefined : glob.charCodeAt(at + 1), end: at + 2 }
    default:
      return { token: glob.charCodeAt(at), end: at + 1 }
  }
}

const EVERYTHING: NameGlob = { kind: 'suffix', text: '' }

function nameGlob(all: readonly Token[]): NameGlob | typeof ANY_NAMES {
  const tokens = all.filter((token, i) => token !== STAR || all[i - 1] !== STAR)
  if (all.length > 1 && tokens.length === 1 && tokens[0] === STAR) return ANY_NAMES
  const text = textOf(tokens)
  if (text !== undefined) return { kind: 'literal', text }
  const suffix = tokens[0] === STAR ? textOf(tokens.slice(1)) : undefined
  return suffix === undefined ? { kind: 'tokens', tokens } : { kind: 'suffix', text: suffix }
}

function textOf(tokens: readonly Token[]): string | undefined {
  const codes = tokens.filter((token) => typeof token === 'number' && token >= 0) as number[]
  return codes.length === tokens.length ? String.fromCharCode(...codes) : undefined
}

/** Whether a name, in bytes, is matched. */
export function matchesName(glob: NameGlob, name: string): boolean {
  if (glob.kind === 'literal') return name === glob.text
  return glob.kind === 'suffix' ? name.endsWith(glob.text) : matchesTokens(glob.tokens, name)
}

function matchesTokens(tokens: readonly Token[], name: string): boolean {
  let token = 0
  let star = -1
  let starAt = 0
  for (let at = 0; at < name.length; ) {
    const expected = tokens[token]
    if (expected === STAR) {
      star = token++
      starAt = at
    } else if (expected !== undefined && isMatch(expected, name.charCodeAt(at))) {
      token++
      at++
    } else {
      if (star < 0) return false
      token = star + 1
      at = ++starAt
    }
  }
  while (tokens[token] === STAR) token++
  return token === tokens.length
}

function isMatch(token: Token, code: number): boolean {
  return token === code || token === ANY || (typeof token !== 'number' && token.has(code))
}

/** Whether the names of a path, in bytes, are matched. */
export function matchesPath(glob: PathGlob, names: readonly string[]): boolean {
  let part = 0
  let star = -1
  let starAt = 0
  for (let at = 0; at < names.length; ) {
    const expected = glob[part]
    const name = names[at] ?? ''
    if (expected === ANY_NAMES) {
      star = part++
      starAt = at
    } else if (expected !== undefined && matchesName(expected, name)) {
      part++
      at++
    } else {
      if (star < 0) return false
      part = star + 1
      at = ++starAt
    }
  }
  while (glob[part] === ANY_NAMES) part++
  return part === glob.length
}
