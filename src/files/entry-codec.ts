import type { ByteReader, ByteWriter } from '../wire/bytes.ts'
import { WireError } from '../wire/error.ts'
import type { EntryCodec } from './packed.ts'
import { badPath } from './path.ts'
import type { Digest, DirectoryEntry, Entry, FileEntry, Path, Stamp } from './tree.ts'

const DIGEST_BYTES = 32
/** Bytes of a stamp's times and inode. */
const STAMP_TIMES = 24
/** UTF-16 units. No system has longer links. */
const MAX_TARGET = 65_536
const MAX_MODE = 0xffff_ffff

/** The first byte of an entry; the bits above the kind are flags of a file, or of a directory. */
const kinds = { none: 0, file: 1, symlink: 2, directory: 3, opaque: 4 } as const
const KIND_MASK = 7
const EXECUTABLE = 8
const HAS_DIGEST = 16
const HAS_IGNORED = 8
const IS_MOUNT = 16

/** The first byte of a leaf whose digest nobody asked for. */
export const leafKinds = {
  file: kinds.file,
  program: kinds.file | EXECUTABLE,
  symlink: kinds.symlink,
} as const

/** Writes a list of paths, each without the directory it shares with the one before. */
export class PathWriter {
  private readonly writer: ByteWriter
  private last = ''

  constructor(writer: ByteWriter) {
    this.writer = writer
  }

  write(path: Path): void {
    const shared = sharedDirectory(this.last, path)
    this.writer.varint(shared).string(path.slice(shared))
    this.last = path
  }
}

/** Reads what a PathWriter wrote, and nothing that leads out of the root. */
export class PathReader {
  private readonly reader: ByteReader
  private last = ''

  constructor(reader: ByteReader) {
    this.reader = reader
  }

  read(): Path {
    const shared = this.reader.varint()
    if (shared > this.last.length) throw new WireError('a path shares more than there was')
    const path = this.last.slice(0, shared) + this.reader.string()
    const reason = badPath(path)
    if (reason !== undefined) throw new WireError(reason)
    this.last = path
    return path
  }
}

/** Length of what two paths have in common up to and with a slash, so that no character is torn. */
function sharedDirectory(a: Path, b: Path): number {
  const end = Math.min(a.length, b.length)
  let shared = 0
  for (let i = 0; i < end; i++) {
    const code = a.charCodeAt(i)
    if (code !== b.charCodeAt(i)) break
    if (code === 47) shared = i + 1
  }
  return shared
}

export function writeStamp(writer: ByteWriter, stamp: Stamp): void {
  writer.f64(stamp.mtimeMs).f64(stamp.ctimeMs)
  // Some filesystems number beyond 2^53: Node gives the nearest double, which no varint holds.
  writer.f64(stamp.ino).varint(stamp.size).varint(stamp.mode)
}

export function readStamp(reader: ByteReader): Stamp {
  const stamp = {
    mtimeMs: reader.f64(),
    ctimeMs: reader.f64(),
    ino: reader.f64(),
    size: reader.varint(),
    mode: reader.varint(),
  }
  checkStamp(stamp.mtimeMs + stamp.ctimeMs + stamp.ino, stamp.mode)
  return stamp
}

/** Reads a stamp from both: whether it is the same. If it is not, there is no telling where they stand. */
export function sameStampNext(one: ByteReader, other: ByteReader): boolean {
  return (
    one.sameNext(other, STAMP_TIMES) && one.varint() === other.varint() && one.varint() === other.varint()
  )
}

/** Reads a stamp without making anything of it. */
export function skipStamp(reader: ByteReader): void {
  const sum = reader.f64() + reader.f64() + reader.f64()
  reader.varint()
  checkStamp(sum, reader.varint())
}

function checkStamp(sum: number, mode: number): void {
  if (!Number.isFinite(sum)) throw new WireError('a stamp is no number')
  if (mode > MAX_MODE) throw new WireError('a stamp has no mode')
}

export function writeDigest(writer: ByteWriter, digest: Digest): void {
  writer.latin1(digest)
}

/** Reads a digest without making anything of it. */
export function skipDigest(reader: ByteReader): void {
  reader.skip(DIGEST_BYTES)
}

