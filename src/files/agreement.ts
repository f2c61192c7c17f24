import { agreedDirectory, type BaseEntry, type BaseFile, type BaseUpdate } from './base/base.ts'
import { sameStamp } from './delta.ts'
import type { Operation } from './operation.ts'
import type { Side } from './side.ts'
import type { Entry, FileEntry, Stamp } from './tree.ts'

/** An operation that was carried out. */
export interface Deed {
  readonly side: Side
  readonly operation: Operation
  /** What is on disk on that side now; null: nothing. */
  readonly written: Entry | null
  /** What the base says of the path so far. */
  readonly base: BaseEntry | undefined
  /** What the other side has there, as far as it has told; it may have moved on since the operation was planned. */
  readonly other: Entry | undefined
}

/** What both sides agree on now that an operation was carried out, or undefined if that changes nothing. */
export function agreementOn(deed: Deed): BaseUpdate | undefined {
  const { operation, written, base } = deed
  const { path, op } = operation
  if (op === 'remove') return written === null && base !== undefined ? [path, null] : undefined
  if (op === 'mkdir') {
    if (written?.kind !== 'directory' || base?.kind === 'directory') return undefined
    const { side, other } = deed
    return [path, agreedDirectory({ local: other, remote: other, [side]: written })]
  }
  if (op === 'symlink') {
    return written?.kind === 'symlink' ? [path, { kind: 'symlink', target: operation.target }] : undefined
  }
  if (written?.kind !== 'file') return undefined
  if (op === 'put') return afterPut(deed, written, operation.source.stamp)
  return base?.kind === 'file' ? [path, afterChmod({ side: deed.side, operation, written }, base)] : undefined
}

interface Chmod {
  readonly side: Side
  readonly operation: Operation
  readonly written: FileEntry
}

function afterPut(
  { side, operation, base, other }: Deed,
  written: FileEntry,
  source: Stamp,
): BaseUpdate | undefined {
  // Without a digest nothing can be claimed: both files are compared as if they had just been found.
  if (written.digest === undefined) return undefined
  const sourceBit =
    other?.kind === 'file' && sameStamp(other.stamp, source) ? other.executable : written.executable
  // Where a side has a bit of its own, what was agreed on stays agreed on.
  const before = base?.kind === 'file' ? base.executable : false
  const executable = sourceBit === written.executable ? sourceBit : before
  const stamps =
    side === 'local' ? { local: written.stamp, remote: source } : { local: source, remote: written.stamp }
  return [operation.path, { kind: 'file', digest: written.digest, executable, ...stamps }]
}

function afterChmod({ side, operation, written }: Chmod, agreed: BaseFile): BaseFile {
  const { expect } = operation
  // Only a file that held what was agreed on holds it still.
  const held = expect !== 'absent' && sameStamp(expect, agreed[side])
  const stamp = held ? written.stamp : agreed[side]
  return { ...agreed, executable: written.executable, [side]: stamp }
}
