import { randomUUID } from 'node:crypto'
import { closeSync, openSync, readSync, statfsSync, unlinkSync, write } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { LoadStored } from '../../files/replica/content.ts'

/** A file without a name, where what comes in overwrites what came in longest ago. Positions only ever grow. */
export interface Ring extends RingFile {
  /** Writes bytes, and resolves with their position. Rejects with system errors, such as ENOSPC. */
  append(bytes: Uint8Array): Promise<number>
}

export interface RingFile {
  /** A descriptor for reading only. */
  readonly fd: number
  /** Bytes. */
  readonly size: number
}

/** Enough for replicas that do not begin at the same time, or not to run at the same speed. */
const MAX_SIZE = 256 * 1024 * 1024
/** With less, nearly everything would be overwritten before it is read. */
const MIN_SIZE = 8 * 1024 * 1024

const writeTo = promisify(write)

/** Opens one in the first place that has room; undefined if there is none. Its space is free again when all close it. */
export function openRing(places: readonly string[] = [tmpdir(), '/dev/shm']): Ring | undefined {
  for (const place of places) {
    try {
      const { bavail, bsize } = statfsSync(place)
      const size = Math.min(MAX_SIZE, Math.floor((bavail * bsize) / 2))
      if (size >= MIN_SIZE) return newRing(place, size)
    } catch {
      // It is not there, or read-only: the next one may do.
    }
  }
  return undefined
}

/** Makes one of so many bytes in a directory. Throws system errors. */
export function newRing(directory: string, size: number): Ring {
  const path = join(directory, `kubesync-${randomUUID()}`)
  const target = openSync(path, 'wx', 0o600)
  let end = 0
  let last: Promise<unknown> = Promise.resolve()
  try {
    return {
      fd: openSync(path, 'r'),
      size,
      append(bytes) {
        const at = end
        end += bytes.length
        const written = last.then(async () => {
          for (const { from, to, offset } of parts({ at, size: bytes.length }, size)) {
            await writeWhole(target, bytes.subarray(from, to), offset)
          }
          return at
        })
        // One after the other: nothing is overwritten by what came before it.
        last = written.catch(() => {})
        return written
      },
    }
  } catch (error) {
    closeSync(target)
    throw error
  } finally {
    unlinkSync(path)
  }
}

/** The way to read what was appended, for whoever has the descriptor. */
export function readerOf({ fd, size }: RingFile): LoadStored {
  return (stored) => {
    const bytes = Buffer.allocUnsafe(stored.size)
    for (const { from, to, offset } of parts(stored, size)) {
      const read = readSync(fd, bytes, from, to - from, offset)
      bytes.fill(0, from + read, to)
    }
    return bytes
  }
}

async function writeWhole(fd: number, bytes: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await writeTo(fd, bytes, done, bytes.length - done, offset + done)
    done += bytesWritten
  }
}

/** Where a piece lies in the file: at one place, or at its end and its beginning. */
function* parts({ at, size }: { at: number; size: number }, ring: number) {
  for (let from = 0; from < size; ) {
    const offset = (at + from) % ring
    const to = Math.min(size, from + ring - offset)
    yield { from, to, offset }
    from = to
  }
}
