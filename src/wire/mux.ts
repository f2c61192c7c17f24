import { type Duplex, finished } from 'node:stream'
import { KubesyncError } from '../errors.ts'
import { type ChannelOwner, MuxChannel } from './channel.ts'
import { CONNECTION, END, encodeFrame, encodeHello, MAX_CONTROL, MAX_WINDOW } from './frames.ts'
import { type ChannelListener, Receiver } from './receiver.ts'
import { Registry } from './registry.ts'
import { Sender } from './sender.ts'

/**
 * Bytes that a channel's sender may be ahead of its reader. A channel carries at most a window each round trip: with
 * 4 MiB that is 80 MB/s at 50 ms, most of a gigabit line to a cloud far away, and it is what TCP itself buffers at most
 * by default on Linux. More would only make small messages wait longer behind bulk data on a slow line. A channel
 * that nobody reads keeps this much in memory, four times as much at worst (see `Inbox`).
 */
const DEFAULT_WINDOW = 4 * 1024 * 1024
/** How long `close` waits, in milliseconds, for the other end to take what was written, and again to leave. */
const PATIENCE = 2000
const CLOSED = 'the connection was closed'

export interface MuxOptions {
  /** One end is the client and the other the server; only the ids of their channels differ by it. */
  readonly role: 'client' | 'server'
  /** Bytes that the other end may send on a channel ahead of its reader here; 4 MiB unless given. */
  readonly window?: number
}

export interface MuxClosed {
  /** `closed`: we asked for it; `ended`: the other end left in good order; `lost`: it vanished, or broke the protocol. */
  readonly kind: 'closed' | 'ended' | 'lost'
  readonly message: string
}

/**
 * A byte stream of its own within a Mux, an ordinary Node Duplex. `end()` closes one direction. `destroy(error)` ends
 * both at once: the other end gets an error `reset: <message>`, and loses what it had not read unless this end had
 * called `end()` before. As with any Duplex, an 'error' that nobody listens to ends the process, and `for await` destroys
 * the channel when it ends: who wants to answer afterwards uses 'data', a pipeline or `readMessages`.
 */
export type Channel = Duplex

/**
 * Many flow-controlled byte streams over one. Each channel has credit, as in HTTP/2 (RFC 9113, section 5.2) and yamux
 * (github.com/hashicorp/yamux, spec.md): a sender uses it up, and gets it back when the other end's reader has really
 * read. So a channel whose reader is slow waits without holding up the others or filling memory. See `frames.ts` for
 * the format. The other end is not trusted: when it breaks the protocol the connection is over.
 */
export class Mux {
  /** Resolves when the connection is over; never rejects. */
  readonly closed: Promise<MuxClosed>
  private readonly transport: Duplex
  private readonly window: number
  private readonly channels: Registry
  private readonly owner: ChannelOwner
  private readonly sender: Sender
  private readonly receiver: Receiver
  private resolve: (closed: MuxClosed) => void = () => {}
  private closing: NodeJS.Timeout | undefined
  /** Why the connection is over; undefined until it is. */
  private over: string | undefined

  /** Reads and writes the transport from now on; when the connection is over, the transport is too. */
  constructor(transport: Duplex, { role, window = DEFAULT_WINDOW }: MuxOptions) {
    if (!(window >= 1 && window <= MAX_WINDOW)) throw new RangeError(`a window of ${window} bytes`)
    this.transport = transport
    this.window = window
    this.channels = new Registry(role)
    this.closed = new Promise((resolve) => {
      this.resolve = resolve
    })
    this.sender = new Sender(transport, () => this.sayGoodbyeWhenFlushed())
    this.owner = {
      schedule: (channel) => this.sender.schedule(channel),
      release: (channel) => this.channels.remove(channel),
    }
    this.receiver = new Receiver({
      channels: this.channels,
      create: (id) => this.create(id),
      goodbye: () => this.leave(),
    })
    this.listen()
    this.sender.send(encodeHello(window))
  }

