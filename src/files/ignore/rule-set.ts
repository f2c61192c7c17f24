/** What decides which paths are ignored, as plain data that travels from the laptop to the containers. */
import { createHash } from 'node:crypto'
import { ByteReader, ByteWriter } from '../../wire/bytes.ts'
import { WireError } from '../../wire/error.ts'
import * as part from '../entry-codec.ts'
import type { Path } from '../tree.ts'

/** By precedence: what the first says, the others cannot change. */
export const ruleFileKinds = ['ksyncignore', 'gitignore', 'exclude'] as const
export type RuleFileKind = (typeof ruleFileKinds)[number]

/** A file with patterns, each of which holds for what is below its directory. */
export interface RuleFile {
  readonly directory: Path
  readonly kind: RuleFileKind
  readonly text: string
}

export interface RuleSet {
  /** Of the spec, in the syntax of .gitignore; they come before everything else. */
  readonly patterns: readonly string[]
  /** Whether what version control keeps for itself is ignored; no file can take that back. */
  readonly vcs: boolean
  /**
   * What becomes of symlinks: only those that mean the same on both sides are synced, unless it says that all are, as
   * they are (`raw`), or none.
   */
  readonly symlinks?: 'raw' | 'ignore'
  /** At most one of a kind in a directory. */
  readonly files: readonly RuleFile[]
}

/** Everything is synced. */
export const noRules: RuleSet = { patterns: [], vcs: false, files: [] }

/** UTF-16 units of one rule file, and of all of them. */
export const MAX_RULE_FILE = 256 * 1024
export const MAX_RULES = 4 * 1024 * 1024
/** More files with rules are not those of a person. */
export const MAX_RULE_FILES = 20_000
const MAX_PATTERNS = 10_000
/** The second byte: a flag, and by position what becomes of symlinks. */
const VCS = 1
const symlinks = [undefined, 'raw', 'ignore'] as const

/** Raised whenever the format changes. */
const VERSION = 1
/** Bytes the smallest pattern and the smallest rule file take. */
const MIN_PATTERN = 1
const MIN_FILE = 4

const digests = new WeakMap<RuleSet, string>()

/** Tells rule sets apart: two with the same digest say the same. */
export function digestOfRules(rules: RuleSet): string {
  const known = digests.get(rules)
  if (known !== undefined) return known
  const digest = createHash('sha256').update(encodeRules(rules)).digest('hex')
  digests.set(rules, digest)
  return digest
}

export function encodeRules({ patterns, vcs, symlinks: links, files }: RuleSet): Buffer {
  const writer = new ByteWriter(1024)
  writer.u8(VERSION).u8((symlinks.indexOf(links) << 1) | (vcs ? VCS : 0))
  writer.varint(patterns.length)
  for (const pattern of patterns) writer.string(pattern)
  writer.varint(files.length)
  const paths = new part.PathWriter(writer)
  for (const { directory, kind, text } of files.toSorted(byPlace)) {
    paths.write(directory)
    writer.u8(ruleFileKinds.indexOf(kind)).string(text)
  }
  return writer.take()
}

/** Throws `WireError` for what is no rule set, or one that is larger than any may be. */
export function decodeRules(bytes: Uint8Array): RuleSet {
  const reader = new ByteReader(bytes)
  const version = reader.u8()
  if (version !== VERSION) throw new WireError(`rules of version ${version}, not ${VERSION}`)
  const kinds = reader.u8()
  const links = symlinks[kinds >> 1]
  if (kinds >> 1 >= symlinks.length) throw new WireError(`${kinds} is no kind of rules`)
  const patterns = Array.from({ length: bounded(reader.count(MIN_PATTERN), MAX_PATTERNS) }, () =>
    reader.string(),
  )
  const files: RuleFile[] = []
  const count = bounded(reader.count(MIN_FILE), MAX_RULE_FILES)
  const paths = new part.PathReader(reader)
  for (let i = 0; i < count; i++) {
    const directory = paths.read()
    const kind = ruleFileKinds[reader.u8()]
    if (kind === undefined) throw new WireError('rules of no known kind')
    const file = { directory, kind, text: reader.string() }
    const last = files.at(-1)
    if (last !== undefined && byPlace(last, file) >= 0) throw new WireError('rules out of order')
    files.push(file)
  }
  reader.end()
  const size = [...patterns, ...files.map(({ text }) => text)].reduce((sum, { length }) => sum + length, 0)
  bounded(size, 2 * MAX_RULES)
  return { patterns, vcs: (kinds & VCS) !== 0, ...(links !== undefined && { symlinks: links }), files }
}

function bounded(count: number, limit: number): number {
  if (count > limit) throw new WireError('more rules than there may be')
  return count
}

function byPlace(a: RuleFile, b: RuleFile): number {
  if (a.directory !== b.directory) return a.directory < b.directory ? -1 : 1
  return ruleFileKinds.indexOf(a.kind) - ruleFileKinds.indexOf(b.kind)
}
