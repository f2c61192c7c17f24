/**
 * What is there of a large file when its transfer is cut stays beside where it belongs, for the next transfer to begin
 * with. It is bound to nothing but the path: of what it holds, only blocks that the new content begins with as well
 * are taken, and the digest of the whole decides in the end. So it does no harm if the source changed meanwhile.
 */
import type { Path } from '../tree.ts'
import type { Dir, File } from './dir.ts'
import { partialName } from './temporary.ts'

/** Bytes of a file from which on it is worth it. */
export const MIN_RESUMED = 4 * 1024 * 1024
/** Bytes that have to have arrived. */
export const MIN_PARTIAL = 1024 * 1024

/** What is there of a file; undefined, or a system error, if there is nothing. */
export function openPartial(dir: Dir, path: Path): File | undefined {
  const name = partialName(path)
  if (dir.lstat(name)?.isFile() !== true) return undefined
  const file = dir.openFile(name, 'read')
  if (file.stat().isFile()) return file
  file.close()
  return undefined
}
