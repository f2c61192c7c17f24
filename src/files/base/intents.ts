/**
 * What was sent to a side and not answered yet. A write-ahead record: whoever finds it after a cut can tell what the
 * other side has of ours from what somebody made there meanwhile.
 */
import type { ByteReader, ByteWriter } from '../../wire/bytes.ts'
import { WireError } from '../../wire/error.ts'
import { nodeAt, sameStamp } from '../delta.ts'
import * as part from '../entry-codec.ts'
import type { Operation } from '../operation.ts'
import type { HashRequest } from '../replica/replica.ts'
import { otherSide, type Side } from '../side.ts'
import type { Digest, Path, Stamp, Tree } from '../tree.ts'
import type { BaseUpdate } from './base.ts'

/** A file that a side is to have: the content that the other side had with that stamp. */
export interface Intent {
  readonly side: Side
  readonly path: Path
  readonly source: Stamp
}

const sides = ['local', 'remote'] as const
/** Bytes the smallest one takes: a path, a side, and something of a stamp. */
const MIN_INTENT = 4

/** The content that operations are meant to bring. */
export function intentsOf(side: Side, operations: readonly Operation[]): Intent[] {
  return operations.flatMap((operation) => {
    const { path, op } = operation
    return op === 'put' ? [{ side, path, source: operation.source.stamp }] : []
  })
}

export function writeIntents(writer: ByteWriter, intents: readonly Intent[]): void {
  writer.varint(intents.length)
  const paths = new part.PathWriter(writer)
  for (const intent of intents) {
    paths.write(intent.path)
    part.writeStamp(writer.u8(sides.indexOf(intent.side)), intent.source)
  }
}

export function readIntents(reader: ByteReader): Intent[] {
  const intents: Intent[] = []
  const left = reader.count(MIN_INTENT)
  const paths = new part.PathReader(reader)
  for (let i = 0; i < left; i++) intents.push(readIntent(reader, paths.read()))
  return intents
}

function readIntent(reader: ByteReader, path: Path): Intent {
  const side = sides[reader.u8()]
  if (side === undefined) throw new WireError('an intent is for no side')
  return { side, path, source: part.readStamp(reader) }
}

/** An intent that was carried out, as far as can be told without reading. */
export interface Deed extends Intent {
  /** Of the file as it is on the side that it was written to. */
  readonly request: HashRequest
  readonly executable: boolean
}

/**
 * Which intents were carried out. Only those count of which the other side has moved on: where it has not, the two are
 * compared as they are, which says more. A file is ours if it has the size and the time of what was sent: times travel with content.
 */
export function carriedOut(intents: readonly Intent[], trees: Readonly<Record<Side, Tree>>): Deed[] {
  return intents.flatMap((intent): Deed[] => {
    const { side, path, source } = intent
    const there = nodeAt(trees[side], path)?.entry
    const origin = nodeAt(trees[otherSide[side]], path)?.entry
    if (there?.kind !== 'file' || !isCopy(there.stamp, source)) return []
    if (origin?.kind === 'opaque' || (origin?.kind === 'file' && sameStamp(origin.stamp, source))) return []
    const { stamp, executable } = there
    return [{ ...intent, executable, request: { path, stamp } }]
  })
}

/** Milliseconds that a time may be off after it was written, which takes whole microseconds. */
const ROUNDING = 0.002

function isCopy(written: Stamp, source: Stamp): boolean {
  return written.size === source.size && Math.abs(written.mtimeMs - source.mtimeMs) < ROUNDING
}

/** What is agreed on by a deed, by the digest of what it wrote. */
export function agreedBy({ path, side, source, request, executable }: Deed, digest: Digest): BaseUpdate {
  const { stamp } = request
  const stamps = side === 'local' ? { local: stamp, remote: source } : { local: source, remote: stamp }
  return [path, { kind: 'file', digest, executable, ...stamps }]
}
