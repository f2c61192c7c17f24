import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  futimesSync,
  readSync,
  type Stats,
  writeSync,
} from 'node:fs'
import type { File } from './dir.ts'

const HALF_MICROSECOND = 5e-7

/** Bytes of a hole: large enough that looking for it costs little, and a multiple of what filesystems allocate. */
const HOLE = 16 * 1024
const zeros = Buffer.alloc(HOLE)

/** A File over a descriptor, which it closes. */
export class OpenFile implements File {
  private readonly fd: number
  /** Where the next read or write is; undefined: where the descriptor stands. */
  private position: number | null = null
  private endsInHole = false

  constructor(fd: number) {
    this.fd = fd
  }

  stat(): Stats {
    return fstatSync(this.fd)
  }

  read(buffer: Uint8Array): number {
    return this.fill(buffer, () => null)
  }

  readAt(buffer: Uint8Array, position: number): number {
    return this.fill(buffer, (filled) => position + filled)
  }

  write(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const size = writeSync(this.fd, bytes, done, bytes.length - done, this.position)
      done += size
      if (this.position !== null) this.position += size
    }
  }

  writeSparsely(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.position ??= 0
    if (bytes.length < HOLE) {
      this.endsInHole = false
      this.write(bytes)
      return
    }
    let written = 0
    const start = this.position
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + HOLE - ((start + at) % HOLE))
      if (isZero(bytes, at, end)) {
        if (written < at) this.write(bytes.subarray(written, at))
        this.position = start + end
        written = end
        this.endsInHole = true
      } else this.endsInHole = false
      at = end
    }
    if (written < bytes.length) this.write(bytes.subarray(written))
  }

  finish(): void {
    if (this.endsInHole && this.position !== null) ftruncateSync(this.fd, this.position)
  }

  truncate(): void {
    ftruncateSync(this.fd, 0)
    this.position = 0
  }

  chmod(mode: number): void {
    fchmodSync(this.fd, mode)
  }

  chown(uid: number, gid: number): void {
    fchownSync(this.fd, uid, gid)
  }

  setMtime(mtimeMs: number): void {
    // Node cuts to whole microseconds, which would take one off what a double cannot hold exactly.
    futimesSync(this.fd, Date.now() / 1000, mtimeMs / 1000 + HALF_MICROSECOND)
  }

  sync(): void {
    fsyncSync(this.fd)
  }

  close(): void {
    closeSync(this.fd)
  }

  private fill(buffer: Uint8Array, positionOf: (filled: number) => number | null): number {
    let filled = 0
    while (filled < buffer.length) {
      const size = readSync(this.fd, buffer, filled, buffer.length - filled, positionOf(filled))
      if (size === 0) break
      filled += size
    }
    return filled
  }
}

function isZero(bytes: Uint8Array, start: number, end: number): boolean {
  if (bytes[start] !== 0 || bytes[end - 1] !== 0) return false
  return zeros.subarray(0, end - start).equals(bytes.subarray(start, end))
}
