import type { BlockSums } from '../blocks/signature.ts'
import { sameStamp } from '../delta.ts'
import type { Path, Stamp } from '../tree.ts'

/** Bytes of a file from which on reading it once more is worth avoiding. */
export const MIN_REMEMBERED = 64 * 1024 * 1024
/** How many sums are held in all: 8 MiB of them, of 64 files of a gigabyte. */
const MAX_SUMS = 2 * 1024 * 1024

export interface LargeFile {
  readonly path: Path
  readonly stamp: Stamp
}

export interface Summed {
  readonly stamp: Stamp
  readonly blockSize: number
  /** May still be in the making. */
  readonly sums: Promise<BlockSums>
}

/** The sums of large files that were written lately: the next version of one will be asked for them. */
export class SumMemory {
  /** The one that was written last is the last. */
  private readonly files = new Map<Path, Summed>()
  private size = 0

  add(path: Path, summed: Summed): void {
    this.drop(path)
    this.files.set(path, summed)
    this.size += countOf(summed)
    for (const oldest of this.files.keys()) {
      if (this.size <= MAX_SUMS) return
      this.drop(oldest)
    }
  }

  find(path: Path, stamp: Stamp, blockSize: number): Promise<BlockSums> | undefined {
    const found = this.files.get(path)
    const fits = found !== undefined && found.blockSize === blockSize && sameStamp(found.stamp, stamp)
    return fits ? found.sums : undefined
  }

  private drop(path: Path): void {
    const known = this.files.get(path)
    if (known !== undefined) this.size -= countOf(known)
    this.files.delete(path)
  }
}

function countOf({ stamp, blockSize }: Summed): number {
  return Math.floor(stamp.size / blockSize)
}
