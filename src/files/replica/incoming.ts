import type { Stats } from 'node:fs'
import { errnoOf } from '../../errors.ts'
import type { Operation } from '../operation.ts'
import type { Keep } from '../trash/bin.ts'
import type { FileEntry } from '../tree.ts'
import { type Dir, type File, using } from './dir.ts'
import { isExecutable } from './entry.ts'
import { expected, type Place, Stale } from './place.ts'
import { matches, stampOf } from './stamp.ts'
import { partialName, temporaryName } from './temporary.ts'

export type Put = Extract<Operation, { op: 'put' }>

/** What was written, and whether it had to be written into a file that was there. */
export interface Written {
  readonly entry: FileEntry
  readonly inPlace: boolean
}

const PERMISSIONS = 0o777
const ANY_READ = 0o444
const ANY_EXECUTE = 0o111
const OWNER_EXECUTE = 0o100
/** Errors of `link` where the filesystem, or who may do what in it, knows no such thing. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV', 'EINVAL'])
/** Errors of `rename` onto something that is mounted there, or that is in another layer. */
const NOT_HERE = new Set(['EXDEV', 'EBUSY'])

const COPY_SIZE = 1024 * 1024

/** A mode with its executable bits set as its readable ones, or without any. */
export function withExecutable(mode: number, executable: boolean): number {
  const permissions = mode & PERMISSIONS
  if (isExecutable(mode) === executable) return permissions
  return executable
    ? permissions | ((permissions & ANY_READ) >> 2) | OWNER_EXECUTE
    : permissions & ~ANY_EXECUTE
}

/** A file that is being written beside where it belongs; at its place if all of the directory is beside its own. */
export class Incoming {
  private readonly put: Put
  private readonly name: string
  private temporary: string
  private readonly file: File
  private open = true
  /** Whether there is something by the temporary name. */
  private left = true
  /** Whether what was written so far is there for another transfer to go on with. */
  isShared = false

  /** Throws Stale if what is to be replaced is not there any more, and system errors. */
  constructor({ dir, name, isStaged }: Place, put: Put) {
    this.put = put
    this.name = name
    this.temporary = isStaged ? name : temporaryName()
    // Whether it is absent is for the link to tell, in the end.
    if (put.expect !== 'absent') expected(dir, name, put.expect)
    this.file = dir.createFile(this.temporary, put.executable ? 0o777 : 0o666)
  }

  write(bytes: Uint8Array): void {
    this.file.writeSparsely(bytes)
  }

  /** From now on what is written is not lost when it is all that arrives. */
  share(dir: Dir): void {
    const name = partialName(this.put.path)
    dir.rename(this.temporary, name)
    this.temporary = name
    this.isShared = true
  }

  /**
   * Puts the file where it belongs, unless that is not as expected any more: then it throws Stale.
   * @param dir the directory as of now: it may have been moved since
   * @param keep keeps what is replaced
   * @param dress gives a file that replaces none its attributes
   */
  publish(dir: Dir, keep: Keep, dress: (file: File) => void): Written {
    const { name, put, file } = this
    const before = put.expect === 'absent' ? undefined : expected(dir, name, put.expect)
    file.finish()
    if (before?.isFile()) this.keepPermissions(before)
    else dress(file)
    file.setMtime(put.source.stamp.mtimeMs)
    const written = file.stat()
    if (this.isShared) this.takeBack(dir, written.ino)
    // Before it is put in place: some network filesystems tell only now that they have no space.
    this.close()
    if (this.temporary === name) {
      this.left = false
      return { entry: entryOf(written), inPlace: false }
    }
    if (before === undefined) this.create(dir)
    else {
      const found = this.replace(dir, before, keep)
      if (found !== undefined) return this.copyInto(dir, found)
    }
    const after = dir.lstat(name)
    if (after?.ino !== written.ino || !after.isFile()) throw new Stale()
    return { entry: entryOf(after), inPlace: false }
  }

