/**
 * The state of one side of a file sync. Trees are immutable: a delta makes a new tree that shares every
 * directory it does not touch, so two trees can be compared, and kept, at the cost of what differs.
 */

/** Relative to the root, `/`-separated, no leading or trailing slash; `''` is the root itself. */
export type Path = string

/** SHA-256 of a file's content, as a 32-character `latin1` string (compact in memory, comparable by `===`). */
export type Digest = string

/**
 * What `lstat` said of a path, as far as it tells one state of it from another on one machine. Two equal
 * stamps mean "not touched since", except within the clock's granularity (see `isRacy`). Stamps of two
 * machines are never compared.
 */
export interface Stamp {
  readonly mtimeMs: number
  readonly ctimeMs: number
  readonly ino: number
  /** Bytes; 0 for anything but files. */
  readonly size: number
  /** The whole `st_mode`. */
  readonly mode: number
}

export interface FileEntry {
  readonly kind: 'file'
  readonly executable: boolean
  readonly stamp: Stamp
  /** Absent until somebody needed it: scanning does not hash. */
  readonly digest?: Digest
}

/**
 * The same file with its digest. Not by a spread: to an object that is made so and gets one more field, V8 gives a class
 * of its own, which is more than twice what the object is.
 */
export function withDigest({ kind, executable, stamp }: FileEntry, digest: Digest): FileEntry {
  return { kind, executable, stamp, digest }
}

export interface SymlinkEntry {
  readonly kind: 'symlink'
  readonly target: string
  readonly stamp: Stamp
}

export interface DirectoryEntry {
  readonly kind: 'directory'
  readonly stamp: Stamp
  /** It holds something that is ignored, and so is not in the tree: it cannot be removed. */
  readonly hasIgnored?: true
  /** It is another filesystem than the directory it is in: a volume is mounted here. */
  readonly isMount?: true
}

/**
 * Something is there that cannot be synced (a socket, a device, a directory that may not be read, a name
 * that is not UTF-8, a symlink out of the root). It is in the tree so that nobody takes it for deleted.
 */
export interface OpaqueEntry {
  readonly kind: 'opaque'
  readonly reason: string
}

export type Entry = FileEntry | SymlinkEntry | DirectoryEntry | OpaqueEntry

/** An entry together with what lies below it; of a replica's tree or, with other entries, of the base. */
export interface TreeNode<E> {
  readonly entry: E
  /** Present exactly when the entry is a directory. */
  readonly children?: ReadonlyMap<string, TreeNode<E>>
}

export type Node = TreeNode<Entry>

/** A snapshot of a replica; undefined when its root does not exist. */
export type Tree = Node | undefined

/**
 * What changed between two snapshots, parents before children. `null` removes the path and all below it.
 * A directory entry where there was a directory keeps its children; any other entry has none.
 */
export type Delta = readonly DeltaItem[]
export type DeltaItem = readonly [path: Path, entry: Entry | null]
