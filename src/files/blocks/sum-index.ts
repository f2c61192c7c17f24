import type { BlockSums } from './signature.ts'

/** No block. */
export const NONE = -1

/** Finds blocks by their sums. */
export class SumIndex {
  /** A bit for each low part of a sum: says quickly that there is none. */
  readonly filter: Int32Array
  /** Takes the low part of a sum. */
  readonly mask: number
  private readonly sums: Int32Array
  private readonly heads: Int32Array
  private readonly next: Int32Array

  /** @param affine see `RollingTables`: sums are looked for without it */
  constructor(sums: BlockSums, affine: number) {
    let size = 1024
    while (size < sums.length * 4) size *= 2
    const bits = size * 8
    this.mask = bits - 1
    this.filter = new Int32Array(bits / 32)
    this.sums = Int32Array.from(sums, (sum) => sum ^ affine)
    this.heads = new Int32Array(size).fill(NONE)
    this.next = new Int32Array(sums.length).fill(NONE)
    // Backwards, so that the first of several is found first.
    for (let block = sums.length - 1; block >= 0; block--) this.add(block)
  }

  /** The first block with this sum, or NONE. */
  first(sum: number): number {
    return this.found(sum, this.heads[sum & (this.heads.length - 1)])
  }

  /** The next block with the sum of this one, or NONE. */
  after(block: number): number {
    return this.found(this.sums[block] ?? 0, this.next[block])
  }

  private found(sum: number, from = NONE): number {
    let block = from
    while (block !== NONE && this.sums[block] !== sum) block = this.next[block] ?? NONE
    return block
  }

  private add(block: number): void {
    const sum = this.sums[block] ?? 0
    const bit = sum & this.mask
    this.filter[bit >>> 5] = (this.filter[bit >>> 5] ?? 0) | (1 << (bit & 31))
    const slot = sum & (this.heads.length - 1)
    this.next[block] = this.heads[slot] ?? NONE
    this.heads[slot] = block
  }
}
