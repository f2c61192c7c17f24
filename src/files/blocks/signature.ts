/**
 * What tells somebody elsewhere which blocks a file is made of. The idea is rsync's (A. Tridgell, "Efficient Algorithms
 * for Sorting and Synchronization", 1999, chapter 3): the side that has an old file names its blocks by short checksums,
 * the side that has the new one finds them in it at any offset. Two things are done otherwise. The checksum is a CRC-32,
 * which zlib computes at several GB/s and which rolls as well (see `rolling-crc.ts`). And there is no second, strong one:
 * a block counts as found only with its neighbour, and whether the whole is right is for its digest to say in the end.
 */
import { crc32 } from 'node:zlib'
import type { ByteReader, ByteWriter } from '../../wire/bytes.ts'
import { WireError } from '../../wire/error.ts'

/** CRC-32s of the blocks of a file, in their order; what is less than a block at its end has none. */
export type BlockSums = Uint32Array

/** What the receiver of a file has already. */
export interface Signature {
  /** Bytes. */
  readonly blockSize: number
  /** Of the file that is to be replaced. */
  readonly old: BlockSums
  /** Of what is there of the new one, since an earlier transfer was cut. */
  readonly staged: BlockSums
}

const MIN_BLOCK = 1024
const MAX_BLOCK = 4 * 1024 * 1024
const SUM = 4

/** Such that both the sums and what a small change costs grow with the root of the size, as in rsync. */
export function blockSizeFor(size: number): number {
  let blockSize = MIN_BLOCK
  while (blockSize * blockSize < size && blockSize < MAX_BLOCK) blockSize *= 2
  return blockSize
}

/** Makes the sums of a file that is read piece by piece. */
export class Summing {
  private readonly blockSize: number
  private readonly sums: Uint32Array
  private count = 0
  private crc = 0
  private filled = 0

  /** @param size bytes of the file; more are left out */
  constructor(blockSize: number, size: number) {
    this.blockSize = blockSize
    this.sums = new Uint32Array(Math.floor(size / blockSize))
  }

  update(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + this.blockSize - this.filled)
      this.crc = crc32(bytes.subarray(at, end), this.crc)
      this.filled += end - at
      at = end
      if (this.filled < this.blockSize) continue
      this.sums[this.count++] = this.crc
      this.crc = 0
      this.filled = 0
    }
  }

  /** Of the blocks that were there in full. */
  take(): BlockSums {
    return this.sums.subarray(0, this.count)
  }
}

export function isBlockSize(blockSize: number): boolean {
  return blockSize >= MIN_BLOCK && blockSize <= MAX_BLOCK
}

export function writeSignature(writer: ByteWriter, { blockSize, old, staged }: Signature): void {
  writer.varint(blockSize)
  for (const sums of [old, staged]) {
    writer.varint(sums.length)
    for (const sum of sums) writer.u32(sum)
  }
}

export function readSignature(reader: ByteReader): Signature {
  const blockSize = reader.varint()
  if (!isBlockSize(blockSize)) throw new WireError(`blocks of ${blockSize} bytes`)
  return { blockSize, old: readSums(reader), staged: readSums(reader) }
}

function readSums(reader: ByteReader): BlockSums {
  const sums = new Uint32Array(reader.count(SUM))
  for (let i = 0; i < sums.length; i++) sums[i] = reader.u32()
  return sums
}
