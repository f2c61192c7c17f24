/**
 * What the messages of content are on their way. The first byte says how the rest is: PLAIN is as it is, PACKED is
 * its size (u32, little-endian) and a brotli stream (RFC 7932). Brotli at its lowest quality finds a fifth in source
 * code at the speed of a network card, and gives up at once on what cannot be made smaller.
 */
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib'
import { WireError } from '../../wire/error.ts'

const PLAIN = 0
const PACKED = 1
/** Bytes in front of what is plain. */
export const PLAIN_HEAD = 1
const PACKED_HEAD = 5
/** Bytes below which there is nothing to win. */
const MIN_PACKED = 512
/** What is smaller by less than this share is not worth unpacking. */
const MIN_GAIN = 1 / 8
/** zlib takes another buffer when one is full to the last byte, and none of less than 64 bytes. */
const CHUNK_MARGIN = 64
/** As large a window as a message: memory for more would be for nothing. */
const WINDOW_BITS = 18

/** A message as it is. @param message has `PLAIN_HEAD` bytes of room in front */
export function plain(message: Buffer): Buffer {
  message[0] = PLAIN
  return message
}

/** The same made smaller, if that is worth it. */
export function pack(message: Buffer): Buffer {
  const body = message.subarray(PLAIN_HEAD)
  if (body.length < MIN_PACKED) return plain(message)
  const packed = brotliCompressSync(body, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MIN_QUALITY,
      [constants.BROTLI_PARAM_LGWIN]: WINDOW_BITS,
      [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
    },
  })
  if (packed.length > body.length * (1 - MIN_GAIN)) return plain(message)
  const head = Buffer.allocUnsafe(PACKED_HEAD)
  head[0] = PACKED
  head.writeUInt32LE(body.length, 1)
  return Buffer.concat([head, packed])
}

/** The bytes of a message. Throws WireError if they are no `pack` of anything, or more than `limit` bytes. */
export function unpack(message: Buffer, limit: number): Buffer {
  const [kind] = message
  if (kind === PLAIN) return message.subarray(PLAIN_HEAD)
  if (kind !== PACKED || message.length < PACKED_HEAD) throw new WireError('a message that nobody packed')
  const size = message.readUInt32LE(1)
  if (size > limit) throw new WireError(`a message of ${size} bytes is over the limit of ${limit}`)
  const body = inflated(message.subarray(PACKED_HEAD), size)
  if (body.length !== size) throw new WireError('a message that is not as long as it says')
  return body
}

function inflated(packed: Buffer, size: number): Buffer {
  try {
    return brotliDecompressSync(packed, { maxOutputLength: size, chunkSize: size + CHUNK_MARGIN })
  } catch (cause) {
    throw new WireError('a message that cannot be unpacked', { cause })
  }
}
