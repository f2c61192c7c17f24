import type { IncomingMessage } from 'node:http'
import { WebSocket } from 'ws'
import { messageOf } from '../errors.ts'
import { type Connection, KEEPALIVE_MS } from './connector.ts'
import { type ExecListener, type ExecTransport, type Refused, STDIN } from './exec-transport.ts'
import { firstEvent } from './first-event.ts'

/** v5 can close stdin; servers before 1.30 know v4 only. */
const PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io']
/** v5: `[255, channel]` closes a channel. */
const CLOSE = 255
/** kubectl's size. */
const PIECE_BYTES = 32 << 10
/** A server that sends more in one message is none of Kubernetes. */
const MAX_MESSAGE_BYTES = 32 << 20

/**
 * Opens a WebSocket that carries the channels of a command: one message = channel number + data
 * (k8s.io/apimachinery/pkg/util/remotecommand).
 */
export async function openWebSocket(
  url: URL,
  connection: Connection,
  signal: AbortSignal,
): Promise<ExecTransport | Refused> {
  const target = new URL(url)
  target.protocol = url.protocol === 'http:' ? 'ws:' : 'wss:'
  const socket = new WebSocket(target, PROTOCOLS, {
    ...connection.tls,
    ...(connection.proxy === undefined ? {} : { agent: connection.proxy }),
    headers: connection.headers as Record<string, string>,
    perMessageDeflate: false,
    skipUTF8Validation: true,
    maxPayload: MAX_MESSAGE_BYTES,
    // Masks keep scripts in browsers from choosing what proxies see; inside TLS nobody sees. An empty one
    // saves two thirds of the CPU time of sending.
    ...(target.protocol === 'wss:' ? { generateMask: () => undefined } : {}),
  })
  // Whoever gives up, here or later, may still get errors from a connection that is being torn down.
  socket.on('error', () => undefined)
  // It stands still until somebody listens.
  socket.once('open', () => socket.pause())
  socket.once('upgrade', (response) => response.socket.setKeepAlive(true, KEEPALIVE_MS))
  try {
    const { name, args } = await firstEvent(socket, ['open', 'unexpected-response'], signal)
    return name === 'open' ? transport(socket) : { refusal: args[1] as IncomingMessage }
  } catch (error) {
    socket.terminate()
    throw error
  }
}

function transport(socket: WebSocket): ExecTransport {
  const canEndStdin = socket.protocol.startsWith('v5')
  return {
    canEndStdin,
    pieceBytes: PIECE_BYTES,
    get isPaused() {
      return socket.isPaused
    },
    listen: (listener) => listen(socket, listener),
    send: (piece, taken) => socket.send(message(piece), taken),
    endStdin: () => socket.send(Buffer.of(CLOSE, STDIN)),
    ping: () => socket.ping(),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    terminate: () => socket.terminate(),
  }
}

function listen(socket: WebSocket, { onData, onAlive, onClose }: ExecListener): void {
  let failure: string | undefined
  socket.on('message', (data: Buffer) => {
    // Servers begin with empty messages.
    if (data.length > 0) onData(data[0] ?? 0, data.subarray(1))
  })
  socket.on('pong', onAlive)
  socket.on('error', (error) => {
    failure = messageOf(error)
  })
  socket.on('close', (code, reason) => {
    const why = reason.length > 0 ? `${code}, ${reason.toString('utf8')}` : `${code}`
    onClose(failure ?? `the server closed it (${why})`)
  })
  socket.resume()
}

function message(piece: Buffer): Buffer {
  const whole = Buffer.allocUnsafe(1 + piece.length)
  whole[0] = STDIN
  piece.copy(whole, 1)
  return whole
}
