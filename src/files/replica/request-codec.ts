import { ByteReader, ByteWriter } from '../../wire/bytes.ts'
import { WireError } from '../../wire/error.ts'
import { isBlockSize, readSignature, writeSignature } from '../blocks/signature.ts'
import * as part from '../entry-codec.ts'
import { decodeRules, encodeRules, ruleFileKinds } from '../ignore/rule-set.ts'
import type { Path } from '../tree.ts'
import { kindOf, type Request } from './protocol.ts'
import type { HashRequest, ReadRequest, SignRequest } from './replica.ts'
import type { RulesToFollow } from './ruling.ts'

/** Bytes of the smallest path, and of the smallest file with its stamp. */
const MIN_PATH = 2
const MIN_FILE = 28
const kinds = ['follow', 'rescan', 'hash', 'time', 'sign'] as const satisfies readonly Request['kind'][]

export function encodeRequest(request: Request): Buffer {
  const writer = new ByteWriter().u8(kinds.indexOf(request.kind)).varint(request.id)
  if (request.kind === 'follow') writeRules(writer, request)
  else if (request.kind === 'hash') writeFiles(writer, request.files)
  else if (request.kind === 'rescan') writeScope(writer, request.paths)
  else if (request.kind === 'sign') writeSignRequest(writer, request.file)
  return writer.take()
}

export function decodeRequest(bytes: Buffer): Request {
  const reader = new ByteReader(bytes)
  const kind = kindOf(kinds, reader)
  const id = reader.varint()
  const request = readRequest(reader, kind, id)
  reader.end()
  return request
}

function readRequest(reader: ByteReader, kind: Request['kind'], id: number): Request {
  switch (kind) {
    case 'follow':
      return { kind, id, ...readRules(reader) }
    case 'hash':
      return { kind, id, files: readFiles(reader) }
    case 'time':
      return { kind, id }
    case 'sign':
      return { kind, id, file: readSignRequest(reader) }
    case 'rescan':
      return { kind, id, paths: part.readFlag(reader) ? 'all' : readPaths(reader) }
  }
}

function writeScope(writer: ByteWriter, paths: readonly Path[] | 'all'): void {
  if (paths === 'all') writer.u8(1)
  else writePaths(writer.u8(0), paths)
}

function writeRules(writer: ByteWriter, { rules, reads }: RulesToFollow): void {
  for (const kind of ruleFileKinds) writer.u8(reads.includes(kind) ? 1 : 0)
  writer.bytes(encodeRules(rules))
}

function readRules(reader: ByteReader): RulesToFollow {
  const reads = ruleFileKinds.filter(() => part.readFlag(reader))
  return { reads, rules: decodeRules(reader.bytes()) }
}

function writeSignRequest(writer: ByteWriter, { path, old, blockSize }: SignRequest): void {
  writePaths(writer, [path])
  writer.varint(blockSize).u8(old === undefined ? 0 : 1)
  if (old !== undefined) part.writeStamp(writer, old)
}

function readSignRequest(reader: ByteReader): SignRequest {
  const [path, ...others] = readPaths(reader)
  if (path === undefined || others.length > 0) throw new WireError('no single file is to be signed')
  const blockSize = reader.varint()
  if (!isBlockSize(blockSize)) throw new WireError(`blocks of ${blockSize} bytes`)
  return { path, blockSize, ...(part.readFlag(reader) ? { old: part.readStamp(reader) } : {}) }
}

export function encodeReadRequests(files: readonly ReadRequest[]): Buffer {
  const writer = new ByteWriter(16 + files.length * 96)
  writeFiles(writer, files)
  for (const { digest, signature } of files) {
    writer.u8(digest === undefined ? 0 : 1)
    if (digest !== undefined) part.writeDigest(writer, digest)
    writer.u8(signature === undefined ? 0 : 1)
    if (signature !== undefined) writeSignature(writer, signature)
  }
  return writer.take()
}

export function decodeReadRequests(bytes: Buffer): ReadRequest[] {
  const reader = new ByteReader(bytes)
  const files = readFiles(reader).map((file) => ({
    ...file,
    ...(part.readFlag(reader) ? { digest: part.readDigest(reader) } : {}),
    ...(part.readFlag(reader) ? { signature: readSignature(reader) } : {}),
  }))
  reader.end()
  return files
}

function writePaths(writer: ByteWriter, list: readonly Path[]): void {
  const paths = new part.PathWriter(writer.varint(list.length))
  for (const path of list) paths.write(path)
}

function readPaths(reader: ByteReader): Path[] {
  const paths = new part.PathReader(reader)
  return Array.from({ length: reader.count(MIN_PATH) }, () => paths.read())
}

function writeFiles(writer: ByteWriter, files: readonly HashRequest[]): void {
  const paths = new part.PathWriter(writer.varint(files.length))
  for (const { path, stamp } of files) {
    paths.write(path)
    part.writeStamp(writer, stamp)
  }
}

function readFiles(reader: ByteReader): HashRequest[] {
  const paths = new part.PathReader(reader)
  return Array.from({ length: reader.count(MIN_FILE) }, () => ({
    path: paths.read(),
    stamp: part.readStamp(reader),
  }))
}
