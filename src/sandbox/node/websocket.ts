import type { Writable } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { badRequest, notImplemented } from '../failure.ts'
import type { Upgrade } from './streams.ts'

/** As a real server's. */
const maxPayload = 32 << 20

/**
 * Upgrades a connection to a WebSocket that speaks the first of the protocols that the client offers too. Throws an
 * ApiFailure when it cannot: nothing was answered then.
 */
export function acceptWebSocket(
  { request, socket, head }: Upgrade,
  protocols: readonly string[],
  onAccepted: (socket: WebSocket) => void,
): void {
  if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
    throw notImplemented('streams over anything but WebSockets')
  }
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
  const protocol = protocols.find((name) => offered.includes(name))
  if (protocol === undefined) {
    throw badRequest(`unable to negotiate protocol: client supports ${offered}, server supports ${protocols}`)
  }
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload })
  // The name of the tunnel's protocol is no token, so that ws would refuse it: the answer names it instead of ws.
  delete request.headers['sec-websocket-protocol']
  server.on('headers', (headers) => headers.push(`Sec-WebSocket-Protocol: ${protocol}`))
  server.handleUpgrade(request, socket, head, onAccepted)
}

/** Writes, and waits until it is written; that the stream is gone is no error. */
export function send(stream: Writable, data: Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableEnded) resolve()
    else stream.write(data, () => resolve())
  })
}
