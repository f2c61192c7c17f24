import { once } from 'node:events'
import { type Duplex, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createWebSocketStream } from 'ws'
import { notImplemented } from '../failure.ts'
import type { Upgrade } from './streams.ts'
import { acceptWebSocket, send } from './websocket.ts'

/** Of the first port; the next ones would have 2 and 3. */
const channel = { data: 0, error: 1 } as const

/** What connects to a port of the pod. Rejects with why it cannot. */
type Dial = (port: number) => Promise<Duplex>

/**
 * Forwards one port in the older way: one message = channel number + data, and the first message of each channel is the
 * port's number, little-endian. Source: k8s.io/kubelet/pkg/cri/streaming/portforward/websocket.go.
 */
export function servePlainForward(upgrade: Upgrade, dial: Dial): void {
  const { searchParams } = new URL(upgrade.request.url ?? '', 'http://any')
  const [port = 0, ...more] = searchParams.getAll('ports').map(Number)
  if (more.length > 0) throw notImplemented('several ports in one WebSocket without SPDY')
  acceptWebSocket(upgrade, ['v4.channel.k8s.io'], async (socket) => {
    const client = createWebSocketStream(socket, { readableObjectMode: true, readableHighWaterMark: 4 })
    client.on('error', () => {})
    const say = (to: number, data: Buffer) => send(client, Buffer.concat([Buffer.of(to), data]))
    for (const each of Object.values(channel)) await say(each, Buffer.of(port & 255, port >> 8))
    try {
      const target = await dial(port)
      client.once('close', () => target.destroy())
      void feed(client, target)
      const back = new Writable({
        write: (chunk, _, done) => void say(channel.data, chunk).then(() => done()),
      })
      await pipeline(target, back)
    } catch (error) {
      await say(channel.error, Buffer.from(error instanceof Error ? error.message : String(error)))
    }
    socket.close(1000)
    await once(socket, 'close')
  })
}

async function feed(client: Duplex, target: Duplex): Promise<void> {
  target.on('error', () => {})
  try {
    for await (const said of client) {
      const message = Buffer.from(said)
      if (message[0] === channel.data) await send(target, message.subarray(1))
    }
  } catch {
    // The client is gone.
  }
  target.destroy()
}
