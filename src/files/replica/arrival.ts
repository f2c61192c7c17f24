import { WireError } from '../../wire/error.ts'
import type { Outcome } from '../operation.ts'
import { parentOf } from '../path.ts'
import type { Digest } from '../tree.ts'
import { Bases, type LocalCopy } from './bases.ts'
import type { ContentRecord } from './content.ts'
import type { DirCursor } from './dir-cursor.ts'
import { Hashing, Tagging } from './hash.ts'
import { Incoming, type Put } from './incoming.ts'
import { MIN_PARTIAL, MIN_RESUMED } from './partial.ts'
import { attempt, attemptTo, placeOf } from './place.ts'
import type { Site } from './site.ts'

export type Part = Extract<ContentRecord, { kind: 'chunk' }> | ({ readonly kind: 'copy' } & LocalCopy)

/** A file whose content comes bit by bit. */
export class Arrival {
  /** Whether any of it is from the store of the node. */
  isStored = false
  private readonly site: Site
  private readonly cursor: DirCursor
  private readonly put: Put
  private readonly bases: Bases
  private hashing: Hashing | Tagging = new Hashing()
  private tag: Buffer | undefined
  private size = 0
  private begun: Incoming | undefined

  constructor(site: Site, cursor: DirCursor, put: Put) {
    this.site = site
    this.cursor = cursor
    this.put = put
    this.bases = new Bases(site, cursor, put)
  }

  /** Whether any of it was here before. */
  get isPutTogether(): boolean {
    return this.bases.areUsed
  }

  /** The file that is being written. Throws Stale and system errors. */
  get incoming(): Incoming {
    if (this.begun === undefined) {
      this.begun = new Incoming(placeOf({ site: this.site, cursor: this.cursor }, this.put), this.put)
    }
    return this.begun
  }

  /** Counts what arrives, written or not. Throws WireError if it is more than was announced. */
  expect(part: Part): void {
    this.size += part.kind === 'copy' ? part.length : part.bytes.length
    this.isStored ||= part.kind === 'chunk' && part.isStored === true
    if (this.size > this.put.source.stamp.size) {
      throw new WireError('a file has more content than was announced')
    }
  }

  /** From now on it is a tag that tells whether all is as it was sent, or this is the tag. */
  check(record: Extract<ContentRecord, { kind: 'key' | 'tag' }>): void {
    if (record.kind === 'tag') this.tag = record.tag
    else if (this.size > 0) throw new WireError('a key after what it is for')
    else this.hashing = new Tagging(record.key)
  }

  /** Writes what arrived. */
  add(part: Part): Promise<Outcome | undefined> | Outcome | undefined {
    const { path } = this.put
    if (part.kind === 'copy') {
      return attemptTo(path, async () => {
        await this.bases.copy(part, (bytes) => this.write(bytes))
        return this.share()
      })
    }
    return attempt(path, () => {
      this.write(part.bytes)
      return this.share()
    })
  }

  /** Whether its tag is here, so that there is nothing to come that could be published. */
  get isTagged(): boolean {
    return this.hashing instanceof Tagging && this.tag !== undefined
  }

  /** Whether all of it is there and has this digest, or the tag that was sent; to be asked once, in the end. */
  isWhole(digest?: Digest): boolean {
    const { hashing, tag, size } = this
    if (size !== this.put.source.stamp.size) return false
    return hashing instanceof Hashing ? hashing.digest() === digest : tag?.equals(hashing.tag()) === true
  }

  /** To be called in the end, and when it is known that it will not be published. */
  discard(keepsShared: boolean): void {
    this.bases.close()
    const incoming = this.begun
    this.begun = undefined
    if (incoming === undefined) return
    const { path } = this.put
    attempt(path, () => {
      incoming.discard(undefined)
      // Also where it is ignored by now.
      incoming.discard(this.cursor.open(this.site.root?.dir, parentOf(path)), keepsShared)
      return undefined
    })
  }

  private write(bytes: Uint8Array): void {
    this.hashing.update(bytes)
    this.incoming.write(bytes)
  }

  /** Once there is more of it than an earlier transfer left, that is replaced. */
  private share(): undefined {
    const { put, size, bases, incoming } = this
    const isWorthIt = put.source.stamp.size >= MIN_RESUMED && size >= MIN_PARTIAL && size > bases.stagedSize
    if (isWorthIt && !incoming.isShared)
      incoming.share(placeOf({ site: this.site, cursor: this.cursor }, put).dir)
  }
}
