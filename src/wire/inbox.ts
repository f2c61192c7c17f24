/** Bytes in a block that small pieces are packed into. */
const BLOCK = 64 * 1024
/** A smaller piece is packed in any case: an object for each of them would weigh more than they do. */
const SMALL = 1024
/** A piece that keeps more than so many times its size in memory is packed. */
const WASTE = 4

/**
 * Bytes that have arrived and that nobody has asked for yet. What is kept in memory is bounded by the bytes in it,
 * however small the pieces are that they arrive in, and however large the chunks of which those are views.
 */
export class Inbox {
  private readonly pieces: Buffer[] = []
  private block: Buffer = Buffer.alloc(0)
  private filled = 0
  /** Where in the block the bytes begin that no piece covers yet. */
  private start = 0
  /** Bytes that are here. */
  size = 0

  add(bytes: Buffer): void {
    this.size += bytes.length
    if (bytes.length >= SMALL && bytes.length * WASTE >= bytes.buffer.byteLength) {
      this.seal()
      this.pieces.push(bytes)
    } else {
      this.pack(bytes)
    }
  }

  /** The bytes that came first. */
  take(): Buffer | undefined {
    if (this.pieces.length === 0) this.seal()
    const piece = this.pieces.shift()
    this.size -= piece?.length ?? 0
    return piece
  }

  clear(): void {
    this.pieces.length = 0
    this.block = Buffer.alloc(0)
    this.filled = 0
    this.start = 0
    this.size = 0
  }

  private pack(bytes: Buffer): void {
    for (let offset = 0; offset < bytes.length; ) {
      if (this.filled === this.block.length) this.renew()
      const copied = bytes.copy(this.block, this.filled, offset)
      this.filled += copied
      offset += copied
    }
  }

  private renew(): void {
    this.seal()
    this.block = Buffer.allocUnsafeSlow(BLOCK)
    this.filled = 0
    this.start = 0
  }

  /** Makes a piece of what was packed, so that another may follow it. */
  private seal(): void {
    if (this.filled === this.start) return
    this.pieces.push(this.block.subarray(this.start, this.filled))
    this.start = this.filled
  }
}
