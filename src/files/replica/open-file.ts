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

/** A File over a descriptor, which it closes. */
export class OpenFile implements File {
  private readonly fd: number
  /** Where the next read or write is; undefined: where the descriptor stands. */
  private position: number | null = null

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