  /** To be called in the end, whatever happened: nothing is left but what was published, or is shared. */
  discard(dir: Dir | undefined, keepsShared = false): void {
    try {
      this.close()
      if (this.left && !(keepsShared && this.isShared)) dir?.unlink(this.temporary)
    } catch {
      // Then it is not there, or the next replica that starts removes it.
    }
  }

  private close(): void {
    if (!this.open) return
    // Also if that fails: the descriptor may be another file's by then.
    this.open = false
    this.file.close()
  }

  /** Somebody else may have shared another file by that name: a name of our own stands for one file only. */
  private takeBack(dir: Dir, ino: number): void {
    const own = temporaryName()
    dir.rename(this.temporary, own)
    this.temporary = own
    this.isShared = false
    if (dir.lstat(own)?.ino !== ino) throw new Stale()
  }

  private keepPermissions({ uid, gid, mode }: Stats): void {
    if (uid !== process.geteuid?.() || gid !== process.getegid?.()) this.tryToKeepOwner(uid, gid)
    this.file.chmod(withExecutable(mode, this.put.executable))
  }

  private tryToKeepOwner(uid: number, gid: number): void {
    try {
      this.file.chown(uid, gid)
    } catch (error) {
      // Only a privileged process can; for others a file they replace becomes theirs.
      if (errnoOf(error) !== 'EPERM') throw error
    }
  }

  /** Only a link never replaces what came there meanwhile. */
  private create(dir: Dir): void {
    try {
      dir.link(this.temporary, this.name)
    } catch (error) {
      if (!NO_LINKS.has(errnoOf(error) ?? '')) throw error
      expected(dir, this.name, 'absent')
      dir.rename(this.temporary, this.name)
      this.left = false
      return
    }
    dir.unlink(this.temporary)
    this.left = false
  }

  /** Returns what is there if it cannot be replaced, only written to. */
  private replace(dir: Dir, before: Stats, keep: Keep): Stats | undefined {
    const { name } = this
    const kept = keep({ dir, name, stats: before })
    try {
      dir.rename(this.temporary, name)
    } catch (error) {
      const isHere = !NOT_HERE.has(errnoOf(error) ?? '')
      if (!isHere && kept.isApart) return before
      kept.release()
      if (isHere) throw error
      return keepApart(dir, { name, before, keep })
    }
    this.left = false
    return undefined
  }

  /** What is mounted as a single file can be written to only. */
  private copyInto(dir: Dir, before: Stats): Written {
    const { put, name } = this
    const stats = using(dir.openFile(this.temporary, 'read'), (source) =>
      using(dir.openFile(name, 'write'), (target) => {
        if (!matches(stampOf(before), target.stat())) throw new Stale()
        copy(source, target)
        target.chmod(withExecutable(before.mode, put.executable))
        target.setMtime(put.source.stamp.mtimeMs)
        return target.stat()
      }),
    )
    return { entry: entryOf(stats), inPlace: true }
  }
}

interface Apart {
  readonly name: string
  readonly before: Stats
  readonly keep: Keep
}

/** A second name does not keep what is written to. That it was there for a while shows in the ctime. */
function keepApart(dir: Dir, { name, before, keep }: Apart): Stats {
  const stats = dir.lstat(name)
  if (stats === undefined || !matches({ ...stampOf(before), ctimeMs: stats.ctimeMs }, stats))
    throw new Stale()
  keep({ dir, name, stats, isApart: true })
  return stats
}

function copy(source: File, target: File): void {
  const buffer = Buffer.allocUnsafe(COPY_SIZE)
  target.truncate()
  for (let size = source.read(buffer); size > 0; size = source.read(buffer)) {
    target.write(buffer.subarray(0, size))
  }
}

function entryOf(stats: Stats): FileEntry {
  return { kind: 'file', executable: isExecutable(stats.mode), stamp: stampOf(stats) }
}
