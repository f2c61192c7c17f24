import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createWebSocketStream } from 'ws'
import { errnoOf } from '../../errors.ts'
import { hostIP, type Pod, podIPOf } from './pod-spec.ts'
import { servePlainForward } from './portforward-plain.ts'
import { type SpdyStream, serveSpdy } from './spdy.ts'
import type { Upgrade } from './streams.ts'
import { acceptWebSocket } from './websocket.ts'

/** SPDY inside a WebSocket, as clients of Kubernetes speak it since 1.31. */
const protocol = 'SPDY/3.1+portforward.k8s.io'

/** Serves a client that forwards ports of a pod. Throws an ApiFailure as long as nothing was answered. */
export function servePortForward(pod: Pod, upgrade: Upgrade): void {
  if (upgrade.request.headers['sec-websocket-protocol']?.includes(protocol)) {
    acceptWebSocket(upgrade, [protocol], (socket) => {
      const connection = createWebSocketStream(socket)
      connection.on('error', () => {})
      forwardPorts(pod, connection).then(
        () => socket.close(1000),
        () => socket.close(1002),
      )
    })
  } else {
    servePlainForward(upgrade, (port) => reach(pod, port))
  }
}

/**
 * Forwards ports of a pod until the connection ends: each that is dialled is two streams with one request ID, one for its
 * bytes and one for what went wrong.
 * Source: https://github.com/kubernetes/enhancements/tree/master/keps/sig-api-machinery/4006-transition-spdy-to-websockets
 */
export function forwardPorts(pod: Pod, connection: Duplex): Promise<void> {
  const waiting = new Map<string, SpdyStream>()
  return serveSpdy(connection, (stream) => {
    const id = stream.headers.get('requestid') ?? ''
    const other = waiting.get(id)
    if (other === undefined) {
      waiting.set(id, stream)
      stream.once('close', () => waiting.delete(id))
      return
    }
    waiting.delete(id)
    const [data, error] = stream.headers.get('streamtype') === 'data' ? [stream, other] : [other, stream]
    void forward(pod, data, error)
  })
}

async function forward(pod: Pod, data: SpdyStream, error: SpdyStream): Promise<void> {
  const port = Number(data.headers.get('port'))
  error.resume()
  try {
    const socket = await reach(pod, port)
    data.once('close', () => socket.destroy())
    await Promise.allSettled([pipeline(data, socket), pipeline(socket, data)])
  } catch (failure) {
    error.write(failure instanceof Error ? failure.message : String(failure))
    data.destroy()
  }
  error.end()
}

/** Connects to a port of a pod; rejects with what a kubelet would say. */
async function reach(pod: Pod, port: number): Promise<Socket> {
  try {
    return await dial(podIPOf(pod), port).catch(() => dial(hostIP, port))
  } catch (failure) {
    const refused = errnoOf(failure) === 'ECONNREFUSED'
    const why = `dial tcp4 ${hostIP}:${port}: ${refused ? 'connect: connection refused' : failure}`
    const where = `to pod ${pod.metadata.name}, uid ${pod.metadata.uid}`
    throw new Error(
      `error forwarding port ${port} ${where}: failed to connect to localhost:${port} inside the pod: ${why}`,
    )
  }
}

async function dial(host: string, port: number): Promise<Socket> {
  const socket = connect({ host, port, allowHalfOpen: true })
  await once(socket, 'connect')
  return socket
}
