import { Duplex } from 'node:stream'
import { KubesyncError } from '../errors.ts'
import { WireError } from './error.ts'
import { CREDIT, encodeFrame, encodeU32, MAX_WINDOW, OPEN, RESET } from './frames.ts'
import { Inbox } from './inbox.ts'
import { Outbox } from './outbox.ts'
import { ReceiveWindow } from './window.ts'

/** Bytes that are buffered in either direction before a writer waits, apart from what the window lets arrive. */
const BUFFER = 64 * 1024
const MAX_REASON = 1000

type Callback = (error?: Error | null) => void

/** What a channel needs of its mux. */
export interface ChannelOwner {
  /** The channel has something to send. */
  schedule(channel: MuxChannel): void
  /** Nothing more will come or go on the channel. */
  release(channel: MuxChannel): void
}

export interface ChannelStart {
  readonly owner: ChannelOwner
  readonly id: number
  /** Bytes that the other end may send before it needs more credit. */
  readonly window: number
  /** Bytes that may be sent at once. */
  readonly credit: number
  /** The header to open the channel with; absent when the other end opened it. */
  readonly header?: Uint8Array
}

/** One stream of a Mux. */
export class MuxChannel extends Duplex {
  readonly id: number
  readonly outbox: Outbox
  private readonly owner: ChannelOwner
  private readonly window: ReceiveWindow
  private readonly inbox = new Inbox()
  private header: Uint8Array | undefined
  /** Bytes that the reader last asked for; it gets no more ahead, as only what waits in the inbox is packed. */
  private hunger = 1
  private endReceived = false
  private endDelivered = false
  private endSent = false
  /** The protocol has nothing more to say about the channel. */
  private over = false
  private resetReason: string | undefined

  constructor({ owner, id, window, credit, header }: ChannelStart) {
    super({ allowHalfOpen: true, highWaterMark: BUFFER })
    this.owner = owner
    this.id = id
    this.window = new ReceiveWindow(window)
    this.header = header
    this.outbox = new Outbox(id, credit)
  }

  /** A DATA frame of so many bytes begins. */
  announce(size: number): void {
    if (this.endReceived) throw new WireError(`data after the end of channel ${this.id}`)
    if (!this.window.claim(size))
      throw new WireError(`more data on channel ${this.id} than its window allows`)
  }

  receive(bytes: Buffer): void {
    if (this.destroyed) return
    this.window.arrive(bytes.length)
    if (this.inbox.size === 0 && this.readableLength === 0) {
      this.push(bytes)
    } else {
      this.inbox.add(bytes)
      this.deliver()
    }
    this.account()
  }

  receiveEnd(): void {
    if (this.endReceived) throw new WireError(`a second end of channel ${this.id}`)
    this.endReceived = true
    this.deliver()
    this.releaseWhenOver()
  }

  /** The other end can take so many bytes more. */
  grant(credit: number): void {
    this.outbox.credit += credit
    if (this.outbox.credit > MAX_WINDOW) throw new WireError(`too much credit on channel ${this.id}`)
    this.owner.schedule(this)
  }

  /** The other end gave the channel up, or the connection is gone. What had ended before can still be read. */
  fail(error: Error): void {
    this.over = true
    this.owner.release(this)
    if (this.endReceived && !this.readableEnded && !this.outbox.busy) {
      this.outbox.fail(error)
      this.once('end', () => this.destroy(error))
      // With nothing left to read, the end need not wait for somebody who asks.
      if (this.readableLength === 0) super.read(0)
    } else {
      this.destroy(error)
    }
  }

  /** Whether everything that was written has been sent, and the end too if it was. */
  get flushed(): boolean {
    return this.destroyed || (this.writableLength === 0 && this.writableEnded === this.endSent)
  }

  /** Whether there is a frame that needs no credit and is not to wait for data. */
  get urgent(): boolean {
    return !this.over && (this.header !== undefined || this.resetReason !== undefined || this.owed > 0)
  }

  /** The frames of `urgent`. */
  takeUrgent(): Buffer {
    const { header, id } = this
    this.header = undefined
    const frames = header === undefined ? [] : [encodeFrame({ type: OPEN, channel: id }, header)]
    if (this.resetReason !== undefined) {
      // Also if it never opened: what its header announces may be waited for.
      return Buffer.concat([...frames, this.takeReset(this.resetReason)])
    }
    const credit = this.owed
    if (credit > 0) {
      frames.push(encodeFrame({ type: CREDIT, channel: id }, encodeU32(credit)))
      this.window.giveBack(credit)
    }
    return frames.length === 1 && frames[0] ? frames[0] : Buffer.concat(frames)
  }

  /** A frame that the outbox has ready, and what to call when the transport has done with it. */
  takeData(): { buffers: readonly Buffer[]; done: Callback | undefined } {
    const { buffers, last } = this.outbox.take()
    if (last === 'end') this.finishEnd()
    return { buffers, done: last === 'write' ? this.finishWrite : undefined }
  }

  override read(size?: number): unknown {
    const chunk: unknown = super.read(size)
    if (size !== 0) this.hunger = chunk === null ? (size ?? 1) : 1
    this.deliver()
    this.account()
    return chunk
  }

  override _read(): void {
    // `read` and `receive` deliver.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, written: Callback): void {
    this.send([chunk], written)
  }

  override _writev(chunks: readonly { chunk: Buffer }[], written: Callback): void {
    this.send(
      chunks.map(({ chunk }) => chunk),
      written,
    )
  }

  override _final(ended: Callback): void {
    this.outbox.end(ended)
    this.owner.schedule(this)
  }

  override _destroy(error: Error | null, done: Callback): void {
    this.inbox.clear()
    this.outbox.fail(error ?? new Error('the channel was closed'))
    if (!this.over) {
      this.resetReason = error?.message ?? 'closed'
      this.owner.schedule(this)
    }
    done(error)
  }

  private send(chunks: readonly Buffer[], written: Callback): void {
    this.outbox.write(chunks, written)
    this.owner.schedule(this)
  }

  private deliver(): void {
    while (this.readableLength < this.hunger && this.inbox.size > 0) this.push(this.inbox.take())
    if (this.endReceived && this.inbox.size === 0 && !this.endDelivered) {
      this.endDelivered = true
      this.push(null)
    }
  }

  /** Credit to give back now. */
  private get owed(): number {
    if (this.endReceived || this.destroyed) return 0
    return this.window.owed(this.inbox.size + this.readableLength)
  }

  private account(): void {
    if (this.owed > 0) this.owner.schedule(this)
  }

  private takeReset(reason: string): Buffer {
    this.over = true
    this.owner.release(this)
    return encodeFrame({ type: RESET, channel: this.id }, Buffer.from(reason.slice(0, MAX_REASON)))
  }

  private readonly finishWrite = (error?: Error | null): void => {
    if (error) return
    this.outbox.finish()
    this.owner.schedule(this)
  }

  private finishEnd(): void {
    this.endSent = true
    this.outbox.finish()
    this.releaseWhenOver()
  }

  private releaseWhenOver(): void {
    if (!this.endSent || !this.endReceived) return
    this.over = true
    this.owner.release(this)
  }
}

/** The error of a channel whose other end reset it. */
export function resetError(payload: Buffer): Error {
  return new KubesyncError('CHANNEL_RESET', `reset: ${payload.toString()}`)
}
