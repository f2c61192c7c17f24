import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createNetServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer as createTlsServer } from 'node:tls'
import { FaultyConnection, type Use, type Weather } from './faulty.ts'
import type { Certificates } from './tls.ts'

/** Where requests come in: a port with TLS, whose connections can be made to fail. */
export interface Front {
  readonly port: number
  readonly isListening: boolean
  /** Closes the port and breaks every connection. */
  stop(): Promise<void>
  /** Opens the same port again. */
  start(): Promise<void>
  /** Breaks the open connections of a use; how many there were. */
  cut(use: Use | 'all'): number
}

export interface FrontOptions {
  readonly certificates: Certificates
  readonly weather: Weather
  handle(request: IncomingMessage, response: ServerResponse): void
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

/** Opens it at a port that is free. */
export async function openFront(options: FrontOptions): Promise<Front> {
  const { weather, certificates } = options
  const open = new Map<FaultyConnection, Use>()
  const raw = new Set<Socket>()

  const http = createHttpServer((request, response) => {
    use(request)
    options.handle(request, response)
  })
  http.on('upgrade', (request, socket, head) => {
    use(request)
    options.upgrade(request, socket, head)
  })
  // Watches and streams may be silent for as long as they want.
  http.requestTimeout = 0
  const tls = createTlsServer({ cert: certificates.cert, key: certificates.key }, (socket) => {
    socket.setNoDelay(true)
    const connection = new FaultyConnection(socket, weather)
    connection.on('error', () => {})
    connection.once('close', () => open.delete(connection))
    open.set(connection, 'request')
    http.emit('connection', connection)
  })
  tls.on('tlsClientError', () => {})
  const net = createNetServer((socket) => {
    raw.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => raw.delete(socket))
    void Promise.resolve(weather.hole).then(() => tls.emit('connection', socket))
  })

  function use({ url = '', socket }: IncomingMessage): void {
    // What is given to `http` is what comes back from it, whatever its type says.
    const connection: Duplex = socket
    if (!(connection instanceof FaultyConnection)) return
    const found = useOf(url)
    open.set(connection, found)
    const { limits } = weather
    connection.cutAfter(limits.get(found) ?? limits.get('all') ?? Number.POSITIVE_INFINITY)
  }

  async function listen(port: number): Promise<void> {
    await once(net.listen(port, '127.0.0.1'), 'listening')
  }

  await listen(0)
  const { port } = net.address() as AddressInfo
  return {
    port,
    get isListening() {
      return net.listening
    },
    start: () => (net.listening ? Promise.resolve() : listen(port)),
    async stop() {
      if (!net.listening) return
      const closed = once(net, 'close')
      net.close()
      for (const socket of raw) socket.destroy()
      await closed
    },
    cut(wanted) {
      const matching = [...open].filter(([, found]) => wanted === 'all' || found === wanted)
      for (const [connection] of matching) connection.destroy()
      return matching.length
    },
  }
}

const subresources: Readonly<Record<string, Use>> = {
  ...{ exec: 'exec', attach: 'exec', portforward: 'port-forward', log: 'log' },
}

function useOf(url: string): Use {
  // Not as a URL: what a client sends need not be one.
  const [pathname = '', query] = url.split('?')
  if (['true', '1'].includes(new URLSearchParams(query).get('watch') ?? '')) return 'watch'
  const subresource = /^\/api\/v1\/namespaces\/[^/]+\/pods\/[^/]+\/(\w+)$/.exec(pathname)?.[1]
  return subresources[subresource ?? ''] ?? 'request'
}
