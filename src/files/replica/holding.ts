import { sameStamp } from '../delta.ts'
import type { Problem } from '../operation.ts'
import { joinPath, nameOf, namesOf, parentOf } from '../path.ts'
import { AfterBursts } from '../quiet.ts'
import { MAX_ENTRIES, tooLarge, weightOf } from '../size.ts'
import type { Delta, DeltaItem, Digest, DirectoryEntry, Entry, FileEntry, Path, Stamp } from '../tree.ts'
import { withDigest } from '../tree.ts'
import { Children, foldersFrom } from './children.ts'
import type { Watching } from './dir.ts'
import type { Found, Leaf } from './entry.ts'
import { problemAt } from './refusal.ts'

/** A directory as the replica holds it: its tree is changed in place, by one name at a time. */
export class Folder {
  readonly path: Path
  readonly depth: number
  entry: DirectoryEntry
  /** The device that it is on. */
  readonly dev: number
  readonly children = new Children()
  watching: Watching | undefined
  /** Names of files that could change without their stamps showing it (see `isRacy`). */
  racy: Set<string> | undefined
  /** No longer part of the tree. */
  gone = false

  constructor(path: Path, entry: DirectoryEntry, dev: number) {
    this.path = path
    this.dev = dev
    this.depth = namesOf(path).length
    this.entry = entry
  }

  noteRace(name: string, isRacy: boolean): void {
    if (isRacy && this.racy === undefined) this.racy = new Set([name])
    else if (isRacy) this.racy?.add(name)
    else this.racy?.delete(name)
  }
}

/** What others are to be told. */
export interface Changes {
  readonly delta: Delta
  /** By path; null where there is none any more. */
  readonly problems: ReadonlyMap<Path, Problem | null>
}

/** The tree and the problems of a replica, with what changed in them since somebody took the changes. */
export class Holding {
  top: Folder | undefined
  /** The directories at which something else is mounted. */
  readonly mounts = new Set<Folder>()
  /** Directories into which another run of ours writes; what it leaves behind is to go soon after it ended. */
  readonly shared = new Set<Folder>()
  private readonly known = new Map<Path, Problem>()
  private delta: DeltaItem[] = []
  private problems = new Map<Path, Problem | null>()
  /** What was asked for last: mostly it is asked for again. */
  private recent: Folder | undefined
  /** Of all that the tree holds, see `weightOf`. */
  private weight = 0
  private readonly released: (folder: Folder) => void
  private readonly limit: number
  private readonly bursts = new AfterBursts(() =>
    Children.pack(foldersFrom(this.top).map(({ children }) => children)),
  )

  /** @param released is called for each folder that leaves the tree */
  constructor(released: (folder: Folder) => void, limit = MAX_ENTRIES) {
    this.released = released
    this.limit = limit
  }

  /** How much of the tree has changed since the changes were taken. */
  get untold(): number {
    return this.delta.length
  }

  takeChanges(): Changes {
    const changes = { delta: this.delta, problems: this.problems }
    this.delta = []
    this.problems = new Map()
    return changes
  }

  /** The root is this directory from now on, or nothing. */
  setTop(top: Folder | undefined): void {
    if (this.top !== undefined) {
      this.release(this.top)
      this.delta.push(['', null])
    }
    this.top = top
    if (top !== undefined) this.delta.push(['', top.entry])
  }

  folderAt(path: Path): Folder | undefined {
    if (this.recent?.path === path && !this.recent.gone) return this.recent
    let folder = this.top
    for (const name of namesOf(path)) {
      const child: Folder | Leaf | undefined = folder?.children.get(name)
      if (!(child instanceof Folder)) return undefined
      folder = child
    }
    this.recent = folder
    return folder
  }

  /** Puts something that is no directory into the tree, in place of what was there. Throws if that is too large then. */
  setLeaf(folder: Folder, name: string, { entry, problem }: Found): void {
    const path = joinPath(folder.path, name)
    this.displace(folder, name)
    this.add(name, entry)
    folder.children.set(name, entry)
    this.delta.push([path, entry])
    if (problem !== undefined) this.setProblem(path, problemAt(path, problem))
  }

  /** Puts a new directory into the tree, in place of what was there. Throws if that is too large then. */
  setFolder(folder: Folder, name: string, child: Folder): void {
    // Without this, the new directory would have what was in the old one.
    if (folder.children.get(name) instanceof Folder) this.delta.push([child.path, null])
    this.displace(folder, name)
    this.add(name, child.entry)
    folder.children.set(name, child)
    if (child.entry.isMount) this.mounts.add(child)
    this.delta.push([child.path, child.entry])
  }

