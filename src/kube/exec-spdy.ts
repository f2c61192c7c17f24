import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import { messageOf } from '../errors.ts'
import { type Connection, KEEPALIVE_MS } from './connector.ts'
import {
  type ExecListener,
  type ExecTransport,
  type Refused,
  STATUS,
  STDERR,
  STDIN,
  STDOUT,
} from './exec-transport.ts'
import { firstEvent } from './first-event.ts'
import { dataHeader, FIN, HEADER_BYTES, pingFrame, readFrames, synStreams } from './spdy.ts'

/** Streams are numbered by who opens them, a client's are odd; this order is kubectl's. */
const STREAMS = [
  { id: 1, type: 'error', channel: STATUS },
  { id: 3, type: 'stdin', channel: STDIN },
  { id: 5, type: 'stdout', channel: STDOUT },
  { id: 7, type: 'stderr', channel: STDERR },
] as const
const STDIN_STREAM = 3
/** A frame fills TLS records: whoever passes them on pays for each, however little is in it. */
const PIECE_BYTES = (128 << 10) - HEADER_BYTES

/**
 * Opens a SPDY connection with a stream for each channel of a command, the way of kubectl with servers
 * before 1.30. There it can close stdin, which WebSockets cannot, and costs the node less than half of the CPU time.
 */
export async function openSpdy(
  url: URL,
  connection: Connection,
  signal: AbortSignal,
): Promise<ExecTransport | Refused> {
  const options = {
    method: 'POST',
    headers: {
      ...connection.headers,
      Connection: 'Upgrade',
      Upgrade: 'SPDY/3.1',
      'X-Stream-Protocol-Version': 'v4.channel.k8s.io',
    },
    ...connection.tls,
    agent: connection.proxy ?? false,
  } as const
  const request = url.protocol === 'http:' ? httpRequest(url, options) : httpsRequest(url, options)
  request.on('error', () => undefined)
  request.end()
  try {
    const { name, args } = await firstEvent(request, ['upgrade', 'response'], signal)
    if (name === 'response') return { refusal: args[0] as IncomingMessage }
    return transport(args[1] as Socket, args[2] as Buffer)
  } catch (error) {
    request.destroy()
    throw error
  }
}

function transport(socket: Socket, head: Buffer): ExecTransport {
  let pings = 0
  socket.setNoDelay(true)
  socket.setKeepAlive(true, KEEPALIVE_MS)
  socket.on('error', () => undefined)
  if (head.length > 0) socket.unshift(head)
  socket.write(synStreams(STREAMS))
  const send = (piece: Buffer, flags: number, taken: () => void) => {
    socket.cork()
    socket.write(dataHeader(STDIN_STREAM, flags, piece.length))
    socket.write(piece, taken)
    socket.uncork()
  }
  const reading = startReading(socket)
  return {
    canEndStdin: true,
    pieceBytes: PIECE_BYTES,
    get isPaused() {
      return reading.isPaused
    },
    listen: (listener) => listen(socket, reading, listener),
    send: (piece, taken) => send(piece, 0, taken),
    endStdin: () => send(Buffer.alloc(0), FIN, () => undefined),
    ping: () => {
      pings += 1
      socket.write(pingFrame(pings * 2 - 1))
    },
    pause: reading.pause,
    resume: reading.resume,
    terminate: () => socket.destroy(),
  }
}

interface Reading {
  /** So it is until somebody takes what comes and calls `resume`. */
  isPaused: boolean
  take: (chunk: Buffer) => void
  pause(): void
  resume(): void
}

/** Reads a connection in chunks as large as what came: record by record, each would cost as much as one of them. */
function startReading(socket: Socket): Reading {
  let isTaking = false
  const takeAll = () => {
    if (isTaking) return
    isTaking = true
    while (!reading.isPaused && !socket.destroyed) {
      const chunk: Buffer | null = socket.read()
      if (chunk === null) break
      reading.take(chunk)
    }
    isTaking = false
  }
  const reading: Reading = {
    isPaused: true,
    take: () => undefined,
    pause: () => {
      reading.isPaused = true
    },
    resume: () => {
      reading.isPaused = false
      takeAll()
    },
  }
  socket.on('readable', takeAll)
  return reading
}

function listen(socket: Socket, reading: Reading, { onData, onAlive, onClose }: ExecListener): void {
  const channels = new Map<number, number>(STREAMS.map(({ id, channel }) => [id, channel]))
  let failure: string | undefined
  const read = readFrames({
    onData: (stream, data) => onData(channels.get(stream) ?? -1, data),
    // Ours come back; the server's are sent back, as they are.
    onPing: (id) => (id % 2 === 1 ? onAlive() : socket.write(pingFrame(id))),
  })
  reading.take = (chunk) => {
    try {
      read(chunk)
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(messageOf(error)))
    }
  }
  socket.on('error', (error) => {
    failure = messageOf(error)
  })
  // The server sends its end when all is said; ours would follow only when all was written.
  socket.on('end', () => socket.destroy())
  socket.on('close', () => onClose(failure ?? 'the server closed it'))
  reading.resume()
}
