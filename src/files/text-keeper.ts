import type { BaseFile, BaseUpdate } from './base/base.ts'
import { MAX_TEXT, type TextStore } from './base/texts.ts'
import { readAll } from './fetch.ts'
import { AfterBursts } from './quiet.ts'
import type { Replica } from './replica/replica.ts'
import type { Path } from './tree.ts'

/** Of many files that come at once, only so much is read again. Bytes. */
const MAX_PENDING = 32 * 1024 * 1024
/** Files that are asked for together. */
const BATCH = 256

/** Keeps the texts that both sides have just agreed on, for merges to come; they are read here, when there is time. */
export class TextKeeper {
  private readonly local: Replica
  private readonly store: TextStore
  private pending = new Map<Path, BaseFile>()
  private bytes = 0
  private isReading = false
  private readonly bursts = new AfterBursts(() => {})

  constructor(local: Replica, store: TextStore) {
    this.local = local
    this.store = store
  }

  note(updates: readonly BaseUpdate[]): void {
    for (const [path, entry] of updates) {
      if (entry?.kind !== 'file' || entry.local.size > MAX_TEXT) continue
      this.bytes += entry.local.size
      if (this.bytes <= MAX_PENDING) this.pending.set(path, entry)
    }
  }

  /** Reads what was noted, unless that is under way. What changed meanwhile, or cannot be read, is not kept. */
  async keep(): Promise<void> {
    if (this.isReading) return
    this.isReading = true
    try {
      while (this.pending.size > 0) await this.keepSome()
    } catch {
      // The folder is gone, and with it the session soon.
    } finally {
      this.isReading = false
    }
  }

  private async keepSome(): Promise<void> {
    const some = [...this.pending].slice(0, BATCH)
    for (const [path] of some) this.pending.delete(path)
    if (this.pending.size === 0) this.bytes = 0
    this.bursts.note(some.length)
    const wanted = some
      .filter(([, { digest }]) => !this.store.has(digest))
      .map(([path, { local, digest }]) => ({ path, stamp: local, digest }))
    let index = 0
    for await (const content of readAll(this.local, wanted)) {
      const digest = wanted[index++]?.digest
      if (Buffer.isBuffer(content) && digest !== undefined) this.store.add(digest, content)
    }
  }
}
