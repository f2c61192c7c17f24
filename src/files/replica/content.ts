/**
 * The content of files as it travels from one replica to another: messages (see `wire/messages.ts`), each a
 * sequence of records. Of each file that was asked for, in that order, there are any number of chunks and then
 * one record that says how it ended. Small files share messages, so nothing is paid by the file. Between machines
 * messages are compressed (see `packing.ts`) unless the line is quick (see `thrift.ts`).
 *
 * | record  | fields                        | meaning                                               |
 * |---------|-------------------------------|-------------------------------------------------------|
 * | CHUNK   | size u32, bytes               | the next bytes of the file                            |
 * | COPY    | basis u8, from, size varint   | the next bytes are some that the receiver has         |
 * | STORED  | position, size varint         | the same, but the receiver has them in its node's store |
 * | KEY     | key, 16 bytes                 | first of all: what follows is checked by its tag      |
 * | TAG     | tag, 16 bytes                 | after a KEY: the file may be published, and the END   |
 * |         |                               | comes when the digest is known (see `Tagging`)        |
 * | END     | digest, 32 bytes              | that was all of it; of what was sent                  |
 * | CHANGED |                               | the file is not what was asked for, or did not stay so |
 * | FAILED  | code string, message string   | the file cannot be read                               |
 */
import type { Writable } from 'node:stream'
import { ByteReader, ByteWriter } from '../../wire/bytes.ts'
import { WireError } from '../../wire/error.ts'
import { writeMessage } from '../../wire/messages.ts'
import { type Basis, bases } from '../blocks/matcher.ts'
import type { Digest } from '../tree.ts'
import { TAG_SIZE } from './hash.ts'
import { PLAIN_HEAD, pack, plain, unpack } from './packing.ts'
import type { Refusal } from './refusal.ts'
import { Thrift } from './thrift.ts'

const CHUNK = 1
const END = 2
const CHANGED = 3
const FAILED = 4
const COPY = 5
const STORED = 6
const KEY = 7
const TAG = 8

const NOTHING = Buffer.alloc(0)
const CHUNK_HEAD = 5
const STORED_SIZE = 17
const DIGEST_SIZE = 32
const END_SIZE = 1 + DIGEST_SIZE
/** Bytes of a message, unless a problem in it is very long. */
const MESSAGE_SIZE = 256 * 1024
/** The largest message a receiver takes. */
export const MAX_CONTENT_MESSAGE = 2 * MESSAGE_SIZE
/** No file up to this size is cut. */
export const WHOLE_SIZE = 128 * 1024
/** What always fits into an empty message. */
export const MAX_CHUNK = MESSAGE_SIZE - PLAIN_HEAD - CHUNK_HEAD - END_SIZE

/** Packs records into messages. Files are read straight into them. */
export class ContentWriter {
  private readonly stream: Writable
  private readonly thrift: Thrift | undefined
  private message: Buffer = NOTHING
  /** Bytes of the message that is being filled; none but its head if there is none. */
  private size = PLAIN_HEAD

  constructor(stream: Writable, compresses = false) {
    this.stream = stream
    this.thrift = compresses ? new Thrift() : undefined
  }

  /** Whether a chunk of this size, and the end of its file, fit into the message that is being filled. */
  hasRoom(size: number): boolean {
    return this.isEmpty || this.size + CHUNK_HEAD + size + END_SIZE <= MESSAGE_SIZE
  }

  /** Where to put the bytes of the next chunk; nothing is sent of it until it is confirmed. */
  chunk(size: number): Buffer {
    this.begin()
    const start = this.size + CHUNK_HEAD
    return this.message.subarray(start, start + size)
  }

  confirm(chunk: Buffer): void {
    this.message[this.size] = CHUNK
    this.message.writeUInt32LE(chunk.length, this.size + 1)
    this.size += CHUNK_HEAD + chunk.length
  }

  copy({ basis, from, length }: Copy): void {
    this.add(new ByteWriter().u8(COPY).u8(bases.indexOf(basis)).varint(from).varint(length).take())
  }

  stored({ at, size }: Stored): void {
    this.add(new ByteWriter(STORED_SIZE).u8(STORED).varint(at).varint(size).take())
  }

  key(key: Buffer): void {
    this.add(new ByteWriter().u8(KEY).raw(key).take())
  }

  tag(tag: Buffer): void {
    this.add(new ByteWriter().u8(TAG).raw(tag).take())
  }

  end(digest: Digest): void {
    this.add(new ByteWriter(END_SIZE).u8(END).latin1(digest).take())
  }

  changed(): void {
    this.add(Buffer.of(CHANGED))
  }

  failed({ code, message }: Refusal): void {
    this.add(new ByteWriter().u8(FAILED).string(code).string(message).take())
  }

  /** Sends what there is; resolves when the other end wants more. */
  flush(): Promise<void> {
    if (this.isEmpty) return Promise.resolve()
    const message = this.message.subarray(0, this.size)
    this.size = PLAIN_HEAD
    const packed = this.thrift?.isOn ? pack(message) : plain(message)
    if (packed === message) this.message = NOTHING
    const written = writeMessage(this.stream, packed)
    if (this.thrift === undefined) return written
    return written.then(() => this.thrift?.sent(message.length))
  }

