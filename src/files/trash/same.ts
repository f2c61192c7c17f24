import type { Stats } from 'node:fs'
import { type Dir, type File, using } from '../replica/dir.ts'

const CHUNK = 1024 * 1024

/** A file or a link. */
export interface Thing {
  readonly dir: Dir
  readonly name: string
  readonly stats: Stats | undefined
}

/** Whether two files have the same content, or two links the same target. Throws system errors. */
export function sameContent(one: Thing, other: Thing): boolean {
  if (one.stats?.isSymbolicLink() && other.stats?.isSymbolicLink()) {
    return one.dir.readlink(one.name).equals(other.dir.readlink(other.name))
  }
  if (!one.stats?.isFile() || !other.stats?.isFile() || one.stats.size !== other.stats.size) return false
  return using(one.dir.openFile(one.name, 'read'), (a) =>
    using(other.dir.openFile(other.name, 'read'), (b) => haveSameBytes(a, b)),
  )
}

function haveSameBytes(a: File, b: File): boolean {
  const [one, other] = [Buffer.allocUnsafe(CHUNK), Buffer.allocUnsafe(CHUNK)]
  for (;;) {
    const [size, otherSize] = [a.read(one), b.read(other)]
    if (!one.subarray(0, size).equals(other.subarray(0, otherSize))) return false
    if (size === 0) return true
  }
}
