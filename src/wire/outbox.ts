import { DATA, END, encodeFrame, encodeHead, MAX_DATA } from './frames.ts'

type Callback = (error?: Error | null) => void

/** Writes below this size are copied into one buffer with what is around them; larger ones are sent as they are. */
const SMALL = 4096

export interface Frame {
  readonly buffers: readonly Buffer[]
  /** Of what this frame is the last. */
  readonly last: 'write' | 'end' | undefined
}

/** What one channel has to send: at most one write of its stream, and then its end. */
export class Outbox {
  private readonly channel: number
  /** Bytes that the other end lets us send now. */
  credit: number
  private chunks: readonly Buffer[] = []
  private index = 0
  private offset = 0
  private left = 0
  private written: Callback | undefined
  private ended: Callback | undefined
  private failure: Error | undefined

  constructor(channel: number, credit: number) {
    this.channel = channel
    this.credit = credit
  }

  /** Whether anything is under way. */
  get busy(): boolean {
    return this.written !== undefined || this.ended !== undefined
  }

  /** Whether a frame can be sent now. */
  get ready(): boolean {
    return this.written === undefined ? this.ended !== undefined : this.left > 0 && this.credit > 0
  }

  /** @param written called when the transport has done with the chunks: only then may their memory be used again. */
  write(chunks: readonly Buffer[], written: Callback): void {
    this.written = written
    this.chunks = chunks.filter((chunk) => chunk.length > 0)
    this.index = 0
    this.offset = 0
    this.left = this.chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    if (this.failure !== undefined) this.fail(this.failure)
    else if (this.left === 0) this.finish()
  }

  end(ended: Callback): void {
    this.ended = ended
    if (this.failure !== undefined) this.fail(this.failure)
  }

  /** The next frame. `finish` is to be called for the last one of a write, once the transport has done with it. */
  take(): Frame {
    if (this.written === undefined) {
      return { buffers: [encodeFrame({ type: END, channel: this.channel })], last: 'end' }
    }
    const buffers = this.nextData()
    return { buffers, last: this.left === 0 ? 'write' : undefined }
  }

  /** Calls back for what is under way, a write or the end. */
  finish(): void {
    const callback = this.written ?? this.ended
    if (this.written === undefined) this.ended = undefined
    this.written = undefined
    this.chunks = []
    callback?.()
  }

  /** Gives up what is under way and whatever comes. */
  fail(error: Error): void {
    this.failure = error
    const callback = this.written ?? this.ended
    this.written = undefined
    this.ended = undefined
    this.chunks = []
    this.left = 0
    callback?.(error)
  }

  /** One frame of whatever comes next, in as few buffers as need no large copy. */
  private nextData(): readonly Buffer[] {
    const size = Math.min(this.left, this.credit, MAX_DATA)
    const buffers: Buffer[] = []
    let gathered = [encodeHead({ type: DATA, channel: this.channel }, size)]
    for (let left = size; left > 0; ) {
      const chunk = this.chunks[this.index]
      if (chunk === undefined) break
      const part = this.cut(chunk, Math.min(chunk.length - this.offset, left))
      left -= part.length
      if (part.length < SMALL) gathered.push(part)
      else {
        buffers.push(...joined(gathered), part)
        gathered = []
      }
    }
    return [...buffers, ...joined(gathered)]
  }

  private cut(chunk: Buffer, size: number): Buffer {
    const start = this.offset
    this.left -= size
    this.credit -= size
    this.offset += size
    if (this.offset === chunk.length) {
      this.index++
      this.offset = 0
    }
    return chunk.subarray(start, start + size)
  }
}

function joined(parts: readonly Buffer[]): readonly Buffer[] {
  return parts.length > 1 ? [Buffer.concat(parts)] : parts
}