  /**
   * Opens a channel; it can be written to at once. When the connection is over, or is closing, it fails. Throws when
   * 1024 channels are open.
   * @param header says what the channel is for; at most 16 KiB.
   */
  open(header: Uint8Array): Channel {
    if (header.length > MAX_CONTROL) throw new RangeError(`a header of ${header.length} bytes`)
    const channel = this.create(this.channels.next(), header)
    if (this.over !== undefined || this.closing !== undefined)
      channel.fail(connectionError(this.over ?? CLOSED))
    else this.sender.schedule(channel)
    return channel
  }

  /**
   * Calls back for each channel that the other end opens. To be called in the same turn of the event loop as the
   * constructor: a channel that nobody listens for is reset, and so is one for which the listener throws.
   */
  onChannel(listener: ChannelListener): void {
    this.receiver.listener = listener
  }

  /**
   * Sends what was written to the channels, says goodbye and ends the transport. A channel that has not ended by then
   * fails, at both ends. Resolves when the transport has closed, or soon after if the other end does not answer.
   */
  async close(): Promise<void> {
    if (this.over === undefined && this.closing === undefined) {
      this.closing = setTimeout(() => this.sayGoodbye(), PATIENCE)
      this.sender.wake()
    }
    await this.closed
  }

  private create(id: number, header?: Uint8Array): MuxChannel {
    const { owner, window, receiver } = this
    const channel = new MuxChannel({
      owner,
      id,
      window,
      credit: receiver.credit ?? 0,
      ...(header && { header }),
    })
    this.channels.add(channel)
    return channel
  }

  private listen(): void {
    this.transport.on('data', (chunk: Buffer) => {
      const broken = this.receiver.read(chunk)
      if (broken !== undefined) this.lose(broken)
    })
    this.transport.on('error', (error) => this.lose(reasonOf(error)))
    this.transport.on('end', () => this.lose('the connection ended without a goodbye'))
    this.transport.on('close', () => this.lose('the connection was cut'))
  }

  private sayGoodbyeWhenFlushed(): void {
    if (this.closing !== undefined && this.channels.all().every((channel) => channel.flushed))
      this.sayGoodbye()
  }

  private sayGoodbye(): void {
    if (!this.finish(CLOSED)) return
    const goodbye = encodeFrame({ type: END, channel: CONNECTION })
    endTransport(this.transport, goodbye, () => this.resolve({ kind: 'closed', message: CLOSED }))
  }

  /** The other end said goodbye. */
  private leave(): void {
    const message = 'the other end closed the connection'
    if (!this.finish(message)) return
    this.resolve({ kind: 'ended', message })
    endTransport(this.transport, undefined, () => {})
  }

  private lose(message: string): void {
    if (!this.finish(message)) return
    this.resolve({ kind: 'lost', message })
    this.transport.destroy()
  }

  /** False if the connection was over before. */
  private finish(reason: string): boolean {
    if (this.over !== undefined) return false
    this.over = reason
    clearTimeout(this.closing)
    this.receiver.stop()
    this.sender.stop()
    for (const channel of this.channels.all()) channel.fail(connectionError(reason))
    return true
  }
}

/** Errors of ours are sentences already. */
function reasonOf(error: Error): string {
  return error instanceof KubesyncError ? error.message : `the connection failed: ${error.message}`
}

function connectionError(message: string): Error {
  return new KubesyncError('CONNECTION_LOST', message)
}

/** Ends a stream and waits for the other end to do the same, but not for long. */
function endTransport(transport: Duplex, last: Buffer | undefined, done: () => void): void {
  const close = () => {
    clearTimeout(timer)
    transport.destroy()
    done()
  }
  const timer = setTimeout(close, PATIENCE)
  finished(transport, close)
  if (last !== undefined) transport.write(last)
  transport.end()
}
