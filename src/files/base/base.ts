/**
 * What both sides last agreed on. Stamps tell, for each side by itself, whether a file is still what it was
 * then without reading it: a side's file with the stamp of the base has the digest of the base.
 */
import type { Side } from '../side.ts'
import type { Digest, Entry, Path, Stamp, TreeNode } from '../tree.ts'

export interface BaseFile {
  readonly kind: 'file'
  readonly digest: Digest
  readonly executable: boolean
  readonly local: Stamp
  readonly remote: Stamp
}

export interface BaseSymlink {
  readonly kind: 'symlink'
  readonly target: string
}

export interface BaseDirectory {
  readonly kind: 'directory'
  /** The sides on which a volume is mounted here: without it, what is in it is not there, and was not deleted. */
  readonly mounted?: Side | 'both'
}

export type BaseEntry = BaseFile | BaseSymlink | BaseDirectory

/** The root is always there, and a directory. */
export type BaseTree = TreeNode<BaseEntry>

/** What is agreed on at a path from now on; `null`: nothing, there and below. */
export type BaseUpdate = readonly [path: Path, entry: BaseEntry | null]

export const emptyBase: BaseTree = { entry: { kind: 'directory' }, children: new Map() }

/** A directory that both sides have, as it is agreed on. */
export function agreedDirectory(entries: Readonly<Record<Side, Entry | undefined>>): BaseDirectory {
  const [local, remote] = [isMount(entries.local), isMount(entries.remote)]
  if (local && remote) return { kind: 'directory', mounted: 'both' }
  if (!local && !remote) return { kind: 'directory' }
  return { kind: 'directory', mounted: local ? 'local' : 'remote' }
}

/** Whether a volume came or went at a directory of a side since it was agreed on: what is in it cannot be compared. */
export function isRemounted(base: BaseEntry | undefined, entry: Entry | undefined, side: Side): boolean {
  if (base?.kind !== 'directory' || entry?.kind !== 'directory') return false
  return isMount(entry) !== (base.mounted === side || base.mounted === 'both')
}

function isMount(entry: Entry | undefined): boolean {
  return entry?.kind === 'directory' && entry.isMount === true
}
