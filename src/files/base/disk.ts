import * as fs from 'node:fs'
import { dirname } from 'node:path'
import { errnoOf } from '../../errors.ts'
import { roomFor } from '../mapped.ts'

/** The few things the base store asks of a filesystem; tests put one here that fails. All of it is synchronous. */
export interface Disk {
  /** The whole file, or undefined if there is none. */
  read(path: string): Buffer | undefined
  exists(path: string): boolean
  /** Opens for writing at the end; `empty` starts anew. What it makes only this user can read. */
  open(path: string, options: { empty: boolean }): number
  write(fd: number, bytes: Uint8Array): void
  /** Cuts a file off. */
  truncate(fd: number, length: number): void
  /** Returns when what was written is on the disk. */
  sync(fd: number): void
  close(fd: number): void
  /** Replaces the target; durable when it returns. */
  rename(from: string, to: string): void
  makeDirectory(path: string): void
}

export const nodeDisk: Disk = {
  read(path) {
    try {
      const fd = fs.openSync(path, 'r')
      try {
        return readAll(fd)
      } finally {
        fs.closeSync(fd)
      }
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined
      throw error
    }
  },
  exists: (path) => fs.existsSync(path),
  open: (path, { empty }) => fs.openSync(path, empty ? 'w' : 'a', 0o600),
  write(fd, bytes) {
    for (let offset = 0; offset < bytes.length; ) offset += fs.writeSync(fd, bytes, offset)
  },
  truncate: (fd, length) => fs.ftruncateSync(fd, length),
  sync: (fd) => fs.fsyncSync(fd),
  close: (fd) => fs.closeSync(fd),
  rename(from, to) {
    fs.renameSync(from, to)
    syncDirectory(dirname(to))
  },
  makeDirectory: (path) => void fs.mkdirSync(path, { recursive: true, mode: 0o700 }),
}

/** A rename is on the disk when its directory is. Windows has no such thing, and does it by itself. */
function syncDirectory(path: string): void {
  if (process.platform === 'win32') return
  const fd = fs.openSync(path, 'r')
  try {
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
}

function readAll(fd: number): Buffer {
  const { size } = fs.fstatSync(fd)
  const bytes = roomFor(size)
  let length = 0
  for (let read = -1; read !== 0 && length < size; length += read) {
    read = fs.readSync(fd, bytes, length, size - length, null)
  }
  return bytes.subarray(0, length)
}
