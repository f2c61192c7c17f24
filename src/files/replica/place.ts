import type { Stats } from 'node:fs'
import { constants } from 'node:fs'
import { errnoOf } from '../../errors.ts'
import type { Expectation, Outcome } from '../operation.ts'
import { parentOf } from '../path.ts'
import type { Path, Stamp } from '../tree.ts'
import type { Dir } from './dir.ts'
import type { DirCursor } from './dir-cursor.ts'
import { type Folder, nameOf } from './holding.ts'
import { problemAt, refusalOf } from './refusal.ts'
import type { Site } from './site.ts'
import { matches } from './stamp.ts'

const { S_IFMT, S_IFDIR } = constants

/** Where an operation takes place. */
export interface Place {
  /** On disk, reached by names alone: there is no link on the way. */
  readonly dir: Dir
  /** In the tree. */
  readonly folder: Folder
  readonly name: string
  readonly path: Path
}

/** Throws Stale if the directory of that path is none, on disk or in the tree. */
export function placeOf(site: Site, cursor: DirCursor, path: Path): Place {
  const folder = site.holding.folderAt(parentOf(path))
  if (folder === undefined) throw new Stale()
  return { dir: cursor.open(site.root?.dir, folder.path), folder, name: nameOf(path), path }
}

/** What is on disk is not what an operation was decided on. */
export class Stale extends Error {}

/** System errors that mean the same: something came, went, or is of another kind than it was. */
const STALE_CODES = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EEXIST', 'ENOTEMPTY', 'EISDIR'])

/** What is at a name, if it is what was expected; undefined if that is nothing. Throws Stale if it is not. */
export function expected(dir: Dir, name: string, expect: Expectation): Stats | undefined {
  const stats = dir.lstat(name)
  const isAsExpected =
    stats === undefined || expect === 'absent'
      ? stats === undefined && expect === 'absent'
      : isSame(expect, stats)
  if (!isAsExpected) throw new Stale()
  return stats
}

/** A directory is the same one as long as its inode is; its own times and permissions change with its use. */
function isSame(expect: Stamp, stats: Stats): boolean {
  if (!stats.isDirectory()) return matches(expect, stats)
  return (expect.mode & S_IFMT) === S_IFDIR && expect.ino === stats.ino
}

/** Does something to a path; what comes in between makes an outcome. What is not the system's is thrown again. */
export function attempt<R extends Outcome | undefined>(path: Path, action: () => R): R | Outcome {
  try {
    return action()
  } catch (error) {
    const code = errnoOf(error)
    if (error instanceof Stale || STALE_CODES.has(code ?? '')) return { result: 'stale', path }
    if (code === undefined) throw error
    return { result: 'failed', path, problem: problemAt(path, refusalOf(error, 'written')) }
  }
}
