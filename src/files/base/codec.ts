/** The binary form of what the base store keeps. */
import type { ByteReader, ByteWriter } from '../../wire/bytes.ts'
import { WireError } from '../../wire/error.ts'
import * as part from '../entry-codec.ts'
import type { EntryCodec } from '../packed.ts'
import type { BaseDirectory, BaseEntry, BaseUpdate } from './base.ts'

/** The first byte of an entry. */
export const baseKinds = { none: 0, file: 1, symlink: 2, directory: 3, executable: 4, mount: 5 } as const
/** By position: on which sides a volume is mounted. */
const mounted = ['local', 'remote', 'both'] as const
/** Bytes the smallest update takes: a path and a kind. */
const MIN_UPDATE = 3

export function writeUpdates(writer: ByteWriter, updates: readonly BaseUpdate[]): void {
  writer.varint(updates.length)
  const paths = new part.PathWriter(writer)
  for (const [path, entry] of updates) {
    paths.write(path)
    writeEntry(writer, entry)
  }
}

export function readUpdates(reader: ByteReader): BaseUpdate[] {
  const updates: BaseUpdate[] = []
  const left = reader.count(MIN_UPDATE)
  const paths = new part.PathReader(reader)
  for (let i = 0; i < left; i++) updates.push([paths.read(), readEntry(reader)])
  return updates
}

/** For a base, where nothing is null. */
export const baseEntryCodec: EntryCodec<BaseEntry> = {
  write: writeEntry,
  skipLeaf,
  read(reader) {
    const entry = readEntry(reader)
    if (entry === null) throw new WireError('nothing was written')
    return entry
  },
}

function writeEntry(writer: ByteWriter, entry: BaseEntry | null): void {
  if (entry === null) writer.u8(baseKinds.none)
  else if (entry.kind === 'directory') writeDirectory(writer, entry)
  else if (entry.kind === 'symlink') part.writeTarget(writer.u8(baseKinds.symlink), entry.target)
  else {
    writer.u8(entry.executable ? baseKinds.executable : baseKinds.file)
    part.writeDigest(writer, entry.digest)
    part.writeStamp(writer, entry.local)
    part.writeStamp(writer, entry.remote)
  }
}

function writeDirectory(writer: ByteWriter, directory: BaseDirectory): void {
  if (directory.mounted === undefined) writer.u8(baseKinds.directory)
  else writer.u8(baseKinds.mount).u8(mounted.indexOf(directory.mounted))
}

function readMount(reader: ByteReader): BaseDirectory {
  const on = mounted[reader.u8()]
  if (on === undefined) throw new WireError('a volume is mounted on no side')
  return { kind: 'directory', mounted: on }
}

function readEntry(reader: ByteReader): BaseEntry | null {
  const kind = reader.u8()
  if (kind === baseKinds.none) return null
  if (kind === baseKinds.directory) return { kind: 'directory' }
  if (kind === baseKinds.mount) return readMount(reader)
  if (kind === baseKinds.symlink) return { kind: 'symlink', target: part.readTarget(reader) }
  if (kind !== baseKinds.file && kind !== baseKinds.executable)
    throw new WireError(`${kind} is no kind of base entry`)
  const digest = part.readDigest(reader)
  const local = part.readStamp(reader)
  const remote = part.readStamp(reader)
  return { kind: 'file', digest, executable: kind === baseKinds.executable, local, remote }
}

/** Reads a leaf without making anything of it. */
function skipLeaf(reader: ByteReader): void {
  const kind = reader.u8()
  if (kind === baseKinds.symlink) part.readTarget(reader)
  else if (kind === baseKinds.file || kind === baseKinds.executable) {
    part.skipDigest(reader)
    part.skipStamp(reader)
    part.skipStamp(reader)
  } else throw new WireError(`${kind} is no kind of base leaf`)
}
