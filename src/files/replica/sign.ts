import { errnoOf } from '../../errors.ts'
import { type BlockSums, blockSizeFor, type Signature, Summing } from '../blocks/signature.ts'
import { nameOf, parentOf } from '../path.ts'
import type { Path } from '../tree.ts'
import type { Dir, File } from './dir.ts'
import { DirCursor } from './dir-cursor.ts'
import { openAsStamped, readBuffer } from './hash.ts'
import { Pace } from './pace.ts'
import { openPartial } from './partial.ts'
import type { SignRequest } from './replica.ts'
import type { Site } from './site.ts'
import { type LargeFile, MIN_REMEMBERED, type Summed } from './sum-memory.ts'

const NO_BLOCKS: BlockSums = new Uint32Array(0)

/** Milliseconds. What was written so lately may be written again while a session lasts. */
const LATELY = 24 * 3_600_000
/** Bytes that are read for that at most. */
const MAX_AHEAD = 1024 * 1024 * 1024

/** What is here of a file that is to be written. What is not there, or cannot be read, has no blocks. */
export async function sign(site: Site, { path, old, blockSize }: SignRequest): Promise<Signature> {
  const staged = tryToOpen(site, path, (dir) => openPartial(dir, path))
  try {
    const sums = old === undefined ? NO_BLOCKS : sumsAt(site, path, { stamp: old, blockSize })
    return { blockSize, old: await sums, staged: await sumsOf(staged, blockSize) }
  } finally {
    staged?.close()
  }
}

/** Signs a large file as it is now, for when its next version comes: there is time now. */
export async function signAhead(site: Site, { path, stamp }: LargeFile): Promise<void> {
  if (stamp.size < MIN_REMEMBERED) return
  // What cannot be read now can be told of then.
  await sumsAt(site, path, { stamp, blockSize: blockSizeFor(stamp.size) }).catch(() => {})
}

/** The same for those of some files that were written last. */
export async function signLatest(site: Site, files: readonly LargeFile[]): Promise<void> {
  const since = Date.now() - LATELY
  const latest = files
    .filter(({ stamp }) => stamp.mtimeMs > since)
    .sort((a, b) => b.stamp.mtimeMs - a.stamp.mtimeMs)
  let left = MAX_AHEAD
  for (const file of latest) {
    if (file.stamp.size > left) continue
    left -= file.stamp.size
    await signAhead(site, file)
  }
}

/** The sums of a file as it was at a stamp: those that are known, or in the making, or new ones. */
function sumsAt(site: Site, path: Path, { stamp, blockSize }: Omit<Summed, 'sums'>): Promise<BlockSums> {
  const known = site.sums.find(path, stamp, blockSize)
  if (known !== undefined) return known
  const file = tryToOpen(site, path, (dir) => openAsStamped(dir, nameOf(path), stamp))
  const sums = sumsOf(file, blockSize).finally(() => file?.close())
  if (file !== undefined && stamp.size >= MIN_REMEMBERED) site.sums.add(path, { stamp, blockSize, sums })
  return sums
}

function tryToOpen(site: Site, path: Path, open: (dir: Dir) => File | undefined): File | undefined {
  const cursor = new DirCursor()
  try {
    return open(cursor.open(site.root?.dir, parentOf(path)))
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return undefined
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
