import type { Duplex, Readable } from 'node:stream'
import { duplexPair, type PairOptions } from './duplex-pair.ts'
import { type Channel, Mux } from './mux.ts'

export interface Connected {
  readonly client: Mux
  readonly server: Mux
  /** The next channel that the server gets, with its header. */
  accept(): Promise<{ channel: Channel; header: string }>
}

export function connect(options: PairOptions & { window?: number } = {}): Connected {
  const [a, b] = duplexPair(options)
  const window = options.window === undefined ? {} : { window: options.window }
  const client = new Mux(a, { role: 'client', ...window })
  const server = new Mux(b, { role: 'server', ...window })
  const arrived: { channel: Channel; header: string }[] = []
  let wake = () => {}
  server.onChannel((channel, header) => {
    arrived.push({ channel, header: header.toString() })
    wake()
  })
  async function accept() {
    for (;;) {
      const next = arrived.shift()
      if (next !== undefined) return next
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  return { client, server, accept }
}

export async function open(
  connected: Connected,
  header = 'test',
): Promise<[client: Channel, server: Channel]> {
  const channel = connected.client.open(Buffer.from(header))
  return [channel, (await connected.accept()).channel]
}

export async function bytesOf(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  await new Promise<void>((resolve, reject) => {
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', resolve).on('error', reject)
  })
  return Buffer.concat(chunks)
}

export const failure = (stream: Duplex) => new Promise<Error>((resolve) => stream.once('error', resolve))
export const closing = (stream: Duplex) => new Promise<void>((resolve) => stream.once('close', resolve))
/** Long enough for everything under way in memory to arrive. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 50; i++) await new Promise(setImmediate)
}

/** Cuts into chunks of these sizes, over and over. */
export function cutter(sizes: readonly number[]): (bytes: Buffer) => Buffer[] {
  let turn = 0
  return (bytes) => {
    const pieces = []
    for (let offset = 0; offset < bytes.length; ) {
      const size = sizes[turn++ % sizes.length] ?? 1
      pieces.push(bytes.subarray(offset, offset + size))
      offset += size
    }
    return pieces
  }
}
