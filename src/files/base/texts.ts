import * as fs from 'node:fs'
import { dirname } from 'node:path'
import { digestOf } from '../replica/hash.ts'
import type { Digest } from '../tree.ts'

/** Larger ones are not kept, nor merged. Bytes. */
export const MAX_TEXT = 1024 * 1024
/** All that is kept; the oldest half goes when there is more. Bytes. */
const MAX_TOTAL = 64 * 1024 * 1024
const DIGEST = 32
/** A digest, and a length of 4 bytes. */
const HEAD = DIGEST + 4

/**
 * Texts as both sides had them when they agreed, by digest: what a merge needs of the past. It is there to be helpful,
 * so what cannot be written or read is missing, and nothing else.
 */
export interface TextStore {
  has(digest: Digest): boolean
  get(digest: Digest): Buffer | undefined
  /** Keeps a text, unless it is none, or too large. */
  add(digest: Digest, bytes: Buffer): void
  close(): void
}

/** Whether this can be merged line by line; what has a NUL is no text, as git has it. */
export function isText(bytes: Buffer): boolean {
  return bytes.length <= MAX_TEXT && !bytes.includes(0)
}

/** Opens the two files that texts are kept in, `path` and what it was before; makes them when there is something to keep. */
export function openTextStore(path: string, maxTotal = MAX_TOTAL): TextStore {
  let isClosed = false
  let [newer, older] = [new Pack(path), new Pack(`${path}.old`)]
  const has = (digest: Digest) => newer.has(digest) || older.has(digest)
  return {
    has: (digest) => (isClosed ? false : (quietly(() => has(digest)) ?? false)),
    get: (digest) => (isClosed ? undefined : quietly(() => newer.get(digest) ?? older.get(digest))),
    add(digest, bytes) {
      if (isClosed || !isText(bytes)) return
      quietly(() => {
        if (has(digest)) return
        if (newer.size + HEAD + bytes.length > maxTotal / 2) {
          newer.close()
          older.close()
          fs.renameSync(path, `${path}.old`)
          ;[newer, older] = [new Pack(path), new Pack(`${path}.old`)]
        }
        newer.add(digest, bytes)
      })
    },
    close() {
      isClosed = true
      newer.close()
      older.close()
    },
  }
}

/** A file of texts, each after its digest and length. */
class Pack {
  private readonly path: string
  private fd: number | undefined
  private length = 0
  private readonly places = new Map<Digest, { readonly at: number; readonly size: number }>()

  constructor(path: string) {
    this.path = path
  }

  get size(): number {
    this.open()
    return this.length
  }

  has(digest: Digest): boolean {
    this.open()
    return this.places.has(digest)
  }

  get(digest: Digest): Buffer | undefined {
    const fd = this.open()
    const place = this.places.get(digest)
    if (place === undefined) return undefined
    const bytes = readAt(fd, place.at, place.size)
    return bytes !== undefined && digestOf(bytes) === digest ? bytes : undefined
  }

  add(digest: Digest, bytes: Buffer): void {
    const fd = this.open()
    const head = Buffer.alloc(HEAD)
    head.write(digest, 'latin1')
    head.writeUInt32LE(bytes.length, DIGEST)
    const record = Buffer.concat([head, bytes])
    // What was written in part before is written over.
    for (let done = 0; done < record.length; ) {
      done += fs.writeSync(fd, record, done, record.length - done, this.length + done)
    }
    this.places.set(digest, { at: this.length + HEAD, size: bytes.length })
    this.length += record.length
  }

  close(): void {
    if (this.fd !== undefined) fs.closeSync(this.fd)
    this.fd = undefined
    this.places.clear()
  }

  private open(): number {
    if (this.fd !== undefined) return this.fd
    fs.mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 })
    this.fd = fs.openSync(this.path, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600)
    this.index(this.fd)
    return this.fd
  }

  /** Finds all that is whole; what follows is cut off. */
  private index(fd: number): void {
    const { size: end } = fs.fstatSync(fd)
    let at = 0
    for (;;) {
      const head = readAt(fd, at, HEAD)
      if (head === undefined) break
      const size = head.readUInt32LE(DIGEST)
      if (size > MAX_TEXT || at + HEAD + size > end) break
      this.places.set(head.toString('latin1', 0, DIGEST), { at: at + HEAD, size })
      at += HEAD + size
    }
    this.length = at
    if (at < end) fs.ftruncateSync(fd, at)
  }
}

function readAt(fd: number, at: number, size: number): Buffer | undefined {
  const bytes = Buffer.alloc(size)
  return fs.readSync(fd, bytes, 0, size, at) === size ? bytes : undefined
}

function quietly<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch {
    return undefined
  }
}
