import { constants } from 'node:fs'
import type { Entry, Node, Tree } from '../files/tree.ts'
import { printable } from '../ui/text.ts'

/** What is in a folder of a container. */
export interface Listing {
  readonly pod: string
  readonly container: string
  readonly node: string
  readonly path: string
  readonly tree: Tree
}

/** An entry as `-o json` prints it. */
export interface ListedEntry {
  readonly path: string
  readonly kind: Entry['kind']
  /** As `ls -l` shows it; absent for what cannot be read. */
  readonly mode?: string
  /** Bytes; like the next only of files and symlinks. */
  readonly size?: number
  /** ISO 8601. */
  readonly mtime?: string
  readonly target?: string
  readonly reason?: string
}

/** A listing as plain data, its entries sorted by path. */
export function toData({ tree, ...where }: Listing) {
  return { ...where, entries: [...walk(tree, '')].map(([path, entry]) => listed(path, entry)) }
}

function* walk(node: Node | undefined, prefix: string): Generator<[string, Entry]> {
  const children = [...(node?.children ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))
  for (const [name, child] of children) {
    yield [prefix + name, child.entry]
    yield* walk(child, `${prefix}${name}/`)
  }
}

function listed(path: string, entry: Entry): ListedEntry {
  if (entry.kind === 'opaque') return { path, kind: entry.kind, reason: entry.reason }
  const { mode, size, mtimeMs } = entry.stamp
  const common = { path, kind: entry.kind, mode: formatMode(mode) }
  // A replica does not tell them of a directory, where neither says anything of its content.
  if (entry.kind === 'directory') return common
  const whole = { ...common, size, mtime: new Date(mtimeMs).toISOString() }
  return entry.kind === 'symlink' ? { ...whole, target: entry.target } : whole
}

const types: ReadonlyMap<number, string> = new Map([
  [constants.S_IFDIR, 'd'],
  [constants.S_IFREG, '-'],
  [constants.S_IFLNK, 'l'],
])

/** A `st_mode` as `ls -l` shows it: `-rwxr-xr-x`. */
export function formatMode(mode: number): string {
  const bits = [...'rwxrwxrwx'].map((letter, index) => ((mode >> (8 - index)) & 1 ? letter : '-'))
  const special = (at: number, bit: number, letter: string) => {
    if (mode & bit) bits[at] = bits[at] === 'x' ? letter : letter.toUpperCase()
  }
  special(2, 0o4000, 's')
  special(5, 0o2000, 's')
  special(8, 0o1000, 't')
  return (types.get(mode & constants.S_IFMT) ?? '?') + bits.join('')
}

/** A listing for people: a line with where it is, and one for each entry. */
export function formatListing(listing: Listing): string {
  const { pod, container, node, path, entries } = toData(listing)
  const head = `${pod}/${container}:${path} (node ${node})`
  const width = Math.max(0, ...entries.map(({ size }) => String(size ?? '').length))
  const lines = entries.map((entry) => formatEntry(entry, width))
  return [printable(head), ...lines].map((line) => `${line}\n`).join('')
}

function formatEntry({ path, mode, size, mtime, target, reason }: ListedEntry, width: number): string {
  const stamp = mtime === undefined ? ' '.repeat(16) : mtime.slice(0, 16).replace('T', ' ')
  const name = target === undefined ? path : `${path} -> ${target}`
  const columns = [mode ?? '?---------', String(size ?? '').padStart(width), stamp]
  return `${columns.join('  ')}  ${printable(reason === undefined ? name : `${name} (${reason})`)}`
}
