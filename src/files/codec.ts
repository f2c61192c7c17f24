/**
 * The binary form of deltas, operations and outcomes. A list is its count and its elements, paths first.
 * Decoding trusts nothing: whatever encoding would not have made throws `WireError`.
 */
import { ByteReader, ByteWriter } from '../wire/bytes.ts'
import { WireError } from '../wire/error.ts'
import * as part from './entry-codec.ts'
import type { Expectation, Operation, Original, Outcome, Source } from './operation.ts'
import type { Delta, DeltaItem, Path } from './tree.ts'

/** Bytes the smallest element of a list takes: a path and what it is. */
const MIN_ELEMENT = 3

/** By position: the number that stands for each on the wire. */
const operations = [
  'mkdir',
  'put',
  'symlink',
  'chmod',
  'remove',
] as const satisfies readonly Operation['op'][]
const results = ['done', 'stale', 'source-changed', 'failed'] as const satisfies readonly Outcome['result'][]

export function encodeDelta(delta: Delta): Buffer {
  return encodeList(
    delta,
    ([path]) => path,
    (writer, [, entry]) => part.writeEntry(writer, entry),
  )
}

export function decodeDelta(bytes: Uint8Array): Delta {
  return decodeList(bytes, (reader, path): DeltaItem => [path, part.readEntry(reader)])
}

export function encodeOperations(list: readonly Operation[]): Buffer {
  return encodeList(list, ({ path }) => path, writeOperation)
}

export function decodeOperations(bytes: Uint8Array): Operation[] {
  return decodeList(bytes, readOperation)
}

export function encodeOutcomes(outcomes: readonly Outcome[]): Buffer {
  return encodeList(outcomes, ({ path }) => path, writeOutcome)
}

export function decodeOutcomes(bytes: Uint8Array): Outcome[] {
  return decodeList(bytes, readOutcome)
}

function encodeList<T>(
  list: readonly T[],
  pathOf: (element: T) => Path,
  write: (writer: ByteWriter, element: T) => void,
): Buffer {
  const writer = new ByteWriter(16 + list.length * 96)
  const paths = new part.PathWriter(writer)
  writer.varint(list.length)
  for (const element of list) {
    paths.write(pathOf(element))
    write(writer, element)
  }
  return writer.take()
}

function decodeList<T>(bytes: Uint8Array, read: (reader: ByteReader, path: Path) => T): T[] {
  const reader = new ByteReader(bytes)
  const paths = new part.PathReader(reader)
  const list: T[] = []
  for (let left = reader.count(MIN_ELEMENT); left > 0; left--) list.push(read(reader, paths.read()))
  reader.end()
  return list
}

function writeOperation(writer: ByteWriter, operation: Operation): void {
  writer.u8(operations.indexOf(operation.op))
  writeExpectation(writer, operation.expect)
  if (operation.op === 'symlink') part.writeTarget(writer, operation.target)
  if (operation.op === 'put' || operation.op === 'chmod') writer.u8(operation.executable ? 1 : 0)
  if (operation.op !== 'put') return
  writeSource(writer, operation.source)
  writer.u8(operation.original === undefined ? 0 : 1)
  if (operation.original !== undefined) writeOriginal(writer, operation.original)
}

function readOperation(reader: ByteReader, path: Path): Operation {
  if (path === '') throw new WireError('an operation on the root')
  const op = numbered(operations, reader.u8())
  const expect = readExpectation(reader)
  switch (op) {
    case 'mkdir':
    case 'remove':
      return { op, path, expect }
    case 'symlink':
      return { op, path, expect, target: part.readTarget(reader) }
    case 'chmod':
      return { op, path, expect, executable: part.readFlag(reader) }
    case 'put':
      return {
        ...{ op, path, expect, executable: part.readFlag(reader), source: readSource(reader) },
        ...(part.readFlag(reader) ? { original: readOriginal(reader) } : {}),
      }
  }
}

function writeOriginal(writer: ByteWriter, { path, stamp }: Original): void {
  new part.PathWriter(writer).write(path)
  part.writeStamp(writer, stamp)
}

function readOriginal(reader: ByteReader): Original {
  return { path: new part.PathReader(reader).read(), stamp: part.readStamp(reader) }
}

function writeExpectation(writer: ByteWriter, expect: Expectation): void {
  writer.u8(expect === 'absent' ? 0 : 1)
  if (expect !== 'absent') part.writeStamp(writer, expect)
}

function readExpectation(reader: ByteReader): Expectation {
  return part.readFlag(reader) ? part.readStamp(reader) : 'absent'
}

function writeSource(writer: ByteWriter, { stamp, digest }: Source): void {
  writer.u8(digest === undefined ? 0 : 1)
  part.writeStamp(writer, stamp)
  if (digest !== undefined) part.writeDigest(writer, digest)
}

function readSource(reader: ByteReader): Source {
  const hasDigest = part.readFlag(reader)
  const stamp = part.readStamp(reader)
  return hasDigest ? { stamp, digest: part.readDigest(reader) } : { stamp }
}

function writeOutcome(writer: ByteWriter, outcome: Outcome): void {
  writer.u8(results.indexOf(outcome.result))
  if (outcome.result === 'done') part.writeEntry(writer, outcome.entry)
  // The problem's path is the outcome's: a second one would have to be checked against it.
  if (outcome.result === 'failed') writer.string(outcome.problem.code).string(outcome.problem.message)
}

function readOutcome(reader: ByteReader, path: Path): Outcome {
  const result = numbered(results, reader.u8())
  if (result === 'done') return { result, path, entry: part.readEntry(reader) }
  if (result !== 'failed') return { result, path }
  return { result, path, problem: { path, code: reader.string(), message: reader.string() } }
}

function numbered<T>(names: readonly T[], number: number): T {
  const name = names[number]
  if (name === undefined) throw new WireError(`${number} stands for nothing here`)
  return name
}
