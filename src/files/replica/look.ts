import type { Stats } from 'node:fs'
import { errnoOf } from '../../errors.ts'
import { joinPath } from '../path.ts'
import type { Path, Stamp } from '../tree.ts'
import type { Dir } from './dir.ts'
import { type Found, leafAt, opaque, type Spot, tooDeep, tooLong, undecodableName } from './entry.ts'
import type { HardLinks } from './hard-links.ts'
import { Folder, type Holding } from './holding.ts'
import { prune } from './prune.ts'
import { refusalOf } from './refusal.ts'
import type { Ruling } from './ruling.ts'
import { removeOurs } from './staging.ts'
import { directoryEntry, isRacy, matches } from './stamp.ts'
import { type LargeFile, MIN_REMEMBERED } from './sum-memory.ts'
import { isLeftOver, isOthers, isTemporary } from './temporary.ts'

/** A directory that is being looked through. */
export interface Frame {
  readonly dir: Dir
  readonly folder: Folder
  /** What is left to look at. */
  readonly names: string[]
  /** What is known of the last of them. */
  ahead: (Stats | undefined)[]
  /** Whether known directories in it are looked through as well. */
  readonly deep: boolean
  /** Nothing in it was looked at before this; milliseconds since 1970. */
  readonly now: number
  /** Names that it had and that were not in the listing. */
  readonly unlisted?: ReadonlySet<string>
  /** Whether anything in it turned out to be ignored. */
  hasIgnored: boolean
}

export interface LookOptions {
  readonly holding: Holding
  readonly ruling: Ruling
  /** Watches a directory, unless it is watched already. */
  readonly watch: (folder: Folder, dir: Dir) => void
  /** A directory did not become part of the tree. */
  readonly dismiss: (folder: Folder) => void
  /** The names of files that have several. */
  readonly links: HardLinks
  /** Something at this path may have changed, which is to be looked at soon. */
  readonly suspect: (path: Path) => void
  /** A directory is to be listed, before the pass ends. */
  readonly list: (folder: Folder) => void
  /** Told of files whose stamp is as it was, though that may not mean anything. */
  readonly doubt: (folder: Folder, name: string, stamp: Stamp) => void
  /** Told of large files that turn up. */
  readonly large: (file: LargeFile) => void
  /** When this replica began, in milliseconds since 1970. */
  readonly startedAt: number
}

/**
 * Brings the tree in line with what is on disk, one name at a time. Every look is complete in itself, so it
 * does not matter what happens on disk or in the tree between two of them.
 */
export class Looker {
  private readonly options: LookOptions
  private readonly holding: Holding

  constructor(options: LookOptions) {
    this.options = options
    this.holding = options.holding
  }

  /**
   * Looks at one name in a directory.
   * @param listing whether a directory is to be looked through even if it is known
   * @returns the directory by that name, if it is to be looked through now; its `dir` is to be closed then
   */
  look(frame: Frame, name: string, listing = frame.deep): Frame | undefined {
    const { dir, folder } = frame
    const known = frame.ahead.pop()
    if (folder.gone || isTemporary(name)) return undefined
    const verdict = this.options.ruling.verdict(folder, name)
    let stats: Stats | undefined
    try {
      stats = known ?? dir.lstat(name)
    } catch (error) {
      if (verdict !== 'ignored') this.place(folder, name, opaque(refusalOf(error, 'read')))
      return undefined
    }
    // Where names are folded, something else may answer to a name that is gone.
    if (stats !== undefined && frame.unlisted?.has(name) && !dir.list().names.includes(name)) {
      stats = undefined
    }
    if (verdict !== 'kept') {
      if (stats === undefined) this.noteGone(folder)
      else if (verdict === 'ignored' || this.options.ruling.ignores(folder, name, stats.isDirectory())) {
        this.noteIgnored(frame, name)
        return undefined
      }
    }
    const { symlinks } = this.options.ruling
    if (symlinks === 'ignore') {
      if (stats === undefined) this.noteGone(folder)
      else if (stats.isSymbolicLink()) {
        this.noteIgnored(frame, name)
        return undefined
      }
    }
    const spot = { dir, name, path: joinPath(folder.path, name), anyLink: symlinks === 'raw' }
    if (stats?.isDirectory()) return this.lookAtDirectory(frame, spot, { stats, listing })
    if (stats === undefined) this.holding.remove(folder, name)
    else this.lookAtLeaf(frame, spot, stats)
    return undefined
  }

  /** Begins to look through a directory. Throws what watching or listing it does. */
  open(
    dir: Dir,
    folder: Folder,
    deep: boolean,
  ): { readonly frame: Frame; readonly undecodable: readonly string[] } {
    const now = Date.now()
    // Before it is listed: then every change after the listing is seen.
    this.options.watch(folder, dir)
    const { names: listed, undecodable } = dir.list()
    if (this.options.ruling.refresh(dir, folder, listed)) this.enforce(folder)
    const theirs = listed.filter((name) => !isTemporary(name))
    const names = theirs.filter((name) => this.options.ruling.verdict(folder, name) !== 'ignored')
    const hasIgnored = names.length < theirs.length
    const unlisted = new Set<string>()
    if (folder.children.size > 0) {
      const found = new Set([...listed, ...undecodable])
      for (const name of folder.children.keys()) if (!found.has(name)) unlisted.add(name)
      names.push(...unlisted)
    }
    if (theirs.length < listed.length || this.holding.shared.has(folder))
      this.clean(folder, dir, listed.filter(isTemporary))
    return { frame: { dir, folder, names, ahead: [], deep, now, hasIgnored, unlisted }, undecodable }
  }

