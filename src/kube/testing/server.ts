import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { onTestFinished } from 'vitest'
import { KubeClient } from '../client.ts'
import { type ContextOptions, type KubeContext, loadContext } from '../config.ts'
import { ca, serverCertificate, serverKey } from './certificates.ts'
import { temporaryFile } from './files.ts'

/** What a test says of one request. */
export type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/** An HTTPS server on this machine that answers as a test says, for as long as the test runs. */
export interface TestServer {
  readonly url: string
  /** Method and URL of what was asked so far. */
  readonly asked: readonly string[]
  /** How many connections are open. */
  connections(): number
  /** Replaces what answers requests. */
  handle(handler: Handler): void
  handleUpgrades(handler: UpgradeHandler): void
  /** Breaks all connections, as a crash would. */
  cut(): void
  /** Stops listening and breaks all connections; `start` listens at the same port again. */
  stop(): Promise<void>
  start(): Promise<void>
  /** A context for this server, as a kubeconfig would name it. */
  context(user?: object, cluster?: object): Promise<KubeContext>
  /** A client for that context. */
  client(user?: object, cluster?: object): Promise<KubeClient>
}

export async function startServer(options: { requestCert?: boolean } = {}): Promise<TestServer> {
  const sockets = new Set<Duplex>()
  const clients: KubeClient[] = []
  const asked: string[] = []
  let handler: Handler = (_request, response) => answerStatus(response, 404, 'NotFound')
  const server = createServer({
    key: serverKey,
    cert: serverCertificate,
    ...(options.requestCert === true ? { requestCert: true, ca } : {}),
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('request', async (request: IncomingMessage, response: ServerResponse) => {
    asked.push(`${request.method} ${request.url}`)
    handler(request, response, await textOf(request))
  })
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  await listen(server, 0)
  const { port } = server.address() as AddressInfo
  const url = `https://localhost:${port}`
  const context = async (user: object = { token: 'secret' }, cluster: object = {}) =>
    loadContext(await contextOptions(url, user, cluster))

  onTestFinished(() => {
    for (const client of clients) client.close()
    server.close()
    cut()
  })
  return {
    url,
    asked,
    connections: () => sockets.size,
    handle: (next) => {
      handler = next
    },
    handleUpgrades: (next) => {
      server.removeAllListeners('upgrade')
      server.on('upgrade', next)
    },
    cut,
    stop: async () => {
      const closed = once(server, 'close')
      server.close()
      cut()
      await closed
    },
    start: () => listen(server, port),
    context,
    client: async (user, cluster) => {
      const client = new KubeClient(await context(user, cluster))
      clients.push(client)
      return client
    },
  }
}

/** Options that lead to a kubeconfig of one context, `test`. */
export async function contextOptions(server: string, user: object, cluster: object): Promise<ContextOptions> {
  const config = {
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'cluster', user: 'user' } }],
    clusters: [
      { name: 'cluster', cluster: { server, 'certificate-authority-data': base64(ca), ...cluster } },
    ],
    users: [{ name: 'user', user }],
  }
  return { kubeconfig: await temporaryFile('config', JSON.stringify(config)), env: {} }
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

export function answer(response: ServerResponse, body: object): void {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(`${JSON.stringify(body)}\n`)
}

/** Answers with a failure as the API server words it. */
export function answerStatus(response: ServerResponse, code: number, reason: string, message = reason): void {
  const body = { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message }
  response.writeHead(code, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, 'localhost')
  await once(server, 'listening')
}
