import { constants, deflateRawSync, deflateSync } from 'node:zlib'

/**
 * As much of SPDY/3.1 as a client needs that opens streams once and then exchanges data: it compresses headers,
 * and never has to read any.
 * Source: https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/
 */

/** Flag of the last frame that a side sends on a stream. */
export const FIN = 1

/** Of a frame, before what it carries. */
export const HEADER_BYTES = 8
const CONTROL = 0x80
const VERSION = 3
const SYN_STREAM = 1
const PING = 6
/** No control frame that a server of Kubernetes sends is longer. */
const MAX_CONTROL_BYTES = 64 << 10

/** Frames that open streams; the headers of a stream are its type alone. */
export function synStreams(streams: readonly { readonly id: number; readonly type: string }[]): Buffer {
  return Buffer.concat(
    streams.map(({ id, type }, index) => {
      const block = compress(headerBlock('streamtype', type), index === 0)
      const associated = uint32(0)
      const priorityAndSlot = Buffer.alloc(2)
      return control(SYN_STREAM, Buffer.concat([uint32(id), associated, priorityAndSlot, block]))
    }),
  )
}

/** The header of a frame that carries data; the data follow it. */
export function dataHeader(stream: number, flags: number, bytes: number): Buffer {
  const header = Buffer.allocUnsafe(HEADER_BYTES)
  header.writeUInt32BE(stream, 0)
  header.writeUInt32BE(bytes, 4)
  header[4] = flags
  return header
}

/** Numbers of a client's pings are odd; an answer has the number of its ping. */
export function pingFrame(id: number): Buffer {
  return control(PING, uint32(id))
}

export interface FrameListener {
  /** Data of a stream, in order; a frame may come in several pieces. */
  onData(stream: number, data: Buffer): void
  onPing(id: number): void
}

/** Returns what takes the bytes of a connection, however they are cut. Throws on what cannot be SPDY. */
export function readFrames({ onData, onPing }: FrameListener): (chunk: Buffer) => void {
  let head: Buffer = Buffer.alloc(0)
  /** Bytes of the data frame under way that are still to come. */
  let left = 0
  let stream = 0

  const nextFrame = (bytes: Buffer): number => {
    const length = bytes.readUIntBE(5, 3)
    if (((bytes[0] ?? 0) & CONTROL) === 0) {
      stream = bytes.readUInt32BE(0)
      left = length
      return HEADER_BYTES
    }
    if (length > MAX_CONTROL_BYTES) throw new Error(`a SPDY control frame of ${length} bytes`)
    if (bytes.length < HEADER_BYTES + length) return 0
    if (bytes.readUInt16BE(2) === PING && length >= 4) onPing(bytes.readUInt32BE(HEADER_BYTES))
    return HEADER_BYTES + length
  }

  return (chunk) => {
    let rest = head.length === 0 ? chunk : Buffer.concat([head, chunk])
    while (rest.length > 0) {
      if (left > 0) {
        const data = rest.subarray(0, left)
        left -= data.length
        rest = rest.subarray(data.length)
        onData(stream, data)
        continue
      }
      const taken = rest.length < HEADER_BYTES ? 0 : nextFrame(rest)
      if (taken === 0) break
      rest = rest.subarray(taken)
    }
    head = rest
  }
}

function control(type: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header[0] = CONTROL
  header[1] = VERSION
  header.writeUInt16BE(type, 2)
  header.writeUIntBE(payload.length, 5, 3)
  return Buffer.concat([header, payload])
}

function headerBlock(name: string, value: string): Buffer {
  const texts = [name, value].flatMap((text) => [uint32(text.length), Buffer.from(text, 'latin1')])
  return Buffer.concat([uint32(1), ...texts])
}

/**
 * All header blocks of a connection are one zlib stream, flushed after each: the first begins it. Without the dictionary
 * of SPDY, which a zlib stream need not use, blocks that refer to nothing before them can follow.
 */
function compress(block: Buffer, isFirst: boolean): Buffer {
  const options = { finishFlush: constants.Z_SYNC_FLUSH }
  return isFirst ? deflateSync(block, options) : deflateRawSync(block, options)
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value, 0)
  return bytes
}
