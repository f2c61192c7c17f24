import { errnoOf } from '../../errors.ts'
import type { RuleSet } from '../ignore/rule-set.ts'
import type { Operation, Outcome } from '../operation.ts'
import { parentOf } from '../path.ts'
import type { Path } from '../tree.ts'
import { adorn } from './attributes.ts'
import { foldersFrom } from './children.ts'
import { WHOLE_SIZE } from './content.ts'
import { type Dir, using } from './dir.ts'
import type { DirCursor } from './dir-cursor.ts'
import { Folder } from './holding.ts'
import { attempt, expected, type Place, placeOf, type Staged, Stale } from './place.ts'
import type { Site } from './site.ts'
import { directoryEntry } from './stamp.ts'
import { temporaryDirectory } from './temporary.ts'

/** Milliseconds after which a directory is shown even if more is to come: a cut loses no more than that. */
const PATIENCE = 1000

/** Whose filesystem moves no directories: there, what is new is made in its place. */
const unmovable = new WeakSet<Site>()

export interface StagingOptions {
  readonly site: Site
  readonly cursor: DirCursor
  /** Takes outcomes in the order of their operations. */
  readonly report: (outcome: Outcome) => void
}

/**
 * Fills a new directory beside its place, under a name of ours, and moves it there as a whole: what is in it needs no
 * names of its own for a while, nobody sees half of it, and the move fails if anything came to its place meanwhile (an
 * empty directory aside, which nobody misses). Outcomes are told of when it is there.
 */
export class Staging {
  /** While there is one. */
  open: NewDirectory | undefined
  private readonly options: StagingOptions

  constructor(options: StagingOptions) {
    this.options = options
  }

  /**
   * To be called before each operation: shows the directory if the operation does not belong in it. Returns whether the
   * operation, the making of a directory that more goes into, was carried out by beginning another one.
   */
  begins(operation: Operation, next: Operation | undefined): boolean {
    const { site, cursor, report } = this.options
    if (this.open?.takes(operation) === false) this.publish()
    const isBeginning = operation.op === 'mkdir' && next?.path.startsWith(`${operation.path}/`)
    if (this.open !== undefined || !isBeginning || unmovable.has(site)) return false
    const refused = attempt(operation.path, () => {
      this.open = new NewDirectory(operation, placeOf({ site, cursor }, operation), site)
      return undefined
    })
    if (refused !== undefined) report(refused)
    return true
  }

  /** What became of an operation in it. */
  add(outcome: Outcome): void {
    this.open?.outcomes.push(outcome)
  }

  /** Shows the directory, if there is one, and tells of all that is in it. */
  publish(): void {
    const { open, options } = this
    if (open === undefined) return
    this.open = undefined
    const { path } = open.operation
    const shown = attempt(path, () => this.show(open))
    options.report(shown)
    for (const outcome of open.outcomes) {
      const isLost = shown.result !== 'done' && outcome.result === 'done'
      options.report(isLost ? { result: 'stale', path: outcome.path } : outcome)
    }
  }

  private show(open: NewDirectory): Outcome {
    const { site, cursor } = this.options
    const { operation, temporary, folder } = open
    const { path } = operation
    // The way there may be another one by now.
    cursor.release()
    const place = placeOf({ site, cursor }, operation)
    try {
      if (open.rules !== site.ruling.inForce) throw new Stale()
      expected(place.dir, place.name, 'absent')
      const doubts = this.watchAll(open)
      move(site, place, temporary)
      site.holding.changeQuietly(() => site.holding.adopt(place.folder, place.name, folder))
      for (const doubt of doubts) site.suspect(doubt)
      return { result: 'done', path, entry: folder.entry }
    } catch (error) {
      for (const below of open.folders) site.dismiss(below)
      removeOurs(place.dir, temporary)
      throw error
    } finally {
      // It kept the way by the name of ours.
      cursor.release()
    }
  }

  /** Watches all of it before anybody can reach it; returns where there is not what was put there. */
  private watchAll(open: NewDirectory): Path[] {
    const { site, cursor } = this.options
    return [...open.folders].flatMap((folder) => {
      const dir = cursor.open(site.root?.dir, open.at(folder.path))
      site.watch(folder, dir)
      const { names, undecodable } = dir.list()
      const isAsMade = undecodable.length === 0 && names.length === folder.children.size
      return isAsMade && !names.some((name) => site.ruling.isRuleFile(name)) ? [] : [folder.path]
    })
  }
}

function move(site: Site, { dir, name }: Place, temporary: string): void {
  try {
    dir.rename(temporary, name)
  } catch (error) {
    const code = errnoOf(error)
    if (code !== 'EXDEV' && code !== 'EPERM' && code !== 'EACCES') throw error
    // It is tried again, without.
    unmovable.add(site)
    throw new Stale()
  }
}

/** A directory that is not in the tree yet. */
class NewDirectory implements Staged {
  readonly operation: Operation
  readonly folder: Folder
  readonly temporary = temporaryDirectory()
  readonly outcomes: Outcome[] = []
  /** What was not ignored when it was begun. */
  readonly rules: RuleSet
  private readonly startedAt = performance.now()
  /** What was asked for last: mostly it is asked for again. */
  private recent: Folder

  constructor(operation: Operation, { dir, name, folder, path }: Place, site: Site) {
    this.operation = operation
    this.rules = site.ruling.inForce
    expected(dir, name, 'absent')
    dir.mkdir(this.temporary)
    this.folder = using(dir.openDir(this.temporary), (made) => {
      const refusal = adorn(made, site.attributes, 'directory')
      if (refusal !== undefined) site.complain(refusal)
      const stats = made.stat()
      return new Folder(path, directoryEntry(stats, folder.dev), stats.dev)
    })
    this.recent = this.folder
  }

  /** It and all directories in it. */
  get folders(): Iterable<Folder> {
    return foldersFrom(this.folder)
  }

  takes(operation: Operation): boolean {
    const isInside = operation.path.startsWith(`${this.folder.path}/`)
    return isInside && isQuick(operation) && performance.now() - this.startedAt < PATIENCE
  }

  at(path: Path): Path {
    const parent = parentOf(this.folder.path)
    const rest = path.slice(this.folder.path.length)
    return parent === '' ? this.temporary + rest : `${parent}/${this.temporary}${rest}`
  }

  folderAt(path: Path): Folder | undefined {
    if (this.recent.path === path) return this.recent
    let folder = this.folder
    if (path !== folder.path) {
      for (const name of path.slice(folder.path.length + 1).split('/')) {
        const child = folder.children.get(name)
        if (!(child instanceof Folder)) return undefined
        folder = child
      }
    }
    this.recent = folder
    return folder
  }
}

/** Whether something is created that is here at once, or soon. */
function isQuick(operation: Operation): boolean {
  if (operation.expect !== 'absent' || operation.op === 'remove' || operation.op === 'chmod') return false
  return (
    operation.op !== 'put' || (operation.original === undefined && operation.source.stamp.size <= WHOLE_SIZE)
  )
}

/** Removes what is ours, with all that is in it. What cannot be removed stays, and is in no tree. */
export function removeOurs(dir: Dir, name: string): void {
  try {
    if (dir.lstat(name)?.isDirectory() !== true) dir.unlink(name)
    else {
      using(dir.openDir(name), (below) => {
        for (const child of below.list().names) removeOurs(below, child)
      })
      dir.rmdir(name)
    }
  } catch {
    // A later start tries again.
  }
}
