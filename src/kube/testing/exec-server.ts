import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { type Duplex, PassThrough } from 'node:stream'
import { constants, inflateSync } from 'node:zlib'
import { WebSocketServer } from 'ws'
import { STATUS, STDIN } from '../exec-transport.ts'
import { answer, startServer, type TestServer } from './server.ts'

export type Protocol = 'v5.channel.k8s.io' | 'v4.channel.k8s.io' | 'SPDY/3.1'

/** The server's end of one exec. */
export interface Peer {
  readonly url: URL
  /** What came to stdin; ends when the client closes it. */
  readonly stdin: PassThrough
  /** Resolves when the connection is gone. */
  readonly closed: Promise<unknown>
  /** Resolves once the connection took it. */
  send(channel: number, data: Buffer | string): Promise<void>
  /** Sends the status that ends a command, and closes the connection. */
  exit(status: object): Promise<void>
  /** Reads nothing more, pings included, until `resume`. */
  pause(): void
  resume(): void
  /** Breaks the connection. */
  cut(): void
}

export const success = { metadata: {}, status: 'Success' }

/** An API server that knows only one protocol for exec, and the peers of the commands that were run there. */
export async function startExecServer(
  protocol: Protocol,
): Promise<{ server: TestServer; next(): Promise<Peer> }> {
  const server = await startServer()
  const isSpdy = protocol === 'SPDY/3.1'
  server.handle((_request, response) => answer(response, { gitVersion: isSpdy ? 'v1.29.0' : 'v1.30.0' }))
  const waiting: Peer[] = []
  let arrived: () => void = () => undefined
  const accept = (peer: Peer) => {
    waiting.push(peer)
    arrived()
  }
  server.handleUpgrades((request, socket, head) => {
    const url = new URL(request.url ?? '', server.url)
    const isKnown = isSpdy === (request.headers.upgrade === 'SPDY/3.1')
    if (!isKnown) socket.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n')
    else if (isSpdy) acceptSpdy({ url, request, socket, head }, accept)
    else acceptWebSocket({ url, request, socket, head }, protocol, accept)
  })
  return {
    server,
    next: async () => {
      while (waiting.length === 0) {
        await new Promise<void>((resolve) => {
          arrived = resolve
        })
      }
      return waiting.shift() as Peer
    },
  }
}

interface Upgrade {
  readonly url: URL
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
}

function acceptWebSocket(
  { url, request, socket, head }: Upgrade,
  protocol: string,
  accept: (peer: Peer) => void,
): void {
  const known = new WebSocketServer({ noServer: true, handleProtocols: () => protocol })
  known.handleUpgrade(request, socket, head, (webSocket) => {
    const stdin = new PassThrough({ highWaterMark: 1 << 30 })
    const closed = once(webSocket, 'close')
    const send = (channel: number, data: Buffer | string) =>
      new Promise<void>((resolve) => {
        webSocket.send(Buffer.concat([Buffer.of(channel), Buffer.from(data)]), () => resolve())
      })
    webSocket.on('error', () => undefined)
    webSocket.on('message', (message: Buffer) => {
      if (message[0] === STDIN) stdin.write(message.subarray(1))
      if (message[0] === 255 && message[1] === STDIN) stdin.end()
    })
    // As servers do, before anything else.
    for (const channel of [0, 1, 2]) void send(channel, '')
    accept({
      url,
      stdin,
      closed,
      send,
      exit: async (status) => {
        await send(STATUS, JSON.stringify(status))
        webSocket.close(1000)
      },
      pause: () => webSocket.pause(),
      resume: () => webSocket.resume(),
      cut: () => socket.destroy(),
    })
  })
}

/** The other end of ../exec-spdy.ts, written from the specification: it reads headers where that ignores them. */
function acceptSpdy({ url, request, socket }: Upgrade, accept: (peer: Peer) => void): void {
  const version = request.headers['x-stream-protocol-version']
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${version}\r\n\r\n`,
  )
  const stdin = new PassThrough({ highWaterMark: 1 << 30 })
  const streams = new Map<string, number>()
  const blocks: Buffer[] = []
  let rest: Buffer = Buffer.alloc(0)
  const onFrame = (frame: Buffer) => {
    const payload = frame.subarray(8)
    if (frame[0] !== 0x80) {
      if (frame.readUInt32BE(0) === streams.get('stdin')) stdin.write(payload)
      if (frame[4] === 1) stdin.end()
    } else if (frame[3] === 1) {
      blocks.push(payload.subarray(10))
      const texts = inflateSync(Buffer.concat(blocks), { finishFlush: constants.Z_SYNC_FLUSH }).toString(
        'latin1',
      )
      streams.set(/(error|stdin|stdout|stderr)$/.exec(texts)?.[0] ?? '', payload.readUInt32BE(0))
      if (streams.size === 4) accept(peer)
    } else if (frame[3] === 6) {
      socket.write(frame)
    }
  }
  socket.on('error', () => undefined)
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= 8 && rest.length >= 8 + rest.readUIntBE(5, 3)) {
      const length = 8 + rest.readUIntBE(5, 3)
      onFrame(rest.subarray(0, length))
      rest = rest.subarray(length)
    }
  })
  const send = (channel: number, data: Buffer | string) => {
    const bytes = Buffer.from(data)
    const header = Buffer.alloc(8)
    header.writeUInt32BE(streams.get(['stdin', 'stdout', 'stderr', 'error'][channel] ?? '') ?? 0, 0)
    header.writeUIntBE(bytes.length, 5, 3)
    return new Promise<void>((resolve) => {
      socket.write(Buffer.concat([header, bytes]), () => resolve())
    })
  }
  const peer: Peer = {
    url,
    stdin,
    closed: once(socket, 'close'),
    send,
    exit: async (status) => {
      await send(STATUS, JSON.stringify(status))
      socket.end()
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    cut: () => socket.destroy(),
  }
}
