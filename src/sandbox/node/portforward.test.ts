import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { type Duplex, duplexPair } from 'node:stream'
import { constants, createDeflate } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { podOf } from './pod-spec.ts'
import { forwardPorts } from './portforward.ts'
import { dictionary } from './spdy-dictionary.ts'

const pod = podOf({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'default', uid: '11111111-2222-3333-4444-555555555555' },
  spec: { containers: [] },
})

let echo: Server
let port: string
let client: TunnelClient
let over: Promise<void>

beforeEach(async () => {
  echo = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket)).listen(0, '127.0.0.1')
  await once(echo, 'listening')
  port = String((echo.address() as AddressInfo).port)
  const [near, far] = duplexPair()
  over = forwardPorts(pod, far)
  client = new TunnelClient(near)
})
afterEach(async () => {
  client.connection.end()
  await over.catch(() => {})
  echo.close()
})

/** As much of a SPDY client as port-forward needs. */
class TunnelClient {
  readonly connection: Duplex
  readonly #deflate = createDeflate({ dictionary })
  readonly #data = new Map<number, Buffer[]>()
  readonly #ended = new Set<number>()
  /** Control frames that came: type, and stream or ping. */
  readonly control: [type: number, id: number][] = []
  #rest: Buffer = Buffer.alloc(0)

  constructor(connection: Duplex) {
    this.connection = connection
    connection.on('data', (bytes: Buffer) => this.#read(bytes)).on('error', () => {})
  }

  async open(id: number, headers: Readonly<Record<string, string>>): Promise<void> {
    const text = (value: string) => Buffer.concat([word(value.length), Buffer.from(value)])
    const entries = Object.entries(headers)
    this.#deflate.write(Buffer.concat([word(entries.length), ...entries.flatMap((entry) => entry.map(text))]))
    await new Promise<void>((resolve) => this.#deflate.flush(constants.Z_SYNC_FLUSH, () => resolve()))
    const block: Buffer = this.#deflate.read()
    this.#control(1, Buffer.concat([word(id), word(0), Buffer.alloc(2), block]))
  }

  send(id: number, data: string | Buffer, fin = false): void {
    const head = Buffer.concat([word(id), word(data.length)])
    head[4] = fin ? 1 : 0
    this.connection.write(Buffer.concat([head, Buffer.from(data)]))
  }

  /** All that came on a stream, when it has ended. */
  async all(id: number): Promise<string> {
    while (!this.#ended.has(id)) await once(this.connection, 'data')
    return Buffer.concat(this.#data.get(id) ?? []).toString()
  }

  reset(id: number): void {
    this.#control(3, Buffer.concat([word(id), word(5)]))
  }

  ping(id: number): void {
    this.#control(6, word(id))
  }

  /** Opens the two streams of a connection to a port; the first one's number is given. */
  async dial(id: number, to: string): Promise<void> {
    const headers = { port: to, requestid: String(id) }
    await this.open(id, { streamtype: 'error', ...headers })
    this.send(id, '', true)
    await this.open(id + 2, { streamtype: 'data', ...headers })
  }

  #control(type: number, payload: Buffer): void {
    this.connection.write(Buffer.concat([word(0x80030000 + type), word(payload.length), payload]))
  }

  #read(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes])
    while (this.#rest.length >= 8 && this.#rest.length >= 8 + this.#rest.readUIntBE(5, 3)) {
      const end = 8 + this.#rest.readUIntBE(5, 3)
      const frame = this.#rest.subarray(0, end)
      this.#rest = this.#rest.subarray(end)
      if ((frame[0] ?? 0) >= 0x80) {
        this.control.push([frame[3] ?? 0, frame.readUInt32BE(8)])
        if (frame[3] === 3) this.#ended.add(frame.readUInt32BE(8))
        continue
      }
      const id = frame.readUInt32BE(0)
      this.#data.set(id, [...(this.#data.get(id) ?? []), frame.subarray(8)])
      if (frame[4] === 1) this.#ended.add(id)
    }
  }
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

test('bytes go both ways, and each side ends on its own', async () => {
  await client.dial(1, port)
  client.send(3, 'hello ')
  client.send(3, 'world', true)
  expect(await client.all(3)).toBe('hello world')
  expect(await client.all(1)).toBe('')
})

test('many connections share one tunnel', async () => {
  for (const id of [1, 5, 9, 13]) await client.dial(id, port)
  for (const id of [1, 5, 9, 13]) client.send(id + 2, `number ${id}`, true)
  expect(await Promise.all([15, 11, 7, 3].map((id) => client.all(id)))).toEqual([
    'number 13',
    'number 9',
    'number 5',
    'number 1',
  ])
})

test('what is large arrives whole', async () => {
  await client.dial(1, port)
  const piece = 'x'.repeat(1 << 16)
  for (let left = 200; left > 0; left -= 1) {
    client.send(3, piece)
    await new Promise((resolve) => setImmediate(resolve))
  }
  client.send(3, '', true)
  expect((await client.all(3)).length).toBe(200 << 16)
})

test('a port where nobody listens is told on the error stream', async () => {
  echo.close()
  await once(echo, 'close')
  await client.dial(1, port)
  expect(await client.all(1)).toMatch(
    new RegExp(`^error forwarding port ${port} to pod web, uid .*: connect: connection refused$`),
  )
})

test('a connection that is reset is closed on the other side too', async () => {
  const accepted = once(echo, 'connection')
  await client.dial(1, port)
  const [socket] = await accepted
  client.send(3, 'hello')
  client.reset(3)
  await once(socket, 'close')
  expect(await client.all(1)).toBe('')
})

test('pings are answered', async () => {
  client.ping(7)
  await expect.poll(() => client.control).toEqual([[6, 7]])
})

test('another version of SPDY ends the tunnel', async () => {
  client.connection.write(Buffer.from('8002000600000004', 'hex'))
  client.connection.write(word(1))
  await expect(over).rejects.toThrow('not SPDY/3')
})
