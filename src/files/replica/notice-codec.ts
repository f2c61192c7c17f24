import { ByteReader, ByteWriter } from '../../wire/bytes.ts'
import { WireError } from '../../wire/error.ts'
import { readSignature, writeSignature } from '../blocks/signature.ts'
import { decodeDelta, decodeOutcomes, encodeDelta, encodeOutcomes } from '../codec.ts'
import * as part from '../entry-codec.ts'
import { readFolders, writeFolders } from '../folders.ts'
import { decodeRules, encodeRules } from '../ignore/rule-set.ts'
import type { Problem } from '../operation.ts'
import type { Path } from '../tree.ts'
import { kindOf, MESSAGE_ELEMENTS, type Notice } from './protocol.ts'
import type { ReplicaInfo } from './replica.ts'

/** Bytes of the smallest problem, digest and path. */
const MIN_PROBLEM = 3
const MIN_DIGEST = 1
const MIN_PATH = 2
const storages = ['local', 'container', 'volume'] as const satisfies readonly ReplicaInfo['storage']['kind'][]
const kinds = [
  'info',
  'problems',
  'rules',
  'delta',
  'rescanned',
  'hashed',
  'time',
  'outcomes',
  'applied',
  'signed',
  'folders',
] as const satisfies readonly Notice['kind'][]

export function encodeNotice(notice: Notice): Buffer {
  const writer = new ByteWriter().u8(kinds.indexOf(notice.kind))
  write(writer, notice)
  return writer.take()
}

function write(writer: ByteWriter, notice: Notice): unknown {
  switch (notice.kind) {
    case 'info':
      return writeInfo(writer, notice.info)
    case 'problems':
      return writeProblems(writer, notice.problems)
    case 'rules':
      return writer.raw(encodeRules(notice.rules))
    case 'delta':
      return writer.u8(notice.isLast ? 1 : 0).raw(encodeDelta(notice.delta))
    case 'folders':
      return writeFolders(writer.u8(notice.isLast ? 1 : 0), notice.folders, part.entryCodec)
    case 'rescanned':
      return writer.varint(notice.id)
    case 'hashed':
      return writeDigests(writer.varint(notice.id), notice.digests)
    case 'time':
      return writer.varint(notice.id).f64(notice.time)
    case 'outcomes':
      return writer
        .varint(notice.id)
        .u8(notice.isInTree ? 1 : 0)
        .raw(encodeOutcomes(notice.outcomes))
    case 'applied':
      return writer.varint(notice.id).string(notice.reason)
    case 'signed':
      return writeSignature(writer.varint(notice.id), notice.signature)
  }
}

export function decodeNotice(bytes: Buffer): Notice {
  const reader = new ByteReader(bytes)
  const notice = read(reader, kindOf(kinds, reader))
  reader.end()
  return notice
}

function read(reader: ByteReader, kind: Notice['kind']): Notice {
  switch (kind) {
    case 'info':
      return { kind, info: readInfo(reader) }
    case 'problems':
      return { kind, problems: readProblems(reader) }
    case 'rules':
      return { kind, rules: decodeRules(reader.raw(reader.remaining)) }
    case 'delta':
      return { kind, isLast: part.readFlag(reader), delta: decodeDelta(reader.raw(reader.remaining)) }
    case 'folders':
      return {
        kind,
        isLast: part.readFlag(reader),
        folders: readFolders(reader, part.entryCodec, MESSAGE_ELEMENTS),
      }
    case 'rescanned':
      return { kind, id: reader.varint() }
    case 'hashed':
      return { kind, id: reader.varint(), digests: readDigests(reader) }
    case 'time':
      return { kind, id: reader.varint(), time: readTime(reader) }
    case 'outcomes':
      return readOutcomes(reader, kind)
    case 'applied':
      return { kind, id: reader.varint(), reason: reader.string() }
    case 'signed':
      return { kind, id: reader.varint(), signature: readSignature(reader) }
  }
}

function readTime(reader: ByteReader): number {
  const time = reader.f64()
  if (!Number.isFinite(time)) throw new WireError('a time is no number')
  return time
}

function readOutcomes(reader: ByteReader, kind: 'outcomes'): Notice {
  const id = reader.varint()
  const isInTree = part.readFlag(reader)
  return { kind, id, isInTree, outcomes: decodeOutcomes(reader.raw(reader.remaining)) }
}

function writeInfo(writer: ByteWriter, { root, storage, uid, gid, readOnly }: ReplicaInfo): void {
  writer.f64(root.dev).f64(root.ino)
  writer.u8(storages.indexOf(storage.kind)).string(storage.id)
  const { volumes = [] } = storage
  const paths = new part.PathWriter(writer.varint(volumes.length))
  for (const path of volumes) paths.write(path)
  writer
    .varint(uid)
    .varint(gid)
    .u8(readOnly === undefined ? 0 : 1)
  if (readOnly !== undefined) writer.string(readOnly)
}

function readInfo(reader: ByteReader): ReplicaInfo {
  const root = { dev: reader.f64(), ino: reader.f64() }
  if (!Number.isFinite(root.dev + root.ino)) throw new WireError('a root has no number')
  return {
    root,
    storage: { kind: kindOf(storages, reader), id: reader.string(), ...readVolumes(reader) },
    uid: reader.varint(),
    gid: reader.varint(),
    readOnly: part.readFlag(reader) ? reader.string() : undefined,
  }
}

function readVolumes(reader: ByteReader): { volumes?: readonly Path[] } {
  const paths = new part.PathReader(reader)
  const volumes = Array.from({ length: reader.count(MIN_PATH) }, () => paths.read())
  return volumes.length === 0 ? {} : { volumes }
}

function writeProblems(writer: ByteWriter, problems: ReadonlyMap<Path, Problem | null>): void {
  const paths = new part.PathWriter(writer.varint(problems.size))
  for (const [path, problem] of problems) {
    paths.write(path)
    writer.u8(problem === null ? 0 : 1)
    if (problem !== null) writer.string(problem.code).string(problem.message)
  }
}

function readProblems(reader: ByteReader): Map<Path, Problem | null> {
  const paths = new part.PathReader(reader)
  const problems = new Map<Path, Problem | null>()
  for (let left = reader.count(MIN_PROBLEM); left > 0; left--) {
    const path = paths.read()
    const problem = part.readFlag(reader) ? { path, code: reader.string(), message: reader.string() } : null
    problems.set(path, problem)
  }
  return problems
}

function writeDigests(writer: ByteWriter, digests: readonly (string | undefined)[]): void {
  writer.varint(digests.length)
  for (const digest of digests) {
    writer.u8(digest === undefined ? 0 : 1)
    if (digest !== undefined) part.writeDigest(writer, digest)
  }
}

function readDigests(reader: ByteReader): (string | undefined)[] {
  return Array.from({ length: reader.count(MIN_DIGEST) }, () =>
    part.readFlag(reader) ? part.readDigest(reader) : undefined,
  )
}
