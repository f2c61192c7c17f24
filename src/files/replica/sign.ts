import { errnoOf } from '../../errors.ts'
import { type BlockSums, blockSizeFor, type Signature, Summing } from '../blocks/signature.ts'
import { nameOf, parentOf } from '../path.ts'
import type { Path, Stamp } from '../tree.ts'
import type { File } from './dir.ts'
import { DirCursor } from './dir-cursor.ts'
import { openAsStamped, readBuffer } from './hash.ts'
import { Pace } from './pace.ts'
import { openPartial } from './partial.ts'
import type { SignRequest } from './replica.ts'
import type { Site } from './site.ts'
import { MIN_REMEMBERED } from './sum-memory.ts'

const NO_BLOCKS: BlockSums = new Uint32Array(0)

/** What is here of a file that is to be written. What is not there, or cannot be read, has no blocks. */
export async function sign(site: Site, { path, old, blockSize }: SignRequest): Promise<Signature> {
  const known = old && site.sums.find(path, old, blockSize)
  const [oldFile, staged] = tryToOpen(site, path, known === undefined ? old : undefined)
  try {
    const sums = known ?? (await sumsOf(oldFile, blockSize))
    if (old !== undefined && old.size >= MIN_REMEMBERED) site.sums.add(path, { stamp: old, blockSize, sums })
    return { blockSize, old: sums, staged: await sumsOf(staged, blockSize) }
  } finally {
    oldFile?.close()
    staged?.close()
  }
}

/** Signs a large file that was just written, for when its next version comes: there is time now. */
export function signAhead(site: Site, path: Path, stamp: Stamp): void {
  if (stamp.size < MIN_REMEMBERED) return
  // What cannot be read now can be told of then.
  sign(site, { path, old: stamp, blockSize: blockSizeFor(stamp.size) }).catch(() => {})
}

function tryToOpen(site: Site, path: string, old: SignRequest['old']): (File | undefined)[] {
  const cursor = new DirCursor()
  const attempt = (open: () => File | undefined): File | undefined => {
    try {
      return open()
    } catch (error) {
      if (errnoOf(error) === undefined) throw error
      return undefined
    }
  }
  const dir = () => cursor.open(site.root?.dir, parentOf(path))
  try {
    return [
      attempt(() => (old === undefined ? undefined : openAsStamped(dir(), nameOf(path), old))),
      attempt(() => openPartial(dir(), path)),
    ]
  } finally {
    cursor.release()
  }
}

async function sumsOf(file: File | undefined, blockSize: number): Promise<BlockSums> {
  if (file === undefined) return NO_BLOCKS
  const pace = new Pace()
  const summing = new Summing(blockSize, file.stat().size)
  try {
    for (;;) {
      const buffer = readBuffer()
      const size = file.read(buffer)
      if (size === 0) break
      summing.update(buffer.subarray(0, size))
      await pace.rest()
    }
  } catch (error) {
    // What could be read may do.
    if (errnoOf(error) === undefined) throw error
  }
  return summing.take()
}
