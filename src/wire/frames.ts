/**
 * The frames of a Mux: length of the payload (u32), channel (u32), type (u8), all little-endian, then the payload.
 *
 * | type   | payload           | meaning                                                                          |
 * |--------|-------------------|----------------------------------------------------------------------------------|
 * | HELLO  | magic, window u32 | the first frame on a connection; the window is the credit each channel begins with |
 * | OPEN   | header            | a new channel; the client's ids are odd, the server's even, both ascending        |
 * | DATA   | bytes             | uses up as many bytes of credit                                                   |
 * | CREDIT | bytes u32         | so many more may be sent on the channel                                           |
 * | END    |                   | no more data on the channel; on channel 0, a goodbye for the connection           |
 * | RESET  | message, UTF-8    | the channel is over in both directions                                            |
 */
import { WireError } from './error.ts'

export const HELLO = 0
export const OPEN = 1
export const DATA = 2
export const CREDIT = 3
export const END = 4
export const RESET = 5

/** The channel of frames that concern the whole connection. */
export const CONNECTION = 0
/** Bytes of a frame before its payload. */
export const HEAD = 9
/** Bytes in a DATA frame at most, so that no channel holds the transport for long; each costs both ends the same. */
export const MAX_DATA = 256 * 1024
/** Bytes of payload in any other frame at most. */
export const MAX_CONTROL = 16 * 1024
/** A window is at most this (31 bits, as in HTTP/2); more credit than that is an error. */
export const MAX_WINDOW = 2 ** 31 - 1

const MAGIC = Buffer.from('kubesync mux 1\n')
const NOTHING = Buffer.alloc(0)

/** What frames are about: the channel, and what they do to it. */
export interface FrameHead {
  readonly type: number
  readonly channel: number
}

/** The first bytes of a frame with so many bytes of payload, with room for `room` of them. */
export function encodeHead({ type, channel }: FrameHead, length: number, room = 0): Buffer {
  const head = Buffer.allocUnsafe(HEAD + room)
  head.writeUInt32LE(length, 0)
  head.writeUInt32LE(channel, 4)
  head[8] = type
  return head
}

/** A whole frame. */
export function encodeFrame(head: FrameHead, payload: Uint8Array = NOTHING): Buffer {
  const frame = encodeHead(head, payload.length, payload.length)
  frame.set(payload, HEAD)
  return frame
}

export function encodeU32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32LE(value)
  return bytes
}

export function encodeHello(window: number): Buffer {
  return encodeFrame({ type: HELLO, channel: CONNECTION }, Buffer.concat([MAGIC, encodeU32(window)]))
}

/** The number of bytes in a CREDIT frame or a window. */
export function decodeCredit(payload: Buffer): number {
  const credit = payload.length === 4 ? payload.readUInt32LE() : 0
  if (credit === 0 || credit > MAX_WINDOW) throw new WireError('credit that makes no sense')
  return credit
}

/** The window that the other end announces. */
export function decodeHello(payload: Buffer): number {
  if (!payload.subarray(0, MAGIC.length).equals(MAGIC)) throw new WireError('another protocol or version')
  return decodeCredit(payload.subarray(MAGIC.length))
}