  /** To be called once all names of a listing were looked at. */
  finish({ folder, hasIgnored }: Frame): void {
    if (!folder.gone) this.holding.noteIgnored(folder, hasIgnored)
  }

  /** Other rules hold below a directory: what they ignore leaves the tree, and what was ignored is looked for. */
  private enforce(folder: Folder): void {
    for (const below of prune(this.holding, folder, this.options.ruling)) {
      if (below !== folder) this.options.list(below)
    }
  }

  private noteIgnored(frame: Frame, name: string): void {
    frame.hasIgnored = true
    this.holding.remove(frame.folder, name)
    this.holding.noteIgnored(frame.folder, true)
  }

  /** Something that was or may have been ignored is gone: only a listing tells whether it was the last. */
  private noteGone(folder: Folder): void {
    if (folder.entry.hasIgnored) this.options.list(folder)
  }

  /** To be called once the directory is in the tree. */
  placeUndecodable(folder: Folder, names: readonly string[]): void {
    for (const name of names) this.place(folder, name, opaque(undecodableName))
  }

  private lookAtLeaf({ folder, now }: Frame, spot: Spot, stats: Stats): void {
    const { name } = spot
    const known = folder.children.get(name)
    const comparable = known !== undefined && !(known instanceof Folder) && known.kind !== 'opaque'
    if (comparable && matches(known.stamp, stats)) {
      if (folder.racy?.has(name)) this.options.doubt(folder, name, known.stamp)
      return
    }
    const problem = tooLong(spot) ?? this.options.ruling.refusalOf(folder, name)
    const found = problem === undefined ? leafAt(spot, stats) : opaque(problem)
    this.place(folder, name, found)
    if (stats.isFile()) {
      const others = this.options.links.note(spot.path, stats)
      // What is new by this name was not changed by it.
      if (known !== undefined) for (const other of others) this.options.suspect(other)
    }
    if (found.entry.kind !== 'file') return
    folder.noteRace(name, isRacy(stats.mtimeMs, now, Date.now()))
    const { stamp } = found.entry
    if (known === undefined && stamp.size >= MIN_REMEMBERED) this.options.large({ path: spot.path, stamp })
  }

  private lookAtDirectory(
    { folder, deep }: Frame,
    spot: Spot,
    { stats, listing }: { stats: Stats; listing: boolean },
  ): Frame | undefined {
    const entry = directoryEntry(stats, folder.dev)
    const child = folder.children.get(spot.name)
    const known = child instanceof Folder && isSameDirectory(child, stats) ? child : undefined
    const changed = known?.entry.stamp.mode !== stats.mode
    if (known !== undefined && !changed && !listing) return undefined
    const target = known ?? new Folder(spot.path, entry, stats.dev)
    const problem = tooLong(spot) ?? tooDeep(target.depth)
    const opened = problem === undefined ? this.enter(folder, spot, { target, deep }) : undefined
    if (problem !== undefined) this.place(folder, spot.name, opaque(problem))
    if (opened === undefined) return undefined
    if (known === undefined) this.holding.setFolder(folder, spot.name, target)
    else if (changed)
      this.holding.setFolderEntry(known, known.entry.hasIgnored ? { ...entry, hasIgnored: true } : entry)
    this.placeUndecodable(target, opened.undecodable)
    return opened.frame
  }

  /** Opens and lists a directory; if that fails, the tree says so and the result is undefined. */
  private enter(folder: Folder, { dir, name }: Spot, { target, deep }: { target: Folder; deep: boolean }) {
    let below: Dir | undefined
    try {
      below = dir.openDir(name)
      return this.open(below, target, deep)
    } catch (error) {
      below?.close()
      this.options.dismiss(target)
      if (errnoOf(error) === 'ENOENT') this.holding.remove(folder, name)
      else this.place(folder, name, opaque(refusalOf(error, 'listed')))
      return undefined
    }
  }

  /** Puts a leaf into the tree, unless it is an opaque one that is there already. */
  private place(folder: Folder, name: string, found: Found): void {
    const known = folder.children.get(name)
    const { entry } = found
    const isKnown =
      entry.kind === 'opaque' &&
      known !== undefined &&
      !(known instanceof Folder) &&
      known.kind === 'opaque' &&
      known.reason === entry.reason
    if (!isKnown) this.holding.setLeaf(folder, name, found)
  }

  private clean(folder: Folder, dir: Dir, names: readonly string[]): void {
    let isShared = false
    for (const name of names) {
      try {
        const stats = dir.lstat(name)
        if (stats === undefined) continue
        if (isLeftOver(name, stats, this.options.startedAt)) removeOurs(dir, name)
        else if (isOthers(name)) isShared = true
      } catch {
        // It stays where it is, and in no tree.
      }
    }
    const { shared } = this.holding
    if (isShared) shared.add(folder)
    else shared.delete(folder)
  }
}

/** Volumes number their roots alike: what was mounted in place of another has the same inode. */
export function isSameDirectory({ entry, dev }: Folder, stats: Stats): boolean {
  return entry.stamp.ino === stats.ino && dev === stats.dev
}
