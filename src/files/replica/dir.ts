import type { Stats } from 'node:fs'
import { KubesyncError } from '../../errors.ts'

/**
 * A directory that is held open, and what can be done to the names in it. Nothing else of ours touches a
 * file: a name is one component and no link is followed, so whoever has a Dir can reach what is below it and
 * nothing else, whatever others do to links and directories meanwhile. All of it is synchronous and throws
 * Node's system errors (`code` is `ENOENT`, `EACCES`, …).
 */
export interface Dir {
  /** Whether one watch reports changes in everything below, as on macOS and Windows. */
  readonly watchesBelow: boolean
  stat(): Stats
  list(): Listing
  /** Undefined if there is nothing by that name. */
  lstat(name: string): Stats | undefined
  /**
   * The same for the last of these names, so many at most, if that is quicker for all of them together; none if it is not,
   * and undefined for whatever is not there: only `lstat` tells that something is gone.
   */
  lstatAhead(names: readonly string[], most: number): (Stats | undefined)[]
  readlink(name: string): Buffer
  openDir(name: string): Dir
  /** Not blocked by a FIFO; compare `stat()` of what was opened with what was to be opened. */
  openFile(name: string, access: 'read' | 'write'): File
  /** Fails with EEXIST if there is anything by that name. The umask applies to the mode. */
  createFile(name: string, mode: number): File
  /** The umask applies to the mode, which is 0777 unless given. */
  mkdir(name: string, mode?: number): void
  symlink(target: string, name: string): void
  rename(from: string, to: string): void
  link(from: string, to: string): void
  /** Moves what is at a name into another directory, in place of what is there by the other name. */
  moveTo(name: string, target: Dir, as: string): void
  /** Gives a file a second name in another directory; fails with EEXIST if there is anything by that name. */
  linkTo(name: string, target: Dir, as: string): void
  unlink(name: string): void
  rmdir(name: string): void
  chmod(mode: number): void
  /** -1 leaves an id as it is. */
  chown(uid: number, gid: number): void
  /** Throws if this process may not create and remove names here. */
  checkWritable(): void
  /** Reports changes from now on, also when the Dir is closed and the directory is renamed. */
  watch(listener: WatchListener): Watching
  close(): void
}

/** The names in a directory, without `.` and `..`. */
export interface Listing {
  readonly names: readonly string[]
  /** Names that are not UTF-8, as they look with replacement characters: nothing can be reached by them. */
  readonly undecodable: readonly string[]
}

/** An open file; reads and writes go on where the last one ended. */
export interface File {
  stat(): Stats
  /** Fills the buffer up to the end of the file; returns how many bytes that were. */
  read(buffer: Uint8Array): number
  /** The same from a position on, without moving where the next read begins. */
  readAt(buffer: Uint8Array, position: number): number
  write(bytes: Uint8Array): void
  /** The same, but leaves holes where there are zeros only; `finish` has to follow. */
  writeSparsely(bytes: Uint8Array): void
  /** Makes it as long as what was written, whether or not that ended in a hole. */
  finish(): void
  /** Makes it empty, and writes begin at its start. */
  truncate(): void
  chmod(mode: number): void
  /** -1 leaves an id as it is. */
  chown(uid: number, gid: number): void
  /** Milliseconds since 1970; the access time becomes now. */
  setMtime(mtimeMs: number): void
  /** Returns when what was written is on the disk. */
  sync(): void
  close(): void
}

/**
 * Something happened to this name (to a path below, if the Dir watches what is below); undefined: somewhere.
 * A change of the directory itself may come as an empty name, or as its own. `isRename`: it may have come or gone.
 */
export type WatchListener = (name: string | undefined, isRename: boolean) => void

export interface Watching {
  close(): void
}

/** Throws for what is not a name of a single component: such a thing must never reach the kernel. */
export function checkName(name: string): void {
  if (name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0')) {
    throw new KubesyncError('BAD_NAME', `${JSON.stringify(name)} is not the name of a file`)
  }
}

/** Does something with a thing that has to be closed afterwards. */
export function using<C extends { close(): void }, R>(closable: C, action: (closable: C) => R): R {
  try {
    return action(closable)
  } finally {
    closable.close()
  }
}
