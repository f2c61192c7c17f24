import { crc32 } from 'node:zlib'
import { type RollingTables, rollingTables } from './rolling-crc.ts'
import type { Signature } from './signature.ts'
import { NONE, SumIndex } from './sum-index.ts'

/** A part of a new file: bytes the receiver has, or bytes. */
export type Piece =
  | { readonly kind: 'copy'; readonly basis: Basis; readonly from: number; readonly length: number }
  /** Good until more is read. */
  | { readonly kind: 'literal'; readonly bytes: Uint8Array }

export const bases = ['old', 'staged'] as const
export type Basis = (typeof bases)[number]

/** Bytes that are read at a time, at least. */
const ROOM = 1024 * 1024
/** The longest copy, so that the receiver is at work while the rest is looked for. */
const MAX_COPY = 4 * 1024 * 1024
/** Bytes that may be looked at in vain for each byte that is searched: what repeats itself finds too much. */
const PATIENCE = 8
/** How many blocks with the same sum are looked at: a file of zeros has nothing else. */
const MAX_SAME = 8

interface Run {
  readonly basis: Basis
  /** The first block of it. */
  readonly block: number
  length: number
}

/**
 * Finds in a new file what the receiver has of it. Bytes are put into `room()` and then taken note of with `take`,
 * piece by piece; `finish` gives the last ones. All pieces, one after the other, are the file.
 */
export class Matcher {
  private readonly signature: Signature
  private readonly index: SumIndex
  private readonly tables: RollingTables
  private readonly buffer: Buffer
  /** Where what was read ends, what is looked at begins, and what is not part of a piece yet begins. */
  private filled = 0
  private at = 0
  private pending = 0
  /** Of the window at `at`, ready to be rolled; undefined if it is to be computed. */
  private crc: number | undefined
  private run: Run | undefined
  /** Bytes of the file before the buffer. */
  private offset = 0
  private isInStaged = true
  /** How far the last run of the old file is from where it was there, in bytes. */
  private shift = 0
  private credit = 0

  constructor(signature: Signature) {
    this.signature = signature
    const { blockSize } = signature
    this.tables = rollingTables(blockSize)
    this.index = new SumIndex(signature.old, this.tables.affine)
    this.buffer = Buffer.allocUnsafeSlow(ROOM + 4 * blockSize)
    this.credit = 64 * blockSize
  }

  /** Where the next bytes of the file go. */
  room(): Buffer {
    return this.buffer.subarray(this.filled)
  }

  *take(count: number): Generator<Piece> {
    this.filled += count
    // One more block, since a block counts with its neighbour only.
    yield* this.search(this.filled - 2 * this.signature.blockSize)
    yield* this.literal()
    this.buffer.copy(this.buffer, 0, this.at, this.filled)
    this.offset += this.at
    this.filled -= this.at
    this.pending = 0
    this.at = 0
  }

  *finish(): Generator<Piece> {
    yield* this.search(this.filled - this.signature.blockSize)
    yield* this.endRun()
    this.at = this.filled
    yield* this.literal()
  }

  /** Looks at windows that begin up to a limit. */
  private *search(limit: number): Generator<Piece> {
    const { blockSize } = this.signature
    while (this.at <= limit) {
      if (this.goesOn()) {
        this.at += blockSize
        this.pending = this.at
        this.crc = undefined
        if (this.run !== undefined && this.run.length >= MAX_COPY) yield* this.splitRun()
        continue
      }
      yield* this.endRun()
      if (!this.roll(limit)) return
      yield* this.literal()
    }
  }

  /** Whether the window is the block that comes next; then it is part of the run. */
  private goesOn(): boolean {
    const { run, signature } = this
    const { blockSize } = signature
    const next = run ?? (this.isInStaged ? this.startStaged() : undefined)
    if (next === undefined) return false
    const expected = signature[next.basis][next.block + next.length / blockSize]
    if (expected === undefined) return false
    const crc = crc32(this.buffer.subarray(this.at, this.at + blockSize))
    if (crc === expected) {
      next.length += blockSize
      this.run = next
      return true
    }
    this.crc = crc ^ this.tables.affine
    return false
  }

  private startStaged(): Run {
    this.isInStaged = false
    return { basis: 'staged', block: 0, length: 0 }
  }

  private *endRun(): Generator<Piece> {
    const { run } = this
    this.run = undefined
    if (run === undefined || run.length === 0) return
    const from = run.block * this.signature.blockSize
    yield { kind: 'copy', basis: run.basis, from, length: run.length }
  }

  private *splitRun(): Generator<Piece> {
    const { run } = this
    if (run === undefined) return
    const block = run.block + run.length / this.signature.blockSize
    yield* this.endRun()
    this.run = { basis: run.basis, block, length: 0 }
  }

  private *literal(): Generator<Piece> {
    if (this.pending < this.at) yield { kind: 'literal', bytes: this.buffer.subarray(this.pending, this.at) }
    this.pending = this.at
  }

  /** Moves the window on to a block of the old file; false if there is none up to the limit. */
  private roll(limit: number): boolean {
    const { buffer, index, tables, signature } = this
    const { blockSize } = signature
    const { entering, leaving } = tables
    const { filter, mask } = index
    const start = this.at
    let crc = this.crc ?? crc32(buffer.subarray(start, start + blockSize)) ^ tables.affine
    for (let at = start; ; at++) {
      const bit = crc & mask
      if (((filter[bit >>> 5] ?? 0) & (1 << (bit & 31))) !== 0 && this.startsRun(at, crc)) {
        this.credit += PATIENCE * (at - start)
        return true
      }
      if (at >= limit) {
        this.at = at + 1
        this.crc = undefined
        this.credit += PATIENCE * (at - start)
        return false
      }
      const first = leaving[buffer[at] ?? 0] ?? 0
      crc = (crc >>> 8) ^ (entering[(crc ^ (buffer[at + blockSize] ?? 0)) & 0xff] ?? 0) ^ first
    }
  }

  /** Whether a block of the old file begins here; then the run does. */
  private startsRun(at: number, crc: number): boolean {
    const { index, signature } = this
    let left = MAX_SAME
    for (let block = index.first(crc); block !== NONE && left > 0; block = index.after(block), left--) {
      const shift = this.offset + at - block * signature.blockSize
      // One block by itself may be found by chance, but hardly where it is to be expected.
      const isExpected = shift === 0 || shift === this.shift
      if (!isExpected && !this.hasNeighbour(at, block)) continue
      this.shift = shift
      this.at = at
      this.run = { basis: 'old', block, length: 0 }
      return true
    }
    return false
  }

  private hasNeighbour(at: number, block: number): boolean {
    const { blockSize, old } = this.signature
    const end = at + 2 * blockSize
    if (end > this.filled || this.credit < 0) return false
    this.credit -= blockSize
    return crc32(this.buffer.subarray(at + blockSize, end)) === old[block + 1]
  }
}
