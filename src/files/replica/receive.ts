import { concernsVolume, type Outcome } from '../operation.ts'
import { type Bin, type Keep, noBin } from '../trash/bin.ts'
import { type Digest, withDigest } from '../tree.ts'
import { Arrival, type Part } from './arrival.ts'
import { adorn, type Made } from './attributes.ts'
import type { ContentReader } from './content.ts'
import type { DirCursor } from './dir-cursor.ts'
import { digestOf } from './hash.ts'
import { Incoming, type Put } from './incoming.ts'
import { attempt, digestAt, type Place, placeOf, type Staged } from './place.ts'
import { problemAt, type Refusal } from './refusal.ts'
import { signAhead } from './sign.ts'
import type { Site } from './site.ts'
import { vouched } from './vouched.ts'

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
  /** The directory that is being filled beside its place, while there is one. */
  readonly staged: () => Staged | undefined
}

/** Writes files whose content arrives. */
export class Receiving {
  private readonly site: Site
  private readonly cursor: DirCursor
  private readonly content: ContentReader
  private readonly bin: Bin
  private readonly staged: () => Staged | undefined

  constructor({ site, cursor, content, bin, staged }: ReceivingOptions) {
    this.site = site
    this.cursor = cursor
    this.content = content
    this.bin = bin
    this.staged = staged
  }

  /** Writes the next file, if its content is here already; undefined if it is not. */
  putWhole(put: Put): Outcome | undefined {
    const whole = this.content.takeWhole()
    if (whole === undefined) return undefined
    const { bytes = NOTHING, digest, isStored } = whole
    const isIntact = bytes.length === put.source.stamp.size && digestOf(bytes) === digest
    if (!isIntact) return damaged(put, isStored)
    let incoming: Incoming | undefined
    let place: Place | undefined
    try {
      return attempt(put.path, () => {
        place = placeOf({ site: this.site, cursor: this.cursor, staged: this.staged() }, put)
        incoming = new Incoming(place, put)
        incoming.write(bytes)
        return this.publish(place, incoming, { put, digest })
      })
    } finally {
      incoming?.discard(place?.dir)
    }
  }

  /** Writes the next file as its content arrives. Rejects when that fails. */
  async put(put: Put): Promise<Outcome> {
    // While something is awaited, directories may be moved, but for one that nobody knows yet.
    if (this.staged() === undefined) this.cursor.release()
    await this.content.wait()
    return this.putWhole(put) ?? (await this.putInChunks(put))
  }

  /** Writes a file with the content of another one. What goes wrong makes it stale: sent, it may go well. */
  async putCopy(put: Put): Promise<Outcome> {
    const { digest = '', stamp } = put.source
    const arrival = new Arrival(this.site, this.cursor, put)
    try {
      const all: Part = { kind: 'copy', basis: 'original', from: 0, length: stamp.size }
      arrival.expect(all)
      const outcome = (await arrival.add(all)) ?? this.finish(arrival, put, digest)
      if (outcome.result === 'done') return outcome
      if (put.original !== undefined) this.site.suspect(put.original.path)
      return { result: 'stale', path: put.path }
    } finally {
      arrival.discard(false)
    }
  }

  private async putInChunks(put: Put): Promise<Outcome> {
    const arrival = new Arrival(this.site, this.cursor, put)
    let isCut = true
    try {
      const outcome = await this.arrive(arrival, put)
      isCut = outcome.result === 'source-changed'
      // What has had two versions will have a third.
      if (put.expect !== 'absent' && outcome.result === 'done' && outcome.entry?.kind === 'file') {
        void signAhead(this.site, { path: put.path, stamp: outcome.entry.stamp })
      }
      return outcome
    } finally {
      arrival.discard(isCut)
    }
  }

  private async arrive(arrival: Arrival, put: Put): Promise<Outcome> {
    let refused: Outcome | undefined
    for (;;) {
      this.cursor.release()
      const part = await this.content.next()
      if (part.kind === 'changed') return { result: 'source-changed', path: put.path }
      if (part.kind === 'failed') return failed(put, elsewhere(part.problem))
      if (part.kind === 'end') return refused ?? this.finish(arrival, put, part.digest)
      if (part.kind === 'key' || part.kind === 'tag') {
        arrival.check(part)
        const isEarly = refused === undefined && arrival.isTagged && this.bin === noBin
        if (isEarly) return this.publishTagged(arrival, put)
        continue
      }
      arrival.expect(part)
      if (refused === undefined) refused = await arrival.add(part)
      // At once: the rest, which has to be taken off the stream, may be long, and what filled a disk is not to stay.
      if (refused !== undefined) arrival.discard(false)
      if (refused?.result === 'failed' && concernsVolume(refused.problem)) return refused
    }
  }

  /**
   * Publishes what its tag says is right, and waits for the digest then: that takes the sender longer than all else.
   * Where what is replaced is kept, it has to be known first whether it is the same.
   */
  private async publishTagged(arrival: Arrival, put: Put): Promise<Outcome> {
    const outcome = this.finish(arrival, put)
    this.cursor.release()
    if (outcome.result !== 'done') {
      await this.content.next()
      return outcome
    }
    // If nothing comes any more, it is published all the same.
    const part = await this.content.next().catch(() => undefined)
    return vouched(this.site, outcome, part?.kind === 'end' ? part.digest : undefined)
  }

  private finish(arrival: Arrival, put: Put, digest?: Digest): Outcome {
    if (!arrival.isWhole(digest)) {
      // The next time all of it is sent.
      return arrival.isPutTogether ? { result: 'stale', path: put.path } : damaged(put, arrival.isStored)
    }
    return attempt(put.path, () => {
      const place = placeOf({ site: this.site, cursor: this.cursor }, put)
      return this.publish(place, arrival.incoming, { put, digest })
    })
  }

  private dress(file: Made, put: Put): void {
    const refusal = adorn(file, this.site.attributes, put)
    if (refusal !== undefined) this.site.complain(refusal)
  }

  private publish(
    place: Place,
    incoming: Incoming,
    { put, digest }: { readonly put: Put; readonly digest: Digest | undefined },
  ): Outcome {
    const { path } = place
    const before = digestAt(place, put.expect)
    // What comes back with a new time only is no other version.
    const bin = before === digest ? noBin : this.bin
    const keep: Keep = (taken) => bin.keep({ ...taken, path, digest: before })
    const { entry: written, inPlace } = incoming.publish(place.dir, keep, (file) => this.dress(file, put))
    const entry = digest === undefined ? written : withDigest(written, digest)
    const found = inPlace ? { entry, problem: WRITTEN_IN_PLACE } : { entry }
    const { holding } = this.site
    if (place.isStaged) place.folder.children.set(place.name, entry)
    else holding.changeQuietly(() => holding.setLeaf(place.folder, place.name, found))
    return { result: 'done', path, entry }
  }
}

/** What was stored may be overwritten by now: then it has to be sent again. */
function damaged(put: Put, isStored: boolean): Outcome {
  return isStored ? { result: 'source-changed', path: put.path } : failed(put, DAMAGED)
}

function failed({ path }: Put, problem: Refusal): Outcome {
  return { result: 'failed', path, problem: problemAt(path, problem) }
}

function elsewhere({ code, message }: Refusal): Refusal {
  return { code, message: `${message} (on the side it comes from)` }
}
