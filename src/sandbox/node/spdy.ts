import { Duplex } from 'node:stream'
import { createInflate, type Inflate } from 'node:zlib'
import { dictionary } from './spdy-dictionary.ts'
import { send } from './websocket.ts'

/*
 * As much of SPDY/3.1 as a server of Kubernetes needs, whose clients open all streams. There are no windows: the usual
 * implementation has none either, and holds the whole connection back instead.
 * Source: https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/
 */

const type = { synStream: 1, synReply: 2, rstStream: 3, ping: 6 } as const
const headerBytes = 8
const fin = 1
const cancel = 5
const version = 0x8003
/** More streams than this at once nobody needs. */
const maxStreams = 1000

/** A stream that the client opened, with the headers it gave. */
export class SpdyStream extends Duplex {
  readonly headers: ReadonlyMap<string, string>
  readonly #id: number
  readonly #connection: Duplex
  #wanted: (() => void) | undefined

  constructor(id: number, headers: ReadonlyMap<string, string>, connection: Duplex) {
    super()
    this.#id = id
    this.headers = headers
    this.#connection = connection
  }

  /** Takes data of the client's; resolves when there is room for more. */
  async accept(data: Buffer): Promise<void> {
    if (this.destroyed || this.readableEnded || this.push(data)) return
    await new Promise<void>((resolve) => {
      this.#wanted = resolve
    })
  }

  override _read(): void {
    this.#wanted?.()
    this.#wanted = undefined
  }

  override _write(data: Buffer, _: BufferEncoding, done: () => void): void {
    void send(this.#connection, dataFrame(this.#id, 0, data)).then(done)
  }

  override _final(done: () => void): void {
    void send(this.#connection, dataFrame(this.#id, fin, Buffer.alloc(0))).then(done)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this._read()
    if (!this.writableFinished) void send(this.#connection, control(type.rstStream, words(this.#id, cancel)))
    done(error)
  }
}

/** Serves a connection until it ends. Throws on what is not SPDY. */
export async function serveSpdy(connection: Duplex, onStream: (stream: SpdyStream) => void): Promise<void> {
  const streams = new Map<number, SpdyStream>()
  const inflate = createInflate({ dictionary })
  let replied = false

  async function open({ id, flags, payload }: Frame): Promise<void> {
    if (streams.has(id) || streams.size >= maxStreams) throw new Error(`SPDY stream ${id} cannot be opened`)
    const headers = parseHeaders(await inflated(inflate, payload.subarray(10)))
    const stream = new SpdyStream(id, headers, connection)
    streams.set(id, stream)
    stream.on('error', () => {}).once('close', () => streams.delete(id))
    if ((flags & fin) !== 0) stream.push(null)
    await send(connection, control(type.synReply, Buffer.concat([words(id), noHeaders(!replied)])))
    replied = true
    onStream(stream)
  }

  async function handle(frame: Frame): Promise<void> {
    const { id, payload } = frame
    const stream = streams.get(id)
    if (frame.type === type.synStream) await open(frame)
    if (frame.type === type.rstStream) stream?.destroy()
    // A client's pings are odd.
    if (frame.type === type.ping && id % 2 === 1) await send(connection, control(type.ping, payload))
    if (frame.type !== undefined) return
    if (payload.length > 0) await stream?.accept(payload)
    if ((frame.flags & fin) !== 0) stream?.push(null)
  }

  try {
    for await (const frame of frames(connection)) await handle(frame)
  } finally {
    inflate.close()
    for (const stream of streams.values()) stream.destroy()
  }
}

interface Frame {
  /** Undefined for data. */
  readonly type: number | undefined
  /** Of a stream, or of a ping. */
  readonly id: number
  readonly flags: number
  readonly payload: Buffer
}

async function* frames(connection: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  let bytes: Buffer = Buffer.alloc(0)
  for await (const piece of connection) {
    bytes = Buffer.concat([bytes, piece])
    for (let end = frameEnd(bytes); bytes.length >= end; end = frameEnd(bytes)) {
      yield parseFrame(bytes.subarray(0, end))
      bytes = bytes.subarray(end)
    }
  }
}

function frameEnd(bytes: Buffer): number {
  return headerBytes + (bytes.length < headerBytes ? 0 : bytes.readUIntBE(5, 3))
}

function parseFrame(bytes: Buffer): Frame {
  const rest = { flags: bytes.readUInt8(4), payload: bytes.subarray(headerBytes) }
  if (bytes.readUInt8(0) < 0x80) return { type: undefined, id: bytes.readUInt32BE(0), ...rest }
  if (bytes.readUInt16BE(0) !== version) throw new Error('not SPDY/3')
  const id = rest.payload.length < 4 ? 0 : rest.payload.readUInt32BE(0)
  return { type: bytes.readUInt16BE(2), id, ...rest }
}

function dataFrame(stream: number, flags: number, data: Buffer): Buffer {
  const head = words(stream, data.length)
  head[4] = flags
  return Buffer.concat([head, data])
}

function control(kind: number, payload: Buffer): Buffer {
  return Buffer.concat([words(version * 0x10000 + kind, payload.length), payload])
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4)
  return bytes
}

/**
 * A block of no headers. All blocks are one zlib stream, which the first begins; stored, they need no compressor. The empty
 * block at the end is a flush, without which a decompressor would wait for more.
 */
function noHeaders(first: boolean): Buffer {
  return Buffer.from(`${first ? '7801' : ''}000400fbff00000000000000ffff`, 'hex')
}

function inflated(inflate: Inflate, block: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    inflate.once('error', reject)
    inflate.write(block, () => {
      inflate.off('error', reject)
      resolve(inflate.read() ?? Buffer.alloc(0))
    })
  })
}

function parseHeaders(block: Buffer): Map<string, string> {
  const headers = new Map<string, string>()
  let position = 4
  const text = () => {
    const length = block.readUInt32BE(position)
    position += 4 + length
    return block.toString('utf8', position - length, position)
  }
  for (let left = block.readUInt32BE(0); left > 0; left -= 1) headers.set(text(), text())
  return headers
}
