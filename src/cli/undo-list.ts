import { join } from 'node:path'
import type { Item } from '../files/trash/catalog.ts'
import { momentsOf } from '../files/trash/choose.ts'
import { formatTable } from '../ui/table.ts'
import { bytes, count } from '../ui/text.ts'
import { formatMode } from './files-list.ts'
import { formatTime } from './time.ts'

/** Something in the trash as `-o json` prints it. */
export interface ListedItem {
  /** Where it was: absolute. */
  readonly path: string
  readonly kind: Item['kind']
  /** Absent where nobody wrote it down, as are the last four. */
  readonly why?: string
  /** ISO 8601. What has the same moment was taken together, and `--at` it is undone together. */
  readonly at: string
  readonly moment: string
  /** Bytes. */
  readonly size: number
  /** As `ls -l` shows it. */
  readonly mode: string
  /** ISO 8601; absent for directories. */
  readonly mtime?: string
  /** SHA-256, in hexadecimal. */
  readonly digest?: string
  readonly spec?: string
  readonly pod?: string
  readonly container?: string
}

/** Paths of one moment in the table, unless it is to be wide. */
const MOST = 20

export function toData(items: readonly Item[]): ListedItem[] {
  return momentsOf(items).flatMap((moment) => byPath(moment).map((item) => listed(item, moment[0].at)))
}

function listed(
  { place, path, kind, why, at, size, mode, mtimeMs, digest, origin }: Item,
  moment: number,
): ListedItem {
  return {
    ...{ path: join(place.root, path), kind, ...(why === undefined ? {} : { why }) },
    ...{ at: iso(at), moment: iso(moment), size, mode: formatMode(mode) },
    ...(kind === 'directory' ? {} : { mtime: iso(mtimeMs) }),
    ...(digest === undefined ? {} : { digest: Buffer.from(digest, 'latin1').toString('hex') }),
    ...origin,
  }
}

/** What is in the trash, for people: the newest first, what was taken together under one time. */
export function formatTrash(items: readonly Item[], wide: boolean): string {
  const headers = ['taken', 'spec', 'why', 'size', 'path']
  const more = ['mode', 'modified', 'pod', 'container']
  const moments = momentsOf(items)
  const rows = moments.flatMap((moment) =>
    byPath(moment)
      .slice(0, wide ? moment.length : MOST)
      .map((item) => rowOf(item, { moment: moment[0].at, wide })),
  )
  const notes = moments
    .filter(({ length }) => !wide && length > MOST)
    .map(([first, ...rest]) => `${formatTime(first.at)}: and ${count(rest.length + 1 - MOST, 'more path')}`)
  const table = formatTable(wide ? [...headers, ...more] : headers, rows)
  if (notes.length === 0) return table
  return `${table}\n${notes.map((note) => `${note}; -o wide lists all\n`).join('')}`
}

interface Row {
  readonly moment: number
  readonly wide: boolean
}

function rowOf(item: Item, { moment, wide }: Row): string[] {
  const { place, path, kind, why, size, origin } = item
  const row = [
    ...[formatTime(moment), origin?.spec ?? '-', why ?? '-'],
    ...[kind === 'file' ? bytes(size) : '-', join(place.root, path) + (kind === 'directory' ? '/' : '')],
  ]
  if (!wide) return row
  const modified = kind === 'directory' ? '-' : formatTime(item.mtimeMs)
  return [...row, formatMode(item.mode), modified, origin?.pod ?? '-', origin?.container ?? '-']
}

function byPath(items: readonly Item[]): Item[] {
  return items.toSorted((a, b) => (a.path < b.path ? -1 : Number(a.path > b.path)) || a.at - b.at)
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
