import { Matcher, type Piece } from '../blocks/matcher.ts'
import type { Signature } from '../blocks/signature.ts'
import { type ContentWriter, MAX_CHUNK } from './content.ts'
import { newTagKey, type Tagged, Tagging } from './hash.ts'
import type { Refusal } from './refusal.ts'

export interface SendingBlocks {
  /** Fills the buffer with the next bytes of the file, up to its end; returns how many, or what is wrong. */
  readonly read: (bytes: Buffer) => number | 'changed' | Refusal
  /** Bytes. */
  readonly size: number
  readonly signature: Signature
  readonly writer: ContentWriter
  /** Sends what has been packed, and lets others have their turn. */
  readonly flush: () => Promise<void>
}

/**
 * Sends a file as copies of what the receiver has, and the bytes it does not have.
 * @returns the tag of all of it, which is not sent, with its key, or why it could not be read
 */
export async function sendBlocks(sending: SendingBlocks): Promise<Tagged | 'changed' | Refusal> {
  const { read, size, signature, writer, flush } = sending
  const matcher = new Matcher(signature)
  const key = newTagKey()
  const tagging = new Tagging(key)
  writer.key(key)
  for (let left = size; left > 0; ) {
    const room = matcher.room()
    const bytes = room.subarray(0, Math.min(left, room.length))
    const count = read(bytes)
    if (typeof count !== 'number') return count
    if (count < bytes.length) return 'changed'
    tagging.update(bytes)
    left -= bytes.length
    await sendPieces(sending, matcher.take(bytes.length))
    await flush()
  }
  await sendPieces(sending, matcher.finish())
  return { key, tag: tagging.tag() }
}

async function sendPieces({ writer, flush }: SendingBlocks, pieces: Iterable<Piece>): Promise<void> {
  for (const piece of pieces) {
    if (piece.kind === 'copy') {
      writer.copy(piece)
      continue
    }
    const { bytes } = piece
    for (let at = 0; at < bytes.length; at += MAX_CHUNK) {
      const part = bytes.subarray(at, at + MAX_CHUNK)
      if (!writer.hasRoom(part.length)) await flush()
      const chunk = writer.chunk(part.length)
      chunk.set(part)
      writer.confirm(chunk)
    }
  }
}
