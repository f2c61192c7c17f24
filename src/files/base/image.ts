/**
 * The file a base is kept in: a header, a snapshot record, and after it a log of what changed since, each record
 * with its length and checksum. One file, so that snapshot and log cannot come apart.
 */
import { crc32 } from 'node:zlib'
import { ByteReader, ByteWriter } from '../../wire/bytes.ts'
import { WireError } from '../../wire/error.ts'
import { applyDelta } from '../delta.ts'
import { foldersIn, readFolders, treeOf, writeFolders } from '../folders.ts'
import { decodeRules, encodeRules, type RuleSet } from '../ignore/rule-set.ts'
import type { Contact } from '../mode.ts'
import type { Path } from '../tree.ts'
import type { BaseTree, BaseUpdate } from './base.ts'
import { emptyBase } from './base.ts'
import { baseEntryCodec, readUpdates, writeUpdates } from './codec.ts'
import { type Intent, readIntents, writeIntents } from './intents.ts'

/** What a base holds for; all of it is compared for equality only. */
export interface Identity {
  /** Pod UID and container id. */
  readonly container: string
  /** Device and inode. */
  readonly localRoot: string
  readonly remoteRoot: string
  /** What the remote root stands on. */
  readonly storage: string
}

export interface BaseState {
  readonly identity: Identity
  /** What holds for paths that were never agreed on. */
  readonly firstContact: Contact
  readonly tree: BaseTree
  /** What was ignored when the tree was agreed on; undefined if nobody wrote that down. */
  readonly rules?: RuleSet
}

/** What was read from a file, and how much of the file it is: what follows is of no use. */
export interface Image {
  readonly state: BaseState
  /** Those that nobody answered, as far as the file tells. */
  readonly intents: readonly Intent[]
  readonly snapshotBytes: number
  readonly length: number
}

const MAGIC = Buffer.from('ksyncbase')
/** Raised whenever the format changes. */
const VERSION = 3
const HEADER = MAGIC.length + 1
/** Length of the payload, its complement, and the payload's CRC-32, 4 bytes each. */
const FRAME = 12

const records = { snapshot: 1, updates: 2, settled: 3, rules: 4, intents: 5 } as const
/** New ones go to the end: their places are in files. */
const contacts: readonly Contact[] = ['merge', 'seed', 'over', 'local', 'remote', 'newest', 'keep-both']

export function encodeImage(state: BaseState): Buffer {
  const { identity, firstContact, tree, rules } = state
  const writer = new ByteWriter(1 << 16)
  writer.u8(records.snapshot).u8(contacts.indexOf(firstContact))
  writer.string(identity.container).string(identity.localRoot)
  writer.string(identity.remoteRoot).string(identity.storage)
  writeFolders(writer, [...foldersIn(tree, baseEntryCodec)], baseEntryCodec)
  if (rules !== undefined) writer.bytes(encodeRules(rules))
  return Buffer.concat([MAGIC, Buffer.of(VERSION), framed(writer.take())])
}

export function encodeUpdates(updates: readonly BaseUpdate[]): Buffer {
  const writer = new ByteWriter(64 + updates.length * 128)
  writer.u8(records.updates)
  writeUpdates(writer, updates)
  return framed(writer.take())
}

/** What is ignored from here on. */
export function encodeNewRules(rules: RuleSet): Buffer {
  return framed(new ByteWriter().u8(records.rules).bytes(encodeRules(rules)).take())
}

/** What is about to be sent. */
export function encodeIntents(intents: readonly Intent[]): Buffer {
  const writer = new ByteWriter(64 + intents.length * 64)
  writer.u8(records.intents)
  writeIntents(writer, intents)
  return framed(writer.take())
}

/** From here on first contact is over. */
export function encodeSettled(): Buffer {
  return framed(Buffer.of(records.settled))
}

function framed(payload: Buffer): Buffer {
  const head = Buffer.alloc(FRAME)
  head.writeUInt32LE(payload.length, 0)
  head.writeUInt32LE(~payload.length >>> 0, 4)
  head.writeUInt32LE(crc32(payload), 8)
  return Buffer.concat([head, payload])
}