  private get isEmpty(): boolean {
    return this.size === PLAIN_HEAD
  }

  private begin(): void {
    if (this.message.length === 0) this.message = Buffer.allocUnsafeSlow(MESSAGE_SIZE)
  }

  private add(record: Buffer): void {
    this.begin()
    if (this.size + record.length > this.message.length) {
      this.message = Buffer.concat([this.message.subarray(0, this.size), record], MAX_CONTENT_MESSAGE)
    } else {
      record.copy(this.message, this.size)
    }
    this.size += record.length
  }
}

/** Bytes of a file of the receiver. */
export interface Copy {
  readonly basis: Basis
  readonly from: number
  readonly length: number
}

/** Where bytes are in the store of a node. */
export interface Stored {
  readonly at: number
  readonly size: number
}

/** What is in a store at a place, by now: maybe something else. */
export type LoadStored = (stored: Stored) => Buffer

export type ContentRecord =
  | { readonly kind: 'chunk'; readonly bytes: Buffer; readonly isStored?: true }
  | ({ readonly kind: 'stored' } & Stored)
  | ({ readonly kind: 'copy' } & Copy)
  | { readonly kind: 'key'; readonly key: Buffer }
  | { readonly kind: 'tag'; readonly tag: Buffer }
  | { readonly kind: 'end'; readonly digest: Digest }
  | { readonly kind: 'changed' }
  | { readonly kind: 'failed'; readonly problem: Refusal }

/** Takes records out of messages. Throws WireError for what no ContentWriter wrote. */
export class ContentReader {
  private readonly messages: AsyncIterator<Buffer>
  private readonly load: LoadStored
  private records: ContentRecord[] = []
  private position = 0

  constructor(messages: AsyncIterator<Buffer>, load: LoadStored = noStore) {
    this.messages = messages
    this.load = load
  }

  /** The next file, if all of it is here already: taken out together, and without waiting. */
  takeWhole(): WholeFile | undefined {
    const first = this.records[this.position]
    if (first?.kind === 'end') {
      this.position += 1
      return { bytes: undefined, digest: first.digest, isStored: false }
    }
    const second = this.records[this.position + 1]
    if ((first?.kind !== 'chunk' && first?.kind !== 'stored') || second?.kind !== 'end') return undefined
    this.position += 2
    const isStored = first.kind === 'stored'
    return { bytes: isStored ? this.load(first) : first.bytes, digest: second.digest, isStored }
  }

  /** The next record, with what is stored as a chunk; rejects with WireError if there is none. */
  async next(): Promise<Exclude<ContentRecord, { kind: 'stored' }>> {
    for (;;) {
      await this.wait()
      const record = this.records[this.position++]
      if (record?.kind === 'stored') return { kind: 'chunk', bytes: this.load(record), isStored: true }
      if (record !== undefined) return record
    }
  }

  /** Waits until `takeWhole` may have something. */
  async wait(): Promise<void> {
    while (this.position >= this.records.length) {
      const message = await this.messages.next()
      if (message.done) throw new WireError('there is less content than files')
      this.records = decodeRecords(message.value)
      this.position = 0
    }
  }
}

interface WholeFile {
  readonly bytes: Buffer | undefined
  readonly digest: Digest
  readonly isStored: boolean
}

function noStore(): never {
  throw new WireError('there is no store here')
}

/** Takes a message apart. Throws WireError for what no ContentWriter wrote. */
export function decodeRecords(message: Buffer): ContentRecord[] {
  const reader = new ByteReader(unpack(message, MAX_CONTENT_MESSAGE))
  const records: ContentRecord[] = []
  while (reader.remaining > 0) records.push(decodeRecord(reader))
  return records
}

function decodeRecord(reader: ByteReader): ContentRecord {
  const type = reader.u8()
  switch (type) {
    case CHUNK:
      return { kind: 'chunk', bytes: reader.raw(reader.u32()) }
    case COPY:
      return { kind: 'copy', basis: basisOf(reader.u8()), from: reader.varint(), length: reader.varint() }
    case STORED:
      return decodeStored(reader)
    case KEY:
      return { kind: 'key', key: Buffer.from(reader.raw(TAG_SIZE)) }
    case TAG:
      return { kind: 'tag', tag: Buffer.from(reader.raw(TAG_SIZE)) }
    case END:
      return { kind: 'end', digest: reader.latin1(DIGEST_SIZE) }
    case CHANGED:
      return { kind: 'changed' }
    case FAILED:
      return { kind: 'failed', problem: { code: reader.string(), message: reader.string() } }
    default:
      throw new WireError(`${type} is no record of content`)
  }
}

function basisOf(number: number): Basis {
  const basis = bases[number]
  if (basis === undefined) throw new WireError(`${number} is nothing that a receiver has`)
  return basis
}

function decodeStored(reader: ByteReader): ContentRecord {
  const at = reader.varint()
  const size = reader.varint()
  if (size > MAX_CHUNK) throw new WireError(`a piece of ${size} bytes`)
  return { kind: 'stored', at, size }
}
