import { WireError } from '../../wire/error.ts'
import type { Basis } from '../blocks/matcher.ts'
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

/** What is here already of a file that is being written: the one it replaces, and what an earlier transfer left. */
export class Bases {
  private readonly site: Site
  private readonly cursor: DirCursor
  private readonly put: Put
  private readonly files = new Map<Basis, File>()
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
  async copy({ basis, from, length }: Copy, sink: (bytes: Uint8Array) => void): Promise<void> {
    const file = this.files.get(basis) ?? this.open(basis)
    this.buffer ??= Buffer.allocUnsafe(COPY_SIZE)
    for (let done = 0; done < length; ) {
      const bytes = this.buffer.subarray(0, Math.min(COPY_SIZE, length - done))
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

  private open(basis: Basis): File {
    const { put } = this
    const { dir, name, path } = placeOf(this.site, this.cursor, put)
    if (basis === 'old' && put.expect === 'absent') throw new WireError('a copy of a file that is not there')
    const file =
      put.expect !== 'absent' && basis === 'old'
        ? openAsStamped(dir, name, put.expect)
        : openPartial(dir, path)
    if (file === undefined) throw new Stale()
    this.files.set(basis, file)
    return file
  }
}
