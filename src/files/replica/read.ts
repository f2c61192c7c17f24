import { errnoOf } from '../../errors.ts'
import type { Signature } from '../blocks/signature.ts'
import { nameOf, parentOf } from '../path.ts'
import type { Digest } from '../tree.ts'
import { type ContentWriter, MAX_CHUNK, WHOLE_SIZE } from './content.ts'
import type { File } from './dir.ts'
import { DirCursor } from './dir-cursor.ts'
import { digestOf, Hashing, hashOpen, openAsStamped, type Tagged } from './hash.ts'
import { Pace } from './pace.ts'
import { type Refusal, refusalOf } from './refusal.ts'
import type { ReadRequest } from './replica.ts'
import { sendBlocks } from './send-blocks.ts'
import type { Site } from './site.ts'
import { matches } from './stamp.ts'

/** Milliseconds of waiting after which no directory is held open any more: what is, cannot be unmounted. */
const HOLD = 50

/** Errors that say that what was asked for is not there. */
const GONE = new Set(['ENOENT', 'ENOTDIR', 'ELOOP'])

/** How the reading of a file ended. */
type Ending = { readonly digest: Digest } | 'changed' | Refusal

/** Sends the content of files. Memory does not depend on how many or how large they are. */
export class Sending {
  private readonly site: Site
  private readonly writer: ContentWriter
  private readonly cursor = new DirCursor()
  private readonly pace = new Pace()

  constructor(site: Site, writer: ContentWriter) {
    this.site = site
    this.writer = writer
  }

  /** Rejects when the stream fails. Files that cannot be read, or are not what was asked for, are told of in it. */
  async send(requests: readonly ReadRequest[]): Promise<void> {
    try {
      for (const request of requests) {
        if (this.pace.due) await this.pace.rest()
        if (request.stamp.size > WHOLE_SIZE) await this.sendLarge(request)
        else {
          if (!this.writer.hasRoom(request.stamp.size)) await this.flush()
          this.end(request, this.readWhole(request))
        }
      }
    } finally {
      this.cursor.release()
    }
  }

  /** Sends what has been packed so far. A directory that is moved meanwhile has the same files: their stamps tell. */
  async flush(): Promise<void> {
    const waiting = setTimeout(() => this.cursor.release(), HOLD)
    await this.writer.flush().finally(() => clearTimeout(waiting))
    this.pace.restart()
  }

  private readWhole(request: ReadRequest): Ending {
    return attempt(() => {
      const file = this.open(request)
      if (file === undefined) return 'changed'
      try {
        const chunk = this.writer.chunk(request.stamp.size)
        if (file.read(chunk) < chunk.length || !matches(request.stamp, file.stat())) return 'changed'
        const ending = this.approve(request, digestOf(chunk))
        if (ending !== 'changed' && chunk.length > 0) this.writer.confirm(chunk)
        return ending
      } finally {
        file.close()
      }
    })
  }

  private async sendLarge(request: ReadRequest): Promise<void> {
    const file = attempt(() => this.open(request) ?? 'changed')
    if (file === 'changed' || 'code' in file) return this.end(request, file)
    try {
      this.end(request, await this.sendChunks(file, request))
    } finally {
      file.close()
    }
  }

  private async sendBlocks(file: File, request: ReadRequest, signature: Signature): Promise<Ending> {
    const { writer } = this
    const flush = async () => {
      await this.flush()
      // What was sent leaves only then, and the receiver can be at work meanwhile.
      await this.pace.rest()
    }
    const read = (bytes: Buffer) => attempt(() => file.read(bytes))
    const sent = await sendBlocks({ read, size: request.stamp.size, signature, writer, flush })
    if (sent === 'changed' || 'code' in sent) return sent
    if (request.digest !== undefined) {
      // A receiver may publish what it has the tag of, and no other content is wanted.
      const ending = await this.hash(file, request, sent)
      if (ending !== 'changed' && 'digest' in ending) writer.tag(sent.tag)
      return ending
    }
    const change = this.changeOf(file, request)
    if (change !== undefined) return change
    writer.tag(sent.tag)
    await flush()
    return this.hash(file, request, sent)
  }

  private async sendChunks(file: File, request: ReadRequest): Promise<Ending> {
    if (request.signature !== undefined) return this.sendBlocks(file, request, request.signature)
    const hashing = new Hashing()
    for (let left = request.stamp.size; left > 0; ) {
      await this.flush()
      const chunk = this.writer.chunk(Math.min(left, MAX_CHUNK))
      const size = attempt(() => file.read(chunk))
      if (typeof size !== 'number') return size
      if (size < chunk.length) return 'changed'
      this.writer.confirm(chunk)
      hashing.update(chunk)
      left -= size
      if (this.pace.due) await this.pace.rest()
    }
    return this.changeOf(file, request) ?? this.approve(request, hashing.digest())
  }

  /** Why what was read of a file is not what was asked for. */
  private changeOf(file: File, { stamp }: ReadRequest): 'changed' | Refusal | undefined {
    const isSame = attempt(() => matches(stamp, file.stat()))
    if (isSame === true) return undefined
    return isSame === false ? 'changed' : isSame
  }

  private async hash(file: File, request: ReadRequest, sent: Tagged): Promise<Ending> {
    try {
      const digest = await hashOpen(file, request.stamp, { pace: this.pace, sent })
      return digest === undefined ? 'changed' : this.approve(request, digest)
    } catch (error) {
      return failureOf(error)
    }
  }

  private open({ path, stamp }: ReadRequest): File | undefined {
    const dir = this.cursor.open(this.site.root?.dir, parentOf(path))
    return openAsStamped(dir, nameOf(path), stamp)
  }

  /** Content that is not what was asked for is a change, even if the stamp does not show it. */
  private approve({ path, stamp, digest: wanted }: ReadRequest, digest: Digest): Ending {
    const { holding } = this.site
    if (wanted === undefined || wanted === digest) {
      holding.learn(path, stamp, digest)
      return { digest }
    }
    holding.correct(path, stamp, digest)
    return 'changed'
  }

  private end({ path }: ReadRequest, ending: Ending): void {
    if (ending === 'changed') this.writer.changed()
    else if ('digest' in ending) this.writer.end(ending.digest)
    else this.writer.failed(ending)
    if (ending === 'changed' || 'code' in ending) this.site.suspect(path)
  }
}

/** Does something with a file; what the system has against it is a result. */
function attempt<R>(action: () => R): R | 'changed' | Refusal {
  try {
    return action()
  } catch (error) {
    return failureOf(error)
  }
}

function failureOf(error: unknown): 'changed' | Refusal {
  const code = errnoOf(error)
  if (code === undefined) throw error
  return GONE.has(code) ? 'changed' : refusalOf(error, 'read')
}
