import { WireError } from '../../wire/error.ts'
import type { Outcome } from '../operation.ts'
import { parentOf } from '../path.ts'
import { type Bin, type Keep, noBin } from '../trash/bin.ts'
import type { Digest } from '../tree.ts'
import { Bases } from './bases.ts'
import type { ContentReader, ContentRecord } from './content.ts'
import type { DirCursor } from './dir-cursor.ts'
import { digestOf, Hashing } from './hash.ts'
import { Incoming, type Put } from './incoming.ts'
import { MIN_PARTIAL, MIN_RESUMED } from './partial.ts'
import { attempt, attemptTo, digestAt, type Place, placeOf } from './place.ts'
import { problemAt, type Refusal } from './refusal.ts'
import type { Site } from './site.ts'

const NOTHING = Buffer.alloc(0)
const WRITTEN_IN_PLACE: Refusal = {
  code: 'WRITTEN_IN_PLACE',
  message: 'is a mount of its own, so it is written to and not replaced: a reader may see half of a change',
}
const DAMAGED: Refusal = { code: 'CONTENT_DAMAGED', message: 'arrived with another content than was sent' }

export interface ReceivingOptions {
  readonly site: Site
  readonly cursor: DirCursor
  /** The content of the puts, in their order. */
  readonly content: ContentReader
  /** Takes what is replaced. */
  readonly bin: Bin
}

/** A file whose content arrives bit by bit. */
interface Arrival {
  readonly put: Put
  readonly bases: Bases
  readonly hashing: Hashing
  /** Bytes that are here. */
  size: number
  incoming: Incoming | undefined
}

type Part = Extract<ContentRecord, { kind: 'chunk' | 'copy' }>

/** Writes files whose content arrives. */
export class Receiving {
  private readonly site: Site
  private readonly cursor: DirCursor
  private readonly content: ContentReader
  private readonly bin: Bin

  constructor({ site, cursor, content, bin }: ReceivingOptions) {
    this.site = site
    this.cursor = cursor
    this.content = content
    this.bin = bin
  }

  /** Writes the next file, if its content is here already; undefined if it is not. */
  putWhole(put: Put): Outcome | undefined {
    const whole = this.content.takeWhole()
    if (whole === undefined) return undefined
    const { bytes = NOTHING, digest } = whole
    if (isDamaged(put, bytes.length, digestOf(bytes) === digest)) return failed(put, DAMAGED)
    let incoming: Incoming | undefined
    let place: Place | undefined
    try {
      return attempt(put.path, () => {
        place = placeOf(this.site, this.cursor, put)
        incoming = new Incoming(place.dir, place.name, put)
        incoming.write(bytes)
        return this.publish(place, incoming, { put, digest })
      })
    } finally {
      incoming?.discard(place?.dir)
    }
  }

  /** Writes the next file as its content arrives. Rejects when that fails. */
  async put(put: Put): Promise<Outcome> {
    // While something is awaited, directories may be moved.
    this.cursor.release()
    await this.content.wait()
    return this.putWhole(put) ?? (await this.putInChunks(put))
  }

  private async putInChunks(put: Put): Promise<Outcome> {
    const bases = new Bases(this.site, this.cursor, put)
    const arrival: Arrival = { put, bases, hashing: new Hashing(), size: 0, incoming: undefined }
    let isCut = true
    try {
      const outcome = await this.arrive(arrival)
      isCut = outcome.result === 'source-changed'
      return outcome
    } finally {
      bases.close()
      this.discard(arrival, isCut)
    }
  }

  private async arrive(arrival: Arrival): Promise<Outcome> {
    const { put, hashing } = arrival
    let refused: Outcome | undefined
    for (;;) {
      this.cursor.release()
      const part = await this.content.next()
      if (part.kind === 'changed') return { result: 'source-changed', path: put.path }
      if (part.kind === 'failed') return failed(put, elsewhere(part.problem))
      if (part.kind === 'end') {
        const { digest } = part
        return refused ?? this.finish(arrival, hashing.digest() === digest, digest)
      }
      arrival.size += part.kind === 'copy' ? part.length : part.bytes.length
      if (arrival.size > put.source.stamp.size)
        throw new WireError('a file has more content than was announced')
      if (refused === undefined) refused = await this.add(arrival, part)
      // At once: the rest, which has to be taken off the stream, may be long, and what filled a disk is not to stay.
      if (refused !== undefined) this.discard(arrival, false)
    }
  }

  private add(arrival: Arrival, part: Part): Promise<Outcome | undefined> | Outcome | undefined {
    const { put, bases, hashing } = arrival
    const write = (bytes: Uint8Array) => {
      hashing.update(bytes)
      arrival.incoming ??= this.begin(put)
      arrival.incoming.write(bytes)
    }
    const share = () => {
      const isWorthIt = put.source.stamp.size >= MIN_RESUMED && arrival.size >= MIN_PARTIAL
      if (isWorthIt && arrival.incoming?.isShared === false && arrival.size > bases.stagedSize)
        arrival.incoming.share(placeOf(this.site, this.cursor, put).dir)
      return undefined
    }
    if (part.kind === 'copy') {
      return attemptTo(put.path, () => bases.copy(part, write).then(share))
    }
    return attempt(put.path, () => {
      write(part.bytes)
      return share()
    })
  }

  private finish(arrival: Arrival, isSame: boolean, digest: Digest): Outcome {
    const { put, bases, size } = arrival
    if (isDamaged(put, size, isSame)) {
      // The next time all of it is sent.
      return bases.areUsed ? { result: 'stale', path: put.path } : failed(put, DAMAGED)
    }
    return attempt(put.path, () => {
      arrival.incoming ??= this.begin(put)
      return this.publish(placeOf(this.site, this.cursor, put), arrival.incoming, { put, digest })
    })
  }

  private begin(put: Put): Incoming {
    const { dir, name } = placeOf(this.site, this.cursor, put)
    return new Incoming(dir, name, put)
  }

  private discard(arrival: Arrival, keepsShared: boolean): void {
    const { put, incoming } = arrival
    arrival.incoming = undefined
    if (incoming === undefined) return
    attempt(put.path, () => {
      incoming.discard(undefined)
      // Also where it is ignored by now.
      incoming.discard(this.cursor.open(this.site.root?.dir, parentOf(put.path)), keepsShared)
      return undefined
    })
  }

  private publish(
    place: Place,
    incoming: Incoming,
    { put, digest }: { readonly put: Put; readonly digest: Digest },
  ): Outcome {
    const { path } = place
    const before = digestAt(place, put.expect)
    // What comes back with a new time only is no other version.
    const bin = before === digest ? noBin : this.bin
    const keep: Keep = (taken) => bin.keep({ ...taken, path, digest: before })
    const { entry: written, inPlace } = incoming.publish(place.dir, keep)
    const entry = { ...written, digest }
    const found = inPlace ? { entry, problem: WRITTEN_IN_PLACE } : { entry }
    const { holding } = this.site
    holding.changeQuietly(() => holding.setLeaf(place.folder, place.name, found))
    return { result: 'done', path, entry }
  }
}

function isDamaged(put: Put, size: number, isIntact: boolean): boolean {
  return size !== put.source.stamp.size || !isIntact
}

function failed({ path }: Put, problem: Refusal): Outcome {
  return { result: 'failed', path, problem: problemAt(path, problem) }
}

function elsewhere({ code, message }: Refusal): Refusal {
  return { code, message: `${message} (on the side it comes from)` }
}
