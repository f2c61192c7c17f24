import type { Writable } from 'node:stream'
import type { MuxChannel } from './channel.ts'

type Callback = (error?: Error | null) => void

/**
 * Decides what is written to a transport next. As long as the transport says that it is full nothing is, so that the
 * choice is made as late as possible: first what concerns the connection, then what is urgent (small frames that need
 * no credit), then one frame of data of each channel in turn, which keeps a slow or a greedy one from holding up others.
 *
 * What is scheduled within one turn of the event loop leaves in one write at its end.
 */
export class Sender {
  private readonly transport: Writable
  private readonly flushed: () => void
  private readonly frames: Buffer[] = []
  private readonly urgent = new Set<MuxChannel>()
  private readonly ready = new Set<MuxChannel>()
  private queued = false
  private flushing = false
  private full = false
  private stopped = false

  /** @param flushed called whenever all that can be written now was. */
  constructor(transport: Writable, flushed: () => void) {
    this.transport = transport
    this.flushed = flushed
    transport.on('drain', () => {
      this.full = false
      this.flush()
    })
  }

  /** Queues a frame about the whole connection. */
  send(frame: Buffer): void {
    this.frames.push(frame)
    this.wake()
  }

  /** A channel may have something to send now. */
  schedule(channel: MuxChannel): void {
    if (this.stopped) return
    if (channel.urgent) this.urgent.add(channel)
    if (channel.outbox.ready) this.ready.add(channel)
    this.wake()
  }

  /** Nothing will be written any more. */
  stop(): void {
    this.stopped = true
    this.frames.length = 0
    this.urgent.clear()
    this.ready.clear()
  }

  /** Has `flushed` called, after whatever can be written was. */
  wake(): void {
    if (this.queued || this.flushing || this.full || this.stopped) return
    this.queued = true
    process.nextTick(() => {
      this.queued = false
      this.flush()
    })
  }

  private flush(): void {
    if (this.flushing || this.full || this.stopped) return
    this.flushing = true
    do {
      this.transport.cork()
      while (!this.full && this.step()) {}
      this.transport.uncork()
      // A transport may have drained at once, and a channel may have been filled by that.
    } while (!this.full && this.pending)
    this.flushing = false
    if (!this.full) this.flushed()
  }

  private get pending(): boolean {
    return this.frames.length + this.urgent.size + this.ready.size > 0
  }

  /** Writes the next frame; false when there is none. */
  private step(): boolean {
    const frame = this.frames.shift()
    if (frame !== undefined) return this.write(frame)
    const urgent = takeFirst(this.urgent)
    if (urgent !== undefined) return !urgent.urgent || this.write(urgent.takeUrgent())
    const channel = takeFirst(this.ready)
    if (channel === undefined) return false
    if (!channel.outbox.ready) return true
    const { buffers, done } = channel.takeData()
    const last = buffers.length - 1
    for (const [i, buffer] of buffers.entries()) this.write(buffer, i === last ? done : undefined)
    if (channel.outbox.ready) this.ready.add(channel)
    return true
  }

  private write(buffer: Buffer, done?: Callback): true {
    if (buffer.length > 0 && !this.transport.write(buffer, done)) this.full = true
    return true
  }
}

function takeFirst<T>(set: Set<T>): T | undefined {
  for (const first of set) {
    set.delete(first)
    return first
  }
  return undefined
}
