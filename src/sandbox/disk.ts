import { closeSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf, KubesyncError } from '../errors.ts'

/** A file system with more room than this is not filled: it is not a test's own. Bytes. */
const largest = 256 * 1024 * 1024
const piece = Buffer.alloc(1024 * 1024)

/** A file that takes up all the room of the file system that a directory is on. */
export interface Ballast {
  remove(): void
}

/** Fills the file system that holds a directory; rejects with DISK_TOO_LARGE unless it is a small one. */
export function fillDisk(dir: string): Ballast {
  const { bavail, bsize } = statfsSync(dir)
  if (bavail * bsize >= largest) {
    throw new KubesyncError('DISK_TOO_LARGE', `the file system of ${dir} has ${bavail * bsize} bytes free`, {
      hint: `only one with less than ${largest} bytes is filled: mount a small tmpfs there`,
    })
  }
  const path = join(dir, 'ballast')
  const file = openSync(path, 'w', 0o600)
  try {
    // The last pieces are small, so that nothing else finds room.
    for (let size = piece.length; size >= 1; size = size >> 1) writeAll(file, size)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  return { remove: () => rmSync(path, { force: true }) }
}

function writeAll(file: number, size: number): void {
  try {
    while (writeSync(file, piece, 0, size) > 0);
  } catch (error) {
    if (errnoOf(error) !== 'ENOSPC') throw error
  }
}
