import { errnoOf } from '../../errors.ts'
import { parentOf } from '../path.ts'
import type { Dir } from '../replica/dir.ts'
import { Stale } from '../replica/place.ts'
import { refusalOf } from '../replica/refusal.ts'
import { temporaryName } from '../replica/temporary.ts'
import type { Path } from '../tree.ts'
import type { Bin, Keeping, Taken } from './bin.ts'
import { copyTo, isUntouched } from './copy.ts'
import { OpenPass } from './open-pass.ts'
import { encodeNote, encodeVoid, type Header, type Note, type Reason } from './record.ts'

export interface PassOptions extends Header {
  /** Opens the store (see `store.ts`), once something is to go there; throws system errors. */
  readonly openStore: () => Dir
  /** Why things go; unless given, because the other side removed or replaced them. */
  readonly why?: Reason
}

/** Errors that mean that something in the way, or nobody any more, has the place in the pass. */
const ANOTHER_PASS = new Set(['EEXIST', 'ENOTDIR', 'ENOTEMPTY', 'EISDIR', 'ENOENT'])
/** Errors of `link` where the filesystem, or who may do what in it, knows no such thing. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV', 'EINVAL'])

/**
 * Puts what goes into the trash. Whatever is interrupted, at any step, its content is at its place or in the trash:
 * what is removed is renamed into it, what is replaced has a second name there before the new file is renamed over
 * the first. Where neither reaches, it is copied, and the copy is on the disk first.
 */
export class TrashPass implements Bin {
  private readonly options: PassOptions
  private store: Dir | undefined
  private pass: OpenPass | undefined

  constructor(options: PassOptions) {
    this.options = options
  }

  remove(taken: Taken): void {
    if (taken.stats.isDirectory()) this.removeDirectory(taken)
    else this.put(taken, this.note(taken, 'deleted'), (target, pass) => moveInto(taken, target, pass.scratch))
  }

  keep(taken: Taken): Keeping {
    let isApart = true
    this.put(taken, this.note(taken, 'replaced'), (target, pass) => {
      isApart = !tryToLink(taken, target)
      if (isApart) copyInto(taken, target, pass.scratch)
    })
    return { isApart, release: () => this.takeBack(taken.path) }
  }

  close(): void {
    this.leave()
    this.store?.close()
    this.store = undefined
  }

  /** There is nothing in it: what is kept is that it was there. */
  private removeDirectory(taken: Taken): void {
    const { dir, name, path, stats } = taken
    this.put(taken, { ...this.note(taken, 'deleted'), directory: stats.mode }, (target) => {
      if (target.lstat(name) === undefined) target.mkdir(name, 0o700)
    })
    try {
      dir.rmdir(name)
    } catch (error) {
      this.tryTo(() => this.pass?.write(encodeVoid(path)))
      throw error
    }
  }

  private note({ path, digest }: Taken, why: Reason): Note {
    return { path, why: this.options.why ?? why, at: Date.now(), digest }
  }

  /** Throws Stale if there is nothing to keep any more, and an error that says that it cannot be kept. */
  private put(taken: Taken, note: Note, act: (target: Dir, pass: OpenPass) => void): void {
    for (let isLast = false; ; isLast = true) {
      try {
        this.pass ??= this.begin()
        const target = this.pass.directory(parentOf(taken.path))
        const inTheWay = target.lstat(taken.name)
        const isFree = inTheWay === undefined || (inTheWay.isDirectory() && taken.stats.isDirectory())
        if (!isFree) throw Object.assign(new Error('there is an older version'), { code: 'EEXIST' })
        this.pass.write(encodeNote(note))
        act(target, this.pass)
        return
      } catch (error) {
        if (error instanceof Stale || taken.dir.lstat(taken.name) === undefined) throw new Stale()
        if (isLast || !ANOTHER_PASS.has(errnoOf(error) ?? '')) throw notKept(taken, error)
        // The store itself may have been removed by a person.
        this.close()
      }
    }
  }

  private begin(): OpenPass {
    this.store ??= this.options.openStore()
    const { root, origin } = this.options
    return new OpenPass(this.store, { root, origin }, Date.now())
  }

  private takeBack(path: Path): void {
    this.tryTo(() => {
      this.pass?.directory(parentOf(path)).unlink(path.slice(path.lastIndexOf('/') + 1))
      this.pass?.write(encodeVoid(path))
    })
  }

  /** What is left in the trash although it is at its place too does no harm. */
  private tryTo(action: () => void): void {
    try {
      action()
    } catch {
      this.leave()
    }
  }

  private leave(): void {
    this.pass?.close()
    this.pass = undefined
  }
}

/** Another name of the same file could change what is kept: then only a copy keeps it. */
function needsCopy({ stats, isApart = false }: Taken): boolean {
  return isApart || (stats.isFile() && stats.nlink > 1)
}

function tryToLink(taken: Taken, target: Dir): boolean {
  if (needsCopy(taken) || !taken.stats.isFile()) return false
  try {
    taken.dir.linkTo(taken.name, target, taken.name)
    return true
  } catch (error) {
    if (NO_LINKS.has(errnoOf(error) ?? '')) return false
    throw error
  }
}

function moveInto(taken: Taken, target: Dir, scratch: Dir): void {
  const { dir, name, stats } = taken
  if (!needsCopy(taken)) {
    try {
      dir.moveTo(name, target, name)
      return
    } catch (error) {
      if (errnoOf(error) !== 'EXDEV') throw error
    }
  }
  copyInto(taken, target, scratch)
  if (!isUntouched(stats, dir.lstat(name))) {
    target.unlink(name)
    throw new Stale()
  }
  dir.unlink(name)
}

/** A copy that is cut off must not look like a version. */
function copyInto(taken: Taken, target: Dir, scratch: Dir): void {
  const temporary = temporaryName()
  copyTo(taken, scratch, temporary)
  scratch.moveTo(temporary, target, taken.name)
}

function notKept({ dir }: Taken, error: unknown): Error {
  if (errnoOf(error) === undefined) throw error
  // Then the trash is not what is wrong.
  dir.checkWritable()
  const { message } = refusalOf(error, 'put into the trash')
  return Object.assign(new Error(`what is there ${message}`), { code: 'NOT_KEPT' })
}