  /** Puts a new directory with all that it holds into the tree. Throws if that is too large then. */
  adopt(folder: Folder, name: string, child: Folder): void {
    this.setFolder(folder, name, child)
    this.addBelow(child)
  }

  /** The same directory has other permissions. */
  setFolderEntry(folder: Folder, entry: DirectoryEntry): void {
    folder.entry = entry
    this.delta.push([folder.path, entry])
  }

  /** Whether a directory holds anything that is ignored. */
  noteIgnored(folder: Folder, hasIgnored: boolean): void {
    if ((folder.entry.hasIgnored ?? false) === hasIgnored) return
    const { hasIgnored: _, ...entry } = folder.entry
    this.setFolderEntry(folder, hasIgnored ? { ...entry, hasIgnored } : entry)
  }

  remove(folder: Folder, name: string): void {
    if (!folder.children.has(name)) return
    this.bursts.note(1)
    this.displace(folder, name)
    folder.children.delete(name)
    this.delta.push([joinPath(folder.path, name), null])
  }

  /**
   * Changes the tree in a way that others learn of otherwise, at once. Only while there are older changes they
   * were not told of yet, they are told of these too: after those, which they would take for newer.
   */
  changeQuietly(change: () => void): void {
    const { untold } = this
    change()
    if (untold === 0) this.delta.length = 0
  }

  /** Remembers the digest of a file as it is at this stamp; others know it, or do not need it. See `correct`. */
  learn(path: Path, stamp: Stamp, digest: Digest): boolean {
    let isThere = false
    this.changeQuietly(() => {
      isThere = this.correct(path, stamp, digest)
    })
    return isThere
  }

  /**
   * A file's content is another than anybody thought, though the stamp is the same.
   * @returns false if there is no file with this stamp
   */
  correct(path: Path, stamp: Stamp, digest: Digest): boolean {
    const folder = this.folderAt(parentOf(path))
    const name = nameOf(path)
    const entry = folder?.children.get(name)
    if (folder === undefined || !isFile(entry) || !sameStamp(entry.stamp, stamp)) return false
    if (entry.digest === digest) return true
    const isRacy = folder.racy?.has(name) ?? false
    this.setLeaf(folder, name, { entry: withDigest(entry, digest) })
    folder.noteRace(name, isRacy)
    return true
  }

  setProblem(path: Path, problem: Problem | undefined): void {
    const before = this.known.get(path)
    if (before?.code === problem?.code && before?.message === problem?.message) return
    if (problem === undefined) this.known.delete(path)
    else this.known.set(path, problem)
    this.problems.set(path, problem ?? null)
  }

  private add(name: string, entry: Entry): void {
    this.bursts.note(1)
    this.weight += weightOf(name, entry)
    if (this.weight > this.limit) throw tooLarge(this.limit)
  }

  private addBelow(folder: Folder): void {
    for (const [name, child] of folder.children) {
      const entry = child instanceof Folder ? child.entry : child
      this.add(name, entry)
      this.delta.push([joinPath(folder.path, name), entry])
      if (child instanceof Folder) this.addBelow(child)
    }
  }

  private displace(folder: Folder, name: string): void {
    const child = folder.children.get(name)
    folder.racy?.delete(name)
    if (child !== undefined) this.weight -= weightOf(name, child instanceof Folder ? child.entry : child)
    if (child instanceof Folder) this.release(child)
    else if (child !== undefined) this.setProblem(joinPath(folder.path, name), undefined)
  }

  private release(folder: Folder): void {
    folder.gone = true
    this.mounts.delete(folder)
    this.shared.delete(folder)
    this.released(folder)
    this.bursts.note(folder.children.size)
    for (const [name, child] of folder.children) {
      this.weight -= weightOf(name, child instanceof Folder ? child.entry : child)
      if (child instanceof Folder) this.release(child)
      else if (this.known.size > 0) this.setProblem(joinPath(folder.path, name), undefined)
    }
  }
}

/** Whether a child of a folder is a file that can be synced. */
export function isFile(child: Folder | Leaf | undefined): child is FileEntry {
  return child !== undefined && !(child instanceof Folder) && child.kind === 'file'
}
