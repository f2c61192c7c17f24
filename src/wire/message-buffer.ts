import { WireError } from './error.ts'

/** Bytes of the length in front of each message: u32, little-endian. */
export const PREFIX = 4
const SMALLEST_ASSEMBLY = 1024
/** A message up to this size gets all of its memory when it begins. */
const AT_ONCE = 512 * 1024

/**
 * Cuts chunks of a byte stream into messages. A message that lies within one chunk is a view of it; another is put
 * together in memory that grows with what has arrived; no length that promises much is believed.
 */
export class MessageBuffer {
  private readonly limit: number
  private chunk: Buffer = Buffer.alloc(0)
  private offset = 0
  /** The beginning of a message, its prefix included, of which the rest has not arrived. */
  private assembly: Buffer = Buffer.alloc(0)
  private assembled = 0

  constructor(limit: number) {
    this.limit = limit
  }

  /** Only to be called when `next` has nothing more. */
  add(chunk: Buffer): void {
    this.chunk = chunk
    this.offset = 0
  }

  /** The next message that is complete. Throws WireError for one that is over the limit. */
  next(): Buffer | undefined {
    return this.assembled > 0 ? this.continue() : this.cut()
  }

  /** Throws WireError when a message began and did not end. */
  end(): void {
    if (this.assembled > 0) throw new WireError('the stream ended in the middle of a message')
  }

  /** Takes out what follows a message that `next` just returned. */
  rest(): Buffer {
    const rest = this.chunk.subarray(this.offset)
    this.offset = this.chunk.length
    return rest
  }

  private cut(): Buffer | undefined {
    const { chunk, offset } = this
    const available = chunk.length - offset
    if (available === 0) return undefined
    if (available < PREFIX) return this.keep(available, 0)
    const total = PREFIX + this.size(chunk, offset)
    if (total > available) return this.keep(available, total)
    this.offset = offset + total
    return chunk.subarray(offset + PREFIX, this.offset)
  }

  private keep(size: number, total: number): undefined {
    this.move(size, total)
  }

  private continue(): Buffer | undefined {
    if (!this.fill(PREFIX)) return undefined
    const total = PREFIX + this.size(this.assembly, 0)
    if (!this.fill(total)) return undefined
    const message = this.assembly.subarray(PREFIX, total)
    this.assembly = Buffer.alloc(0)
    this.assembled = 0
    return message
  }

  /** Whether as many bytes are assembled now. */
  private fill(total: number): boolean {
    const available = this.chunk.length - this.offset
    this.move(Math.min(Math.max(total - this.assembled, 0), available), total)
    return this.assembled >= total
  }

  private move(size: number, total = 0): void {
    const needed = this.assembled + size
    if (needed > this.assembly.length) {
      const twice = Math.max(2 * needed, SMALLEST_ASSEMBLY)
      const size = total <= AT_ONCE ? total : Math.min(twice, total)
      const larger = Buffer.allocUnsafe(total > 0 ? Math.max(PREFIX, needed, size) : twice)
      this.assembly.copy(larger, 0, 0, this.assembled)
      this.assembly = larger
    }
    this.chunk.copy(this.assembly, this.assembled, this.offset, this.offset + size)
    this.assembled = needed
    this.offset += size
  }

  private size(buffer: Buffer, offset: number): number {
    const size = buffer.readUInt32LE(offset)
    if (size > this.limit)
      throw new WireError(`a message of ${size} bytes is over the limit of ${this.limit}`)
    return size
  }
}
