import type { Readable } from 'node:stream'
import { isDeepStrictEqual } from 'node:util'
import type { Signature } from '../../files/blocks/signature.ts'
import { sameStamp } from '../../files/delta.ts'
import type { ContentRecord } from '../../files/replica/content.ts'
import type { Refusal } from '../../files/replica/refusal.ts'
import type { ContentSource, ReadRequest } from '../../files/replica/replica.ts'
import type { Digest, Path, Stamp } from '../../files/tree.ts'

/** A node's store for content, as the laptop sees it. */
export interface NodeStore {
  /** Bytes after which it overwrites. */
  readonly size: number
  /** Sends content there; what it yields has where each chunk is instead. */
  keep(content: Readable): AsyncIterable<ContentRecord>
}

/** How a file was sent to the store. `lost`: it was not, and has to be sent by another way. */
export type Kept =
  | { readonly result: 'stored'; readonly pieces: readonly Piece[]; readonly digest: Digest }
  | { readonly result: 'changed' }
  | { readonly result: 'failed'; readonly problem: Refusal }
  | { readonly result: 'lost' }

/** Bytes in the store, or of a file that its receiver has, and what these are checked by. */
export type Piece = Extract<ContentRecord, { kind: 'stored' | 'copy' | 'key' | 'tag' }>

/** A file on its way to the store, or in it. */
export interface Item {
  readonly stamp: Stamp
  /** What its receivers have of it already. */
  readonly signature: Signature | undefined
  /** Undefined until it is known. */
  kept: Kept | undefined
  readonly ready: Promise<void>
}

interface Sent {
  readonly request: ReadRequest
  readonly item: Item
  readonly settle: (kept: Kept) => void
}

/** More would only take memory. */
const MAX_ITEMS = 100_000

/**
 * What of a folder here is in the store of a node, so that nothing is sent there twice. Only what this end has sent
 * counts, by path and stamp here: what containers hold, or say that they hold, does not.
 */
export class Depot {
  /** How many replicas on the node are synced with the folder. */
  members = 0
  private readonly store: NodeStore
  private readonly items = new Map<Path, Item>()
  private end = 0
  /** It took something and did not keep it: nothing is sent there any more. */
  isBroken = false

  constructor(store: NodeStore) {
    this.store = store
  }

  /** Bytes that one replica may be told of before it has taken them: little of what there is, so that others can lag. */
  get window(): number {
    return Math.floor(this.store.size / 8)
  }

  /** The items of files, each sent now unless it is there or on its way. */
  find(requests: readonly ReadRequest[], source: ContentSource): Item[] {
    const missing: Sent[] = []
    const found = requests.map((request) => {
      const known = this.items.get(request.path)
      if (known !== undefined && this.isCurrent(known, request)) return known
      const sent = newSent(request)
      missing.push(sent)
      this.items.delete(request.path)
      this.items.set(request.path, sent.item)
      return sent.item
    })
    if (missing.length > 0) void this.send(missing, source)
    return found
  }

  forget(path: Path): void {
    this.items.delete(path)
  }

  private isCurrent({ stamp, signature, kept }: Item, request: ReadRequest): boolean {
    if (!sameStamp(stamp, request.stamp) || !isDeepStrictEqual(signature, request.signature)) return false
    if (kept === undefined) return true
    if (kept.result !== 'stored' || !this.isHeld(kept.pieces)) return false
    return request.digest === undefined || request.digest === kept.digest
  }

  /** Not overwritten, nor about to be. */
  private isHeld(pieces: readonly Piece[]): boolean {
    const { size } = this.store
    return pieces.every((piece) => piece.kind !== 'stored' || piece.at >= this.end - size + size / 4)
  }

  private async send(all: readonly Sent[], source: ContentSource): Promise<void> {
    const content = source.read(all.map(({ request }) => request))
    const left = [...all]
    try {
      const records = this.store.keep(content)[Symbol.asyncIterator]()
      for (const { request, item, settle } of all) {
        const kept = await this.next(records)
        left.shift()
        settle(kept)
        if (kept.result !== 'stored') this.drop(request.path, item)
      }
      await records.return?.()
    } catch {
      // That the folder here could not be read is not the store's fault.
      if (content.errored === null) this.isBroken = true
      content.destroy()
    }
    for (const { request, item, settle } of left) {
      settle({ result: 'lost' })
      this.drop(request.path, item)
    }
    this.prune()
  }

  private async next(records: AsyncIterator<ContentRecord>): Promise<Kept> {
    const pieces: Piece[] = []
    for (;;) {
      const { value: record, done } = await records.next()
      if (done === true || record.kind === 'chunk') throw new Error('the store said less than it was sent')
      if (record.kind === 'end') return { result: 'stored', pieces, digest: record.digest }
      if (record.kind === 'changed') return { result: 'changed' }
      if (record.kind === 'failed') return { result: 'failed', problem: record.problem }
      pieces.push(record)
      if (record.kind === 'stored') this.end = Math.max(this.end, record.at + record.size)
    }
  }

  private drop(path: Path, item: Item): void {
    if (this.items.get(path) === item) this.items.delete(path)
  }

  /** Forgets what came first, as far as it is overwritten. */
  private prune(): void {
    for (const [path, { kept }] of this.items) {
      if (kept === undefined) return
      const isGone = kept.result !== 'stored' || !this.isHeld(kept.pieces)
      if (!isGone && this.items.size <= MAX_ITEMS) return
      this.items.delete(path)
    }
  }
}

function newSent(request: ReadRequest): Sent {
  let resolve = () => {}
  const ready = new Promise<void>((done) => {
    resolve = done
  })
  const { stamp, signature } = request
  const item: Item = { stamp, signature, kept: undefined, ready }
  const settle = (kept: Kept) => {
    item.kept = kept
    resolve()
  }
  return { request, item, settle }
}
