/**
 * What both sides last agreed on. Stamps tell, for each side by itself, whether a file is still what it was
 * then without reading it: a side's file with the stamp of the base has the digest of the base.
 */
import type { Digest, Path, Stamp, TreeNode } from '../tree.ts'

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
}

export type BaseEntry = BaseFile | BaseSymlink | BaseDirectory

/** The root is always there, and a directory. */
export type BaseTree = TreeNode<BaseEntry>

/** What is agreed on at a path from now on; `null`: nothing, there and below. */
export type BaseUpdate = readonly [path: Path, entry: BaseEntry | null]

export const emptyBase: BaseTree = { entry: { kind: 'directory' }, children: new Map() }
