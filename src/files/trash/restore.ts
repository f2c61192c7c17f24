import type { Stats } from 'node:fs'
import { errnoOf } from '../../errors.ts'
import { namesOf, parentOf } from '../path.ts'
import { type Dir, using } from '../replica/dir.ts'
import { DirCursor } from '../replica/dir-cursor.ts'
import { refusalOf } from '../replica/refusal.ts'
import { temporaryName } from '../replica/temporary.ts'
import type { Bin, Taken } from './bin.ts'
import type { Item } from './catalog.ts'
import { copyTo } from './copy.ts'
import { CONTENT } from './layout.ts'
import { sameContent } from './same.ts'
import { discard } from './sweep.ts'

/** What is at the place of something in the trash. */
export type Occupant =
  /** Nothing. */
  | { readonly is: 'free' }
  /** The very same. */
  | { readonly is: 'same' }
  /** Something else, which can give way. */
  | { readonly is: 'other'; readonly stats: Stats }
  /** Something that cannot: a sentence. */
  | { readonly is: 'blocked'; readonly message: string }

export interface RestoreOptions {
  /** The synced folder. */
  readonly root: Dir
  /** Takes what has to give way. */
  readonly bin: Bin
}

/** Looks at the place of an item; throws system errors. */
export function lookAtPlace(item: Item, root: Dir): Occupant {
  const cursor = new DirCursor()
  try {
    const dir = cursor.open(root, parentOf(item.path))
    return occupantOf(item, dir)
  } catch (error) {
    const code = errnoOf(error) ?? ''
    if (code === 'ENOENT') return { is: 'free' }
    if (code !== 'ENOTDIR' && code !== 'ELOOP') throw error
    return {
      is: 'blocked',
      message: 'a folder on the way to it is now a file or a link: move that away first',
    }
  } finally {
    cursor.release()
  }
}

function occupantOf(item: Item, dir: Dir): Occupant {
  const name = nameOf(item)
  const stats = dir.lstat(name)
  if (stats === undefined) return { is: 'free' }
  if (stats.isDirectory()) {
    if (item.kind === 'directory') return { is: 'same' }
    const { names, undecodable } = using(dir.openDir(name), (below) => below.list())
    if (names.length + undecodable.length === 0) return { is: 'other', stats }
    return { is: 'blocked', message: 'there is a folder now, with something in it: move that away first' }
  }
  if (!stats.isFile() && !stats.isSymbolicLink()) {
    return { is: 'blocked', message: 'there is a socket or device now: move that away first' }
  }
  if (item.kind === 'directory') return { is: 'other', stats }
  const isSame = inTrash(item, (kept, keptName) =>
    sameContent({ dir, name, stats }, { dir: kept, name: keptName, stats: kept.lstat(keptName) }),
  )
  return isSame ? { is: 'same' } : { is: 'other', stats }
}

/**
 * Brings an item back to its place, with the folders that it was in, and takes it out of the trash. What is there
 * goes to the bin first, if it is what `expected` says; whatever is interrupted, the item is in the trash or back.
 * @returns why it could not be done, or undefined if it was
 */
export function restore(item: Item, expected: Occupant, { root, bin }: RestoreOptions): string | undefined {
  try {
    makeParents(root, namesOf(parentOf(item.path)))
    const cursor = new DirCursor()
    try {
      const dir = cursor.open(root, parentOf(item.path))
      const occupant = occupantOf(item, dir)
      if (occupant.is === 'blocked') return occupant.message
      if (occupant.is === 'same') discard(item)
      else if (!isExpected(occupant, expected)) return 'it changed just now: try again'
      else place(item, { dir, occupant, bin })
    } finally {
      cursor.release()
    }
    return undefined
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return refusalOf(error, 'brought back').message
  }
}

function isExpected(now: Occupant, before: Occupant): boolean {
  if (now.is === 'free' || before.is !== 'other') return now.is === before.is || now.is === 'free'
  return (
    now.is === 'other' && now.stats.ino === before.stats.ino && now.stats.mtimeMs === before.stats.mtimeMs
  )
}

interface Target {
  readonly dir: Dir
  readonly occupant: Occupant
  readonly bin: Bin
}

function place(item: Item, { dir, occupant, bin }: Target): void {
  const name = nameOf(item)
  const before: Taken | undefined =
    occupant.is === 'other' ? { dir, name, path: item.path, stats: occupant.stats } : undefined
  if (item.kind === 'directory') {
    if (before !== undefined) bin.remove(before)
    dir.mkdir(name, item.mode & 0o777)
    return
  }
  if (before?.stats.isDirectory()) bin.remove(before)
  const isReplacing = before !== undefined && !before.stats.isDirectory()
  inTrash(item, (kept, keptName) => {
    const temporary = temporaryName()
    const stats = kept.lstat(keptName)
    if (stats === undefined)
      throw Object.assign(new Error('it is not in the trash any more'), { code: 'GONE' })
    bring({ dir: kept, name: keptName, path: item.path, stats }, dir, temporary)
    try {
      if (isReplacing) bin.keep(before)
      if (isReplacing) dir.rename(temporary, name)
      else putWhereNothingIs(dir, temporary, name)
    } catch (error) {
      dir.unlink(temporary)
      throw error
    }
    kept.unlink(keptName)
  })
}

/** Gives it a second, temporary name in the directory, or makes a copy there. */
function bring(taken: Taken, dir: Dir, temporary: string): void {
  try {
    if (taken.stats.isFile()) {
      taken.dir.linkTo(taken.name, dir, temporary)
      return
    }
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
  }
  copyTo(taken, dir, temporary)
}

/** Only a link never replaces what came there meanwhile. */
function putWhereNothingIs(dir: Dir, temporary: string, name: string): void {
  try {
    dir.link(temporary, name)
  } catch (error) {
    if (errnoOf(error) === 'EEXIST' || dir.lstat(name) !== undefined) throw error
    dir.rename(temporary, name)
    return
  }
  dir.unlink(temporary)
}

function makeParents(dir: Dir, [name, ...rest]: readonly string[]): void {
  if (name === undefined) return
  if (dir.lstat(name) === undefined) dir.mkdir(name)
  using(dir.openDir(name), (below) => makeParents(below, rest))
}

function inTrash<R>({ place, pass, path }: Item, action: (dir: Dir, name: string) => R): R {
  const cursor = new DirCursor()
  try {
    const dir = cursor.open(place.store, [pass, CONTENT, parentOf(path)].filter(Boolean).join('/'))
    return action(dir, path.slice(path.lastIndexOf('/') + 1))
  } finally {
    cursor.release()
  }
}

function nameOf({ path }: Item): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
