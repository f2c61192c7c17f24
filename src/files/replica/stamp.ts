import type { Stats } from 'node:fs'
import type { DirectoryEntry, Stamp } from '../tree.ts'

/**
 * Milliseconds. A kernel stamps files with a clock that ticks each 1 to 10 ms; some filesystems then cut that
 * to whole or even seconds, which shows in what they hold.
 */
const FINE = 20
const COARSE = 2000

export function stampOf(stats: Stats): Stamp {
  const { mtimeMs, ctimeMs, ino, mode } = stats
  return { mtimeMs, ctimeMs, ino, size: stats.isFile() ? stats.size : 0, mode }
}

/**
 * Times and size of a directory change with each of its children, and say nothing about itself.
 * @param around the device of the directory it is in
 */
export function directoryEntry({ dev, ino, mode }: Stats, around = dev): DirectoryEntry {
  const stamp = { mtimeMs: 0, ctimeMs: 0, ino, size: 0, mode }
  return { kind: 'directory', stamp, ...(dev !== around && { isMount: true }) }
}

/** Whether `lstat` said of something that is no directory what the stamp says. */
export function matches(stamp: Stamp, stats: Stats): boolean {
  return (
    stamp.ctimeMs === stats.ctimeMs &&
    stamp.mtimeMs === stats.mtimeMs &&
    stamp.ino === stats.ino &&
    stamp.mode === stats.mode &&
    (stamp.size === stats.size || !stats.isFile())
  )
}

/**
 * Whether a file could be written to once more, after it was looked at, without its stamp showing it: the
 * clock that would set its modification time may not have ticked since the one that did. (git calls such
 * files racy and reads their content again: Documentation/technical/racy-git.txt.) Only the modification
 * time counts: every write sets it.
 * @param begun milliseconds since 1970, by the machine's own clock, when it was not looked at yet
 * @param looked the same when it was
 */
export function isRacy(mtimeMs: number, begun: number, looked = begun): boolean {
  const tick = mtimeMs % 1000 === 0 ? COARSE : FINE
  return mtimeMs > begun - tick && mtimeMs < looked + tick
}
