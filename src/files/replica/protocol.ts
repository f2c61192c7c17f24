/**
 * What the two ends of a replica say to each other. The client opens channels of a Mux on their connection:
 *
 * - one `control` channel, first of all. The client says on it what is to be ignored; before that nothing is
 *   looked at, and whenever that changes it says so again. The server sends on it, in the order in which it happened, whatever
 *   changes its tree: `delta`s (the first is the whole tree; several parts make one snapshot) and the `outcomes`
 *   of applying. That order is what lets the client hold the same tree. Answers repeat the id of their request.
 * - a `read` channel for each transfer from here: requests one way, content (see `content.ts`) the other.
 * - an `apply` channel for each transfer to here: how many operations, the operations, and then content.
 *
 * Everything is messages as of `wire/messages.ts`. Neither end trusts the other: what does not decode ends the
 * channel with an error.
 */
import { ByteReader, ByteWriter } from '../../wire/bytes.ts'
import { WireError } from '../../wire/error.ts'
import type { Signature } from '../blocks/signature.ts'
import { readFlag } from '../entry-codec.ts'
import type { FolderPart } from '../folders.ts'
import type { RuleSet } from '../ignore/rule-set.ts'
import type { Outcome, Problem } from '../operation.ts'
import type { Delta, Digest, Entry, Path } from '../tree.ts'
import type { HashRequest, Origin, ReplicaInfo, SignRequest } from './replica.ts'
import type { RulesToFollow } from './ruling.ts'

/** What a channel is for: its header. */
export type Purpose =
  | { readonly kind: 'control' }
  | { readonly kind: 'read'; readonly compresses: boolean }
  | { readonly kind: 'apply'; readonly id: number; readonly origin?: Origin }

/** From the client, on the control channel. */
export type Request =
  /** Answered like `rescan`, once a snapshot by these rules has been sent. */
  | ({ readonly kind: 'follow'; readonly id: number } & RulesToFollow)
  | { readonly kind: 'rescan'; readonly id: number; readonly paths: readonly Path[] | 'all' }
  | { readonly kind: 'hash'; readonly id: number; readonly files: readonly HashRequest[] }
  | { readonly kind: 'time'; readonly id: number }
  | { readonly kind: 'sign'; readonly id: number; readonly file: SignRequest }

/** From the server, on the control channel. */
export type Notice =
  | { readonly kind: 'info'; readonly info: ReplicaInfo }
  /** Changes of problems, null for those that are no more. Part of the snapshot whose delta follows. */
  | { readonly kind: 'problems'; readonly problems: ReadonlyMap<Path, Problem | null> }
  /** The rules of a replica that finds some by itself. Part of the snapshot whose delta follows. */
  | { readonly kind: 'rules'; readonly rules: RuleSet }
  | { readonly kind: 'delta'; readonly isLast: boolean; readonly delta: Delta }
  /** The same in another form, for the first snapshot. */
  | { readonly kind: 'folders'; readonly isLast: boolean; readonly folders: readonly FolderPart<Entry>[] }
  /** Every delta up to the end of that scan has been sent. */
  | { readonly kind: 'rescanned'; readonly id: number }
  | { readonly kind: 'hashed'; readonly id: number; readonly digests: readonly (Digest | undefined)[] }
  /** What the clock says, in milliseconds since 1970. */
  | { readonly kind: 'time'; readonly id: number; readonly time: number }
  | { readonly kind: 'signed'; readonly id: number; readonly signature: Signature }
  /** In the order of the operations. They change the tree, unless the last snapshot has it from them already. */
  | {
      readonly kind: 'outcomes'
      readonly id: number
      readonly isInTree: boolean
      readonly outcomes: readonly Outcome[]
    }
  /** Applying has ended: operations without an outcome were not carried out, for this reason. */
  | { readonly kind: 'applied'; readonly id: number; readonly reason: string }

/** From the server, on an `apply` channel: so many more bytes were taken from the node's store. */
export function encodeTaken(bytes: number): Buffer {
  return new ByteWriter(8).varint(bytes).take()
}

export function decodeTaken(message: Buffer): number {
  const reader = new ByteReader(message)
  const bytes = reader.varint()
  reader.end()
  return bytes
}

/** How many elements a message of operations, requests or of a delta has at most, to keep messages small. */
export const MESSAGE_ELEMENTS = 16_384

const purposes = ['control', 'read', 'apply'] as const satisfies readonly Purpose['kind'][]

export function encodePurpose(purpose: Purpose): Buffer {
  const writer = new ByteWriter(16).u8(purposes.indexOf(purpose.kind))
  if (purpose.kind === 'read') return writer.u8(purpose.compresses ? 1 : 0).take()
  if (purpose.kind === 'control') return writer.take()
  const { id, origin } = purpose
  writer.varint(id).u8(origin === undefined ? 0 : 1)
  if (origin !== undefined) writer.string(origin.spec).string(origin.pod).string(origin.container)
  return writer.take()
}

export function decodePurpose(bytes: Buffer): Purpose {
  const reader = new ByteReader(bytes)
  const kind = kindOf(purposes, reader)
  const purpose = purposeOf(kind, reader)
  reader.end()
  return purpose
}

function purposeOf(kind: Purpose['kind'], reader: ByteReader): Purpose {
  switch (kind) {
    case 'control':
      return { kind }
    case 'read':
      return { kind, compresses: readFlag(reader) }
    case 'apply':
      return { kind, id: reader.varint(), ...decodeOrigin(reader) }
  }
}

function decodeOrigin(reader: ByteReader): { readonly origin?: Origin } {
  if (!readFlag(reader)) return {}
  return { origin: { spec: reader.string(), pod: reader.string(), container: reader.string() } }
}

/** Reads a byte that is the position of a kind. */
export function kindOf<K extends string>(kinds: readonly K[], reader: ByteReader): K {
  const number = reader.u8()
  const kind = kinds[number]
  if (kind === undefined) throw new WireError(`${number} is no kind of message here`)
  return kind
}

/** A list in messages of a bounded size; one message at least. */
export function inMessages<T>(list: readonly T[]): (readonly T[])[] {
  if (list.length <= MESSAGE_ELEMENTS) return [list]
  return Array.from({ length: Math.ceil(list.length / MESSAGE_ELEMENTS) }, (_, i) =>
    list.slice(i * MESSAGE_ELEMENTS, (i + 1) * MESSAGE_ELEMENTS),
  )
}
