/**
 * Most of a tree is settled at most times. Packed directories are compared as they are: nothing is made of what is
 * only to be found unchanged.
 */
import { ByteReader } from '../wire/bytes.ts'
import type { BaseEntry } from './base/base.ts'
import { baseKinds } from './base/codec.ts'
import { leafKinds, sameStampNext, skipDigest, skipStamp } from './entry-codec.ts'
import { type Leaves, PackedChildren } from './packed.ts'
import type { Side } from './side.ts'
import type { Entry, TreeNode } from './tree.ts'

type Children<E> = ReadonlyMap<string, TreeNode<E>> | undefined

/**
 * Whether a side's directory has, but for directories, what was agreed on and nothing else. False as well where that takes
 * a closer look: at what is not packed, and at files whose digests tell of more than their stamps do.
 */
export function holdsAgreed(side: Side, base: Children<BaseEntry>, children: Children<Entry>): boolean {
  if (!(base instanceof PackedChildren && children instanceof PackedChildren)) return false
  return isSame(side, base.leaves, children.leaves)
}

function isSame(side: Side, base: Leaves, leaves: Leaves): boolean {
  if (base.count !== leaves.count) return false
  const agreed = new ByteReader(base.bytes)
  const found = new ByteReader(leaves.bytes)
  while (agreed.remaining > 0) if (!isSameNext(side, agreed, found)) return false
  return true
}

function isSameNext(side: Side, agreed: ByteReader, found: ByteReader): boolean {
  if (!isSameStringNext(agreed, found)) return false
  const kind = agreed.u8()
  const other = found.u8()
  if (kind === baseKinds.symlink && other === leafKinds.symlink) {
    skipStamp(found)
    return isSameStringNext(agreed, found)
  }
  const isFile = kind === baseKinds.file && other === leafKinds.file
  const isProgram = kind === baseKinds.executable && other === leafKinds.program
  if (!isFile && !isProgram) return false
  skipDigest(agreed)
  if (side === 'remote') skipStamp(agreed)
  const isSame = sameStampNext(agreed, found)
  if (side === 'local') skipStamp(agreed)
  return isSame
}

function isSameStringNext(one: ByteReader, other: ByteReader): boolean {
  const size = one.varint()
  return size === other.varint() && one.sameNext(other, size)
}
