/**
 * Compact binary encoding of numbers, strings and byte strings, for the wire and for files of ours. There are no
 * tags and no names: who reads must ask for the same things in the same order as they were written.
 *
 * A varint is unsigned LEB128 as in DWARF and Protocol Buffers (7 bits a byte, least significant first, the high bit
 * says that more follow), here up to 2^53-1 and in its shortest form only. Everything of fixed size is little-endian.
 */
import { isUtf8 } from 'node:buffer'
import { WireError } from './error.ts'

/** Below this many characters a loop is faster than a call into native code. */
const SHORT_STRING = 24
const VARINT_MAX_BYTES = 8
const NOTHING = Buffer.alloc(0)

/** Writes into a buffer that grows as needed. Numbers that do not fit are a defect of the caller: RangeError. */
export class ByteWriter {
  private buffer: Buffer
  private offset = 0

  /** @param capacity bytes to begin with; a good guess saves copies. */
  constructor(capacity = 256) {
    this.buffer = Buffer.allocUnsafe(capacity)
  }

  /** How many bytes have been written. */
  get length(): number {
    return this.offset
  }

  u8(value: number): this {
    this.reserve(1)
    this.offset = this.buffer.writeUInt8(value, this.offset)
    return this
  }

  u32(value: number): this {
    this.reserve(4)
    this.offset = this.buffer.writeUInt32LE(value, this.offset)
    return this
  }

  f64(value: number): this {
    this.reserve(8)
    this.offset = this.buffer.writeDoubleLE(value, this.offset)
    return this
  }

  /** An integer from 0 to 2^53-1 in one to eight bytes. */
  varint(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} does not fit a varint`)
    this.reserve(VARINT_MAX_BYTES)
    const buffer = this.buffer
    let offset = this.offset
    let rest = value
    // Bit operations work on 32 bits only.
    while (rest >= 0x8000_0000) {
      buffer[offset++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    while (rest >= 0x80) {
      buffer[offset++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    buffer[offset++] = rest
    this.offset = offset
    return this
  }

  /** Length in bytes as a varint, then UTF-8. A lone surrogate is written as U+FFFD. */
  string(value: string): this {
    if (value.length < SHORT_STRING && this.shortAscii(value)) return this
    const size = Buffer.byteLength(value)
    this.varint(size).reserve(size)
    this.offset += this.buffer.write(value, this.offset, size, 'utf8')
    return this
  }

  /** Length as a varint, then the bytes. */
  bytes(value: Uint8Array): this {
    return this.varint(value.length).raw(value)
  }

  /** The bytes alone; the reader has to know how many. */
  raw(value: Uint8Array): this {
    this.reserve(value.length)
    this.buffer.set(value, this.offset)
    this.offset += value.length
    return this
  }

  /** One byte a character (U+0000 to U+00FF) and no length: for digests, whose size both ends know. */
  latin1(value: string): this {
    this.reserve(value.length)
    this.offset += this.buffer.write(value, this.offset, value.length, 'latin1')
    return this
  }

  /** What was written, without a copy; the writer is empty afterwards. */
  take(): Buffer {
    const written = this.buffer.subarray(0, this.offset)
    this.buffer = NOTHING
    this.offset = 0
    return written
  }

  private shortAscii(value: string): boolean {
    const size = value.length
    this.reserve(size + 1)
    const buffer = this.buffer
    const start = this.offset + 1
    for (let i = 0; i < size; i++) {
      const code = value.charCodeAt(i)
      if (code >= 0x80) return false
      buffer[start + i] = code
    }
    buffer[this.offset] = size
    this.offset = start + size
    return true
  }

  private reserve(size: number): void {
    const needed = this.offset + size
    if (needed > this.buffer.length) this.grow(needed)
  }

  private grow(needed: number): void {
    const larger = Buffer.allocUnsafe(Math.max(256, needed, 2 * this.offset))
    this.buffer.copy(larger, 0, 0, this.offset)
    this.buffer = larger
  }
}

/**
 * Reads what a ByteWriter wrote. The bytes are not trusted: whatever does not fit them throws WireError, and nothing
 * is allocated for a length before that many bytes are known to be there.
 */
export class ByteReader {
  private readonly buffer: Buffer
  private offset = 0

  constructor(bytes: Uint8Array) {
    this.buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  /** How many bytes are left. */
  get remaining(): number {
    return this.buffer.length - this.offset
  }

  u8(): number {
    return this.buffer.readUInt8(this.advance(1))
  }

  u32(): number {
    return this.buffer.readUInt32LE(this.advance(4))
  }

  f64(): number {
    return this.buffer.readDoubleLE(this.advance(8))
  }

  varint(): number {
    const first = this.buffer[this.offset]
    if (first === undefined || first >= 0x80) return this.longVarint()
    this.offset++
    return first
  }

  string(): string {
    const size = this.varint()
    const start = this.advance(size)
    const end = this.offset
    const buffer = this.buffer
    for (let i = start; i < end; i++) {
      if ((buffer[i] ?? 0) >= 0x80) return this.utf8(start, end)
    }
    return buffer.toString('latin1', start, end)
  }

  /** A byte string with its length. It shares its memory with what is read: copy it to keep it for long. */
  bytes(): Buffer {
    return this.raw(this.varint())
  }

  /** So many bytes. They share their memory with what is read. */
  raw(size: number): Buffer {
    const start = this.advance(size)
    return this.buffer.subarray(start, this.offset)
  }

  /** The bytes that reading something takes. They share their memory with what is read. */
  span(read: () => void): Buffer {
    const start = this.offset
    read()
    return this.buffer.subarray(start, this.offset)
  }

  /** Moves past so many bytes in both: whether they are the same. */
  sameNext(other: ByteReader, size: number): boolean {
    const [a, b] = [this.buffer, other.buffer]
    const offset = other.advance(size) - this.advance(size)
    for (let i = this.offset - size; i < this.offset; i++) if (a[i] !== b[i + offset]) return false
    return true
  }

  /** Moves past so many bytes. */
  skip(size: number): void {
    this.advance(size)
  }

  /** So many bytes as characters U+0000 to U+00FF. */
  latin1(size: number): string {
    const start = this.advance(size)
    return this.buffer.toString('latin1', start, this.offset)
  }

  /** A count of things that take at least `minimumSize` bytes each: more than can be there is an error. */
  count(minimumSize: number): number {
    const count = this.varint()
    if (count * minimumSize > this.remaining)
      throw new WireError(`${count} things in ${this.remaining} bytes`)
    return count
  }

  /** Throws if anything is left. */
  end(): void {
    if (this.remaining > 0) throw new WireError(`${this.remaining} bytes too many`)
  }

  private utf8(start: number, end: number): string {
    if (!isUtf8(this.buffer.subarray(start, end))) throw new WireError('a string is not UTF-8')
    return this.buffer.toString('utf8', start, end)
  }

  private longVarint(): number {
    const buffer = this.buffer
    let value = 0
    let factor = 1
    for (let i = 0; i < VARINT_MAX_BYTES; i++) {
      const byte = buffer[this.advance(1)] ?? 0
      value += (byte & 0x7f) * factor
      if (byte >= 0x80) factor *= 128
      else if ((byte === 0 && i > 0) || value > Number.MAX_SAFE_INTEGER) break
      else return value
    }
    throw new WireError('a varint is too long')
  }

  /** Moves past `size` bytes; returns where they begin. */
  private advance(size: number): number {
    const start = this.offset
    if (size > this.buffer.length - start) {
      throw new WireError(`${size} bytes wanted where ${this.buffer.length - start} are left`)
    }
    this.offset = start + size
    return start
  }
}