export function readDigest(reader: ByteReader): Digest {
  return reader.latin1(DIGEST_BYTES)
}

export function writeTarget(writer: ByteWriter, target: string): void {
  writer.string(target)
}

/** The target of a symlink: anything a system could hold, wherever it leads. */
export function readTarget(reader: ByteReader): string {
  const target = reader.string()
  if (target === '' || target.length > MAX_TARGET || target.includes('\0')) {
    throw new WireError('a symlink has a target that cannot be')
  }
  return target
}

/** A byte that must be 0 or 1. */
export function readFlag(reader: ByteReader): boolean {
  const value = reader.u8()
  if (value > 1) throw new WireError(`${value} where 0 or 1 was expected`)
  return value === 1
}

/** An entry, or null for none. */
export function writeEntry(writer: ByteWriter, entry: Entry | null): void {
  if (entry === null) {
    writer.u8(kinds.none)
    return
  }
  if (entry.kind === 'file') {
    writeFile(writer, entry)
    return
  }
  writer.u8(kinds[entry.kind] | (entry.kind === 'directory' ? flagsOf(entry) : 0))
  if (entry.kind === 'opaque') {
    writer.string(entry.reason)
    return
  }
  writeStamp(writer, entry.stamp)
  if (entry.kind === 'symlink') writeTarget(writer, entry.target)
}

function flagsOf({ hasIgnored, isMount }: DirectoryEntry): number {
  return (hasIgnored ? HAS_IGNORED : 0) | (isMount ? IS_MOUNT : 0)
}

function writeFile(writer: ByteWriter, { executable, stamp, digest }: FileEntry): void {
  writer.u8(kinds.file | (executable ? EXECUTABLE : 0) | (digest === undefined ? 0 : HAS_DIGEST))
  writeStamp(writer, stamp)
  if (digest !== undefined) writeDigest(writer, digest)
}

export function readEntry(reader: ByteReader): Entry | null {
  const first = reader.u8()
  if ((first & KIND_MASK) === kinds.file) return readFile(reader, first)
  if (first === kinds.none) return null
  if (first === kinds.opaque) return { kind: 'opaque', reason: reader.string() }
  if ((first & ~(HAS_IGNORED | IS_MOUNT)) === kinds.directory) return readDirectory(reader, first)
  if (first !== kinds.symlink) throw new WireError(`${first} is no kind of entry`)
  const stamp = readStamp(reader)
  return { kind: 'symlink', target: readTarget(reader), stamp }
}

function readDirectory(reader: ByteReader, first: number): DirectoryEntry {
  const stamp = readStamp(reader)
  return {
    ...{ kind: 'directory', stamp },
    ...((first & HAS_IGNORED) !== 0 && { hasIgnored: true }),
    ...((first & IS_MOUNT) !== 0 && { isMount: true }),
  }
}

function readFile(reader: ByteReader, first: number): FileEntry {
  if (first > (kinds.file | EXECUTABLE | HAS_DIGEST)) throw new WireError(`${first} is no kind of entry`)
  const executable = (first & EXECUTABLE) !== 0
  const stamp = readStamp(reader)
  if ((first & HAS_DIGEST) === 0) return { kind: 'file', executable, stamp }
  return { kind: 'file', executable, stamp, digest: readDigest(reader) }
}

/** Reads a leaf without making anything of it. */
function skipLeaf(reader: ByteReader): void {
  const first = reader.u8()
  if (first === kinds.opaque) reader.string()
  else if (first === kinds.symlink) {
    skipStamp(reader)
    readTarget(reader)
  } else if ((first & KIND_MASK) === kinds.file && first <= (kinds.file | EXECUTABLE | HAS_DIGEST)) {
    skipStamp(reader)
    if ((first & HAS_DIGEST) !== 0) skipDigest(reader)
  } else throw new WireError(`${first} is no kind of leaf`)
}

/** For trees, where nothing is null. */
export const entryCodec: EntryCodec<Entry> = {
  write: writeEntry,
  skipLeaf,
  read(reader) {
    const entry = readEntry(reader)
    if (entry === null) throw new WireError('nothing was written')
    return entry
  },
}
