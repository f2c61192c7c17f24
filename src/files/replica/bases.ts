import type { Basis } from '../blocks/matcher.ts'
import { nameOf, parentOf } from '../path.ts'
import type { Copy } from './content.ts'
import type { File } from './dir.ts'
import type { DirCursor } from './dir-cursor.ts'
import { openAsStamped } from './hash.ts'
import type { Put } from './incoming.ts'
import { Pace } from './pace.ts'
import { openPartial } from './partial.ts'
import { placeOf, Stale } from './place.ts'
import type { Site } from './site.ts'

const COPY_SIZE = 256 * 1024

/** Bytes of a file of this side. */
export type LocalCopy = Omit<Copy, 'basis'> & { readonly basis: Basis | 'original' }

/**
 * What is here already of a file that is being written: the one it replaces, what an earlier transfer left, and one
 * elsewhere that has all of it.
 */
export class Bases {
  private readonly site: Site
  private readonly cursor: DirCursor
  private readonly put: Put
  private readonly files = new Map<Basis | 'original', File>()
  private readonly pace = new Pace()
  private buffer: Buffer | undefined

  constructor(site: Site, cursor: DirCursor, put: Put) {
    this.site = site
    this.cursor = cursor
    this.put = put
  }

  /** Whether the new file has anything of them. */
  get areUsed(): boolean {
    return this.files.size > 0
  }

  /** Bytes of what an earlier transfer left, if it is used. */
  get stagedSize(): number {
    return this.files.get('staged')?.stat().size ?? 0
  }

  /** Hands over bytes of one of them. Rejects with Stale if they are not there any more, and with system errors. */
  async copy({ basis, from, length }: LocalCopy, sink: (bytes: Uint8Array) => void): Promise<void> {
    const file = this.files.get(basis) ?? this.open(basis)
    this.buffer ??= Buffer.allocUnsafe(Math.min(COPY_SIZE, this.put.source.stamp.size))
    for (let done = 0; done < length; ) {
      const bytes = this.buffer.subarray(0, Math.min(this.buffer.length, length - done))
      if (file.readAt(bytes, from + done) < bytes.length) throw new Stale()
      sink(bytes)
      done += bytes.length
      if (!this.pace.due) continue
      this.cursor.release()
      await this.pace.rest()
    }
  }

  close(): void {
    for (const file of this.files.values()) file.close()
    this.files.clear()
  }

  private open(basis: Basis | 'original'): File {
    const file = this.find(basis)
    if (file === undefined) throw new Stale()
    this.files.set(basis, file)
    return file
  }

  private find(basis: Basis | 'original'): File | undefined {
    const { site, cursor, put } = this
    const { original, expect } = put
    if (basis === 'original') {
      if (original === undefined) return undefined
      return openAsStamped(
        cursor.open(site.root?.dir, parentOf(original.path)),
        nameOf(original.path),
        original.stamp,
      )
    }
    const { dir, name, path } = placeOf({ site, cursor }, put)
    if (basis === 'staged') return openPartial(dir, path)
    return expect === 'absent' ? undefined : openAsStamped(dir, name, expect)
  }
}
