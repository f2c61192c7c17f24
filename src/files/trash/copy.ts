import type { Stats } from 'node:fs'
import { errnoOf } from '../../errors.ts'
import { type Dir, type File, using } from '../replica/dir.ts'
import { Stale } from '../replica/place.ts'
import { matches, stampOf } from '../replica/stamp.ts'
import type { Taken } from './bin.ts'

const CHUNK = 1024 * 1024
const ALL_MODES = 0o7777
const OWN = 0o600

/** Whether what is by a name is, untouched, what was found there before. */
export function isUntouched(stats: Stats, now: Stats | undefined): boolean {
  return now !== undefined && matches(stampOf(stats), now)
}

/**
 * Copies a file or a link to a name that nobody else uses, with its mode and time, down to the disk. Throws Stale if
 * it did not stay what it was, and system errors; nothing is left then.
 */
export function copyTo(taken: Taken, target: Dir, as: string): void {
  if (taken.stats.isSymbolicLink()) {
    target.symlink(taken.dir.readlink(taken.name).toString(), as)
    return
  }
  using(taken.dir.openFile(taken.name, 'read'), (source) => {
    if (!isUntouched(taken.stats, source.stat())) throw new Stale()
    const copy = target.createFile(as, OWN)
    try {
      using(copy, () => fill(copy, source, taken.stats))
      if (!isUntouched(taken.stats, source.stat())) throw new Stale()
    } catch (error) {
      target.unlink(as)
      throw error
    }
  })
}

function fill(copy: File, source: File, { uid, gid, mode, mtimeMs }: Stats): void {
  const buffer = Buffer.allocUnsafe(CHUNK)
  for (let size = source.read(buffer); size > 0; size = source.read(buffer)) {
    copy.write(buffer.subarray(0, size))
  }
  if (uid !== process.geteuid?.() || gid !== process.getegid?.()) tryToOwn(copy, uid, gid)
  copy.chmod(mode & ALL_MODES)
  copy.setMtime(mtimeMs)
  copy.sync()
}

function tryToOwn(copy: File, uid: number, gid: number): void {
  try {
    copy.chown(uid, gid)
  } catch (error) {
    // Only a privileged process can.
    if (errnoOf(error) !== 'EPERM') throw error
  }
}
