import { nodeAt } from './delta.ts'
import type { Replica } from './replica/replica.ts'
import type { Entry, Path } from './tree.ts'

/** What a side has at the path of a conflict. */
export interface Version {
  readonly kind: Entry['kind']
  /** Bytes; absent, as are the next two, for what is no file. */
  readonly size?: number
  /** ISO 8601, by that side's clock. */
  readonly mtime?: string
  /** SHA-256, in hexadecimal. */
  readonly digest?: string
  /** Where a symlink leads. */
  readonly target?: string
}

/** What a replica has at each of these paths, with the digests of the files; undefined where there is nothing. */
export async function versionsAt(replica: Replica, paths: readonly Path[]): Promise<(Version | undefined)[]> {
  const entries = paths.map((path) => nodeAt(replica.tree, path)?.entry)
  const digests = await digestsOf(replica, paths, entries)
  return entries.map((entry, index) => entry && describe(entry, digests.get(index)))
}

async function digestsOf(
  replica: Replica,
  paths: readonly Path[],
  entries: readonly (Entry | undefined)[],
): Promise<Map<number, string | undefined>> {
  const files = paths.flatMap((path, index) => {
    const entry = entries[index]
    return entry?.kind === 'file' ? [{ index, path, stamp: entry.stamp, digest: entry.digest }] : []
  })
  const unknown = files.filter(({ digest }) => digest === undefined)
  const found = unknown.length === 0 ? [] : await replica.hash(unknown)
  return new Map([
    ...files.map(({ index, digest }) => [index, digest] as const),
    ...unknown.map(({ index }, at) => [index, found[at]] as const),
  ])
}

function describe(entry: Entry, digest: string | undefined): Version {
  if (entry.kind === 'symlink') return { kind: entry.kind, target: entry.target }
  if (entry.kind !== 'file') return { kind: entry.kind }
  const { size, mtimeMs } = entry.stamp
  const hex = digest === undefined ? {} : { digest: Buffer.from(digest, 'latin1').toString('hex') }
  return { kind: entry.kind, size, mtime: new Date(mtimeMs).toISOString(), ...hex }
}
