import { createCipheriv, createHash, hash, randomBytes } from 'node:crypto'
import type { Digest, Stamp } from '../tree.ts'
import type { Dir, File } from './dir.ts'
import type { Pace } from './pace.ts'
import { matches } from './stamp.ts'

/** Files up to this size are read and hashed at one go. */
const BUFFER_SIZE = 1024 * 1024
/** One for all: it is never held while something is awaited. */
let shared: Buffer | undefined

export function digestOf(bytes: Uint8Array): Digest {
  return hash('sha256', bytes, 'binary')
}

/** A SHA-256 in the making, for what does not fit into memory. */
export class Hashing {
  private readonly hash = createHash('sha256')

  update(bytes: Uint8Array): void {
    this.hash.update(bytes)
  }

  digest(): Digest {
    return this.hash.digest('binary')
  }
}

/** Bytes of a key, and of a tag. */
export const TAG_SIZE = 16
/** Each key is used once. */
const NONCE = Buffer.alloc(12)

export function newTagKey(): Buffer {
  return randomBytes(TAG_SIZE)
}

/**
 * Tells whether two ends hold the same bytes, at a fifth of what a digest costs: GMAC (NIST SP 800-38D), under a key
 * that was made after the bytes. Whatever others are, they have the same tag with a chance of 2^-100 a gigabyte.
 */
export class Tagging {
  private readonly cipher

  constructor(key: Buffer) {
    this.cipher = createCipheriv('aes-128-gcm', key, NONCE)
  }

  update(bytes: Uint8Array): void {
    this.cipher.setAAD(bytes)
  }

  tag(): Buffer {
    this.cipher.final()
    return this.cipher.getAuthTag()
  }
}

/** Opens a file if it is what the stamp says, a regular one; undefined if it is not. Throws system errors. */
export function openAsStamped(dir: Dir, name: string, stamp: Stamp): File | undefined {
  const file = dir.openFile(name, 'read')
  try {
    const stats = file.stat()
    if (stats.isFile() && matches(stamp, stats)) return file
  } catch (error) {
    file.close()
    throw error
  }
  file.close()
  return undefined
}

/**
 * The digest of a file as it was at a stamp; undefined if that is not on disk, or did not stay while it was
 * read. Throws system errors. The directory is not needed any more when a promise is returned.
 */
export function hashFile(
  dir: Dir,
  { name, stamp }: { name: string; stamp: Stamp },
  pace: Pace,
): Digest | undefined | Promise<Digest | undefined> {
  const file = openAsStamped(dir, name, stamp)
  if (file === undefined) return undefined
  if (stamp.size > BUFFER_SIZE) return hashOpen(file, stamp, { pace }).finally(() => file.close())
  try {
    const content = readBuffer(stamp.size)
    return file.read(content) === stamp.size && matches(stamp, file.stat()) ? digestOf(content) : undefined
  } finally {
    file.close()
  }
}

/** The tag of something that was sent, and the key that it was made under. */
export interface Tagged {
  readonly key: Buffer
  readonly tag: Buffer
}

interface Reading {
  readonly pace: Pace
  /** What was read before: there is a digest of that only, and none of what the file became under the same stamp. */
  readonly sent?: Tagged
}

/** The same of a file that is open, and stays so. */
export async function hashOpen(
  file: File,
  stamp: Stamp,
  { pace, sent }: Reading,
): Promise<Digest | undefined> {
  const hashing = new Hashing()
  const tagging = sent && new Tagging(sent.key)
  for (let at = 0; at < stamp.size; ) {
    const chunk = readBuffer(Math.min(stamp.size - at, BUFFER_SIZE))
    if (file.readAt(chunk, at) < chunk.length) return undefined
    hashing.update(chunk)
    tagging?.update(chunk)
    at += chunk.length
    await pace.rest()
  }
  if (sent !== undefined && tagging?.tag().equals(sent.tag) !== true) return undefined
  return matches(stamp, file.stat()) ? hashing.digest() : undefined
}

/** Room to read something at one go: the same for all, and so only until something is awaited. */
export function readBuffer(size: number = BUFFER_SIZE): Buffer {
  shared ??= Buffer.allocUnsafeSlow(BUFFER_SIZE)
  return shared.subarray(0, size)
}
