import type { Stats } from 'node:fs'
import { constants } from 'node:fs'
import { errnoOf } from '../../errors.ts'
import { sameStamp } from '../delta.ts'
import type { Expectation, Operation, Outcome } from '../operation.ts'
import { nameOf, parentOf } from '../path.ts'
import type { Digest, Path, Stamp } from '../tree.ts'
import type { Dir } from './dir.ts'
import type { DirCursor } from './dir-cursor.ts'
import { Folder, isFile } from './holding.ts'
import { problemAt, type Refusal, refusalOf } from './refusal.ts'
import type { Site } from './site.ts'
import { matches } from './stamp.ts'
import { isOurs } from './temporary.ts'

const { S_IFMT, S_IFDIR } = constants

/** Where an operation takes place. */
export interface Place {
  /** On disk, reached by names alone: there is no link on the way. */
  readonly dir: Dir
  /** In the tree. */
  readonly folder: Folder
  readonly name: string
  readonly path: Path
  /** Whether the directory is one of ours that nobody else knows yet. */
  readonly isStaged: boolean
  /** Opens the directory that is there by now. It is kept open for what goes into it, and not the caller's to close. */
  enter(): Dir
}

/** What it takes to reach a path. */
export interface Ways {
  readonly site: Site
  readonly cursor: DirCursor
  /** The directory that is being filled beside its place, if the path is in it. */
  readonly staged?: Staged | undefined
}

/** A new directory that is filled before anybody sees it. */
export interface Staged {
  /** Of a path in it; undefined if that is no directory, or not in it. */
  folderAt(path: Path): Folder | undefined
  /** Where a path in it is for now. */
  at(path: Path): Path
}

/** Throws Stale if the directory of its path is none, on disk or in the tree, or if the path is ignored. */
export function placeOf({ site, cursor, staged }: Ways, operation: Operation): Place {
  const { path } = operation
  const folder = (staged ?? site.holding).folderAt(parentOf(path))
  const name = nameOf(path)
  // No honest side has such a name in its tree.
  if (isOurs(name)) throw Object.assign(new Error('kubesync itself uses that name'), { code: 'NAME_TAKEN' })
  // What is ignored is out of reach, whatever was decided before it was.
  if (folder === undefined || site.ruling.ignores(folder, name, isOnDirectory(operation))) throw new Stale()
  // Nobody saw yet that it went: to others, a new one would have what was in it.
  if (operation.op === 'mkdir' && folder.children.get(name) instanceof Folder) {
    site.suspect(path)
    throw new Stale()
  }
  const open = (at: Path) => cursor.open(site.root?.dir, staged?.at(at) ?? at)
  const isStaged = staged !== undefined
  return { dir: open(folder.path), folder, name, path, isStaged, enter: () => open(path) }
}

/** The digest of the file there as it is at a stamp, if anybody knows it. */
export function digestAt({ folder, name }: Place, expect: Expectation): Digest | undefined {
  const known = folder.children.get(name)
  if (expect === 'absent' || !isFile(known) || !sameStamp(known.stamp, expect)) return undefined
  return known.digest
}

function isOnDirectory({ op, expect }: Operation): boolean {
  return op === 'mkdir' || (op === 'remove' && expect !== 'absent' && (expect.mode & S_IFMT) === S_IFDIR)
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

const IN_THE_WAY: Refusal = {
  code: 'IGNORED_IN_THE_WAY',
  message: 'cannot be written: what is there under that name is ignored',
}

const FOLDED: Refusal = {
  code: 'NAME_FOLDED',
  message: 'cannot be written: the filesystem takes its name for that of something else, such as by its case',
}

/** What became of an operation that was stale, if it will be so for as long as the rules are what they are. */
export function explained(ways: Ways, operation: Operation): Outcome | undefined {
  const { path, expect } = operation
  if (expect !== 'absent') return undefined
  const outcome = attempt(path, () => {
    const { dir, folder, name } = placeOf(ways, operation)
    const stats = dir.lstat(name)
    const isInTheWay =
      stats !== undefined &&
      (ways.site.ruling.ignores(folder, name, stats.isDirectory()) ||
        (stats.isSymbolicLink() && ways.site.ruling.symlinks === 'ignore'))
    if (stats !== undefined && !dir.list().names.includes(name)) {
      return { result: 'failed', path, problem: problemAt(path, FOLDED) }
    }
    return isInTheWay ? { result: 'failed', path, problem: problemAt(path, IN_THE_WAY) } : undefined
  })
  return outcome?.result === 'failed' ? outcome : undefined
}

/** Does something to a path; what comes in between makes an outcome. What is not the system's is thrown again. */
export function attempt<R extends Outcome | undefined>(path: Path, action: () => R): R | Outcome {
  try {
    return action()
  } catch (error) {
    return outcomeOf(path, error)
  }
}

/** The same for what takes its time. */
export async function attemptTo<R extends Outcome | undefined>(
  path: Path,
  action: () => Promise<R>,
): Promise<R | Outcome> {
  try {
    return await action()
  } catch (error) {
    return outcomeOf(path, error)
  }
}

function outcomeOf(path: Path, error: unknown): Outcome {
  const code = errnoOf(error)
  if (error instanceof Stale || STALE_CODES.has(code ?? '')) return { result: 'stale', path }
  if (code === undefined) throw error
  return { result: 'failed', path, problem: problemAt(path, refusalOf(error, 'written')) }
}