/** Throws `WireError` if the file is not one of ours, of another version, or damaged. */
export function decodeImage(bytes: Buffer): Image {
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw new WireError('it is no base of kubesync')
  const version = bytes[MAGIC.length]
  if (version !== VERSION) throw new WireError(`its format is version ${version}, not ${VERSION}`)
  const snapshot = payloadAt(bytes, HEADER)
  if (snapshot === undefined) throw new WireError('its snapshot is not all there')
  const begun = readSnapshot(new ByteReader(snapshot))
  const snapshotBytes = HEADER + FRAME + snapshot.length
  const log = readLog(bytes, snapshotBytes)
  return {
    state: {
      ...begun,
      ...(log.settled && { firstContact: 'over' }),
      ...(log.rules !== undefined && { rules: log.rules }),
      tree: replay(begun.tree, log.updates),
    },
    intents: [...log.intents.values()],
    snapshotBytes,
    length: log.end,
  }
}

function replay(tree: BaseTree, updates: readonly BaseUpdate[]): BaseTree {
  try {
    return applyDelta(tree, updates) ?? emptyBase
  } catch (error) {
    throw new WireError('its paths have no directories', { cause: error })
  }
}

/**
 * The record that begins at an offset, or undefined if it is not all there: a process died while it was written, or a
 * machine lost power, which may leave zeros. Throws `WireError` if it is there and wrong.
 */
function payloadAt(bytes: Buffer, offset: number): Buffer | undefined {
  if (offset + FRAME > bytes.length) return undefined
  const length = bytes.readUInt32LE(offset)
  if ((length ^ bytes.readUInt32LE(offset + 4)) !== -1) {
    if (bytes.subarray(offset).every((byte) => byte === 0)) return undefined
    throw new WireError('the length of a record is damaged')
  }
  const start = offset + FRAME
  if (start + length > bytes.length) return undefined
  const payload = bytes.subarray(start, start + length)
  if (crc32(payload) !== bytes.readUInt32LE(offset + 8)) throw new WireError('a record is damaged')
  return payload
}

function readSnapshot(reader: ByteReader): BaseState {
  if (reader.u8() !== records.snapshot) throw new WireError('it does not begin with a snapshot')
  const firstContact = contacts[reader.u8()]
  if (firstContact === undefined) throw new WireError('it has no first contact')
  const identity: Identity = {
    container: reader.string(),
    localRoot: reader.string(),
    remoteRoot: reader.string(),
    storage: reader.string(),
  }
  const tree = treeOf(readFolders(reader, baseEntryCodec), baseEntryCodec)
  if (tree === undefined) throw new WireError('something is two things in its snapshot')
  const rules = reader.remaining > 0 ? decodeRules(reader.bytes()) : undefined
  reader.end()
  return { identity, firstContact, tree, ...(rules !== undefined && { rules }) }
}

interface Log {
  readonly updates: BaseUpdate[]
  readonly intents: ReadonlyMap<Path, Intent>
  readonly settled: boolean
  readonly rules: RuleSet | undefined
  readonly end: number
}

/**
 * Reads the log up to the first record that is not whole: a process or machine died while it was written. What
 * follows is dropped, which leaves an older base. That is safe: what both sides have agreed on since is found
 * equal on both and agreed on again, and what one side changed since becomes, at worst, a conflict or comes back. Only a
 * removal must not be forgotten, or the same file made anew would look as if it had been left by mistake: the store
 * waits until those are on the disk.
 */
function readLog(bytes: Buffer, start: number): Log {
  const updates: BaseUpdate[] = []
  const intents = new Map<Path, Intent>()
  let settled = false
  let rules: RuleSet | undefined
  let end = start
  for (let payload = payloadAt(bytes, end); payload !== undefined; payload = payloadAt(bytes, end)) {
    const reader = new ByteReader(payload)
    const record = reader.u8()
    if (record === records.updates) {
      for (const update of readUpdates(reader)) {
        updates.push(update)
        intents.delete(update[0])
      }
    } else if (record === records.intents) readInto(intents, reader)
    else if (record === records.settled) settled = true
    else if (record === records.rules) rules = decodeRules(reader.bytes())
    else throw new WireError(`it has a record of kind ${record}`)
    reader.end()
    end += FRAME + payload.length
  }
  return { updates, intents, settled, rules, end }
}

/** An empty record says that there are none any more. */
function readInto(intents: Map<Path, Intent>, reader: ByteReader): void {
  const read = readIntents(reader)
  if (read.length === 0) intents.clear()
  for (const intent of read) intents.set(intent.path, intent)
}
