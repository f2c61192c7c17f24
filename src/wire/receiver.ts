import type { Duplex } from 'node:stream'
import { messageOf } from '../errors.ts'
import { type MuxChannel, resetError } from './channel.ts'
import { WireError } from './error.ts'
import { type DataSink, FrameReader } from './frame-reader.ts'
import {
  CONNECTION,
  CREDIT,
  decodeCredit,
  decodeHello,
  END,
  type FrameHead,
  HELLO,
  OPEN,
  RESET,
} from './frames.ts'
import type { Registry } from './registry.ts'

/** Bytes that are shown of what is not our protocol; often it is what a shell or a runtime has to say. */
const EXCERPT = 200

export type ChannelListener = (channel: Duplex, header: Buffer) => void

export interface ReceiverOptions {
  readonly channels: Registry
  /** Makes a channel that the other end opened, and registers it. */
  create(id: number): MuxChannel
  /** The other end said goodbye. */
  goodbye(): void
}

/** Carries out what the other end's frames say. */
export class Receiver {
  listener: ChannelListener | undefined
  /** The bytes that may be sent on a new channel at once; undefined until the other end said hello. */
  credit: number | undefined
  private readonly options: ReceiverOptions
  private readonly frames = new FrameReader({
    control: (head, payload) => this.control(head, payload),
    data: (id, size) => this.data(id, size),
  })

  constructor(options: ReceiverOptions) {
    this.options = options
  }

  /** Takes bytes as they arrive; returns what is wrong with them, in which case none may follow. */
  read(chunk: Buffer): string | undefined {
    try {
      this.frames.push(chunk)
      return undefined
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      if (this.credit !== undefined) return `the other end broke the protocol: ${error.message}`
      const said = JSON.stringify(chunk.toString('utf8', 0, EXCERPT))
      return `the other end does not speak this protocol (${error.message}), it said ${said}`
    }
  }

  /** Whatever arrives from now on is dropped. */
  stop(): void {
    this.frames.stop()
  }

  private control(head: FrameHead, payload: Buffer): void {
    const { type, channel: id } = head
    const { channels, goodbye } = this.options
    if (this.credit === undefined || type === HELLO) this.hello(head, payload)
    else if (type === OPEN) this.accept(id, payload)
    else if (type === END && id === CONNECTION) goodbye()
    else if (type === END) channels.get(id)?.receiveEnd()
    else if (type === CREDIT) channels.get(id)?.grant(decodeCredit(payload))
    else if (type === RESET) channels.get(id)?.fail(resetError(payload))
  }

  private hello({ type, channel }: FrameHead, payload: Buffer): void {
    if (type !== HELLO || channel !== CONNECTION) throw new WireError('no hello')
    if (this.credit !== undefined) throw new WireError('a second hello')
    this.credit = decodeHello(payload)
    for (const each of this.options.channels.all()) each.grant(this.credit)
  }

  private data(id: number, size: number): DataSink | undefined {
    if (this.credit === undefined) throw new WireError('no hello')
    const channel = this.options.channels.get(id)
    channel?.announce(size)
    return channel
  }

  private accept(id: number, header: Buffer): void {
    const { channels, create } = this.options
    channels.accept(id)
    const channel = create(id)
    try {
      if (this.listener === undefined) throw new Error('nobody listens for channels here')
      this.listener(channel, header)
    } catch (error) {
      channel.on('error', () => {}).destroy(new Error(messageOf(error)))
    }
  }
}
