import type { IncomingMessage } from 'node:http'
import { WebSocket } from 'ws'
import { KubesyncError, messageOf } from '../errors.ts'
import { version } from '../version.ts'
import type { KubeClient } from './client.ts'
import type { Connection } from './connector.ts'
import { apiError, connectionError, readStatus } from './errors.ts'
import { ExecStream } from './exec-stream.ts'
import { resourcePath } from './resource.ts'
import { readBody } from './transport.ts'

export type { ExecExit } from './exec-status.ts'
export { ExecStream } from './exec-stream.ts'

export interface ExecRequest {
  readonly namespace: string
  readonly pod: string
  readonly container: string
  /** Program and arguments; no shell takes them apart. */
  readonly command: readonly string[]
  /** Milliseconds for the stream to open; 10,000 unless said. */
  readonly timeoutMs?: number | undefined
  /** Aborting closes the stream, also once it is open. */
  readonly signal?: AbortSignal | undefined
}

/** v5 can half-close stdin; servers before 1.30 know v4 only. */
const PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io']
const TIMEOUT_MS = 10_000
/** A server that buffers more than this for one message is none of Kubernetes. */
const MAX_MESSAGE = 32 << 20

/**
 * Runs a command in a container and resolves with its streams once the server agreed.
 *
 * @throws KubesyncError as requests do: `SERVER_UNREACHABLE`, `UNAUTHORIZED`, `FORBIDDEN`, `NOT_FOUND`, …
 */
export async function exec(client: KubeClient, request: ExecRequest): Promise<ExecStream> {
  try {
    return await open(client, request, await client.connection())
  } catch (error) {
    if (!(error instanceof KubesyncError) || error.code !== 'UNAUTHORIZED') throw error
    return await open(client, request, await client.renewedConnection())
  }
}

function open(client: KubeClient, request: ExecRequest, connection: Connection): Promise<ExecStream> {
  const { signal, timeoutMs = TIMEOUT_MS } = request
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const socket = dial(client, request, connection)
    const fail = (error: unknown) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      socket.terminate()
      reject(error)
    }
    const abort = () => fail(signal?.reason)
    const timer = setTimeout(() => fail(silence(client, request, timeoutMs)), timeoutMs)
    signal?.addEventListener('abort', abort, { once: true })
    socket.on('error', (error) => fail(connectionError(client.target, error)))
    socket.once('unexpected-response', (_request, response) => {
      refusal(client, request, response).then(fail, fail)
    })
    socket.once('upgrade', (response) => response.socket.setKeepAlive(true, 15_000))
    socket.once('open', () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      socket.removeAllListeners('error')
      const stream = new ExecStream(socket)
      closeOnAbort(stream, signal)
      resolve(stream)
    })
  })
}

function dial(client: KubeClient, request: ExecRequest, connection: Connection): WebSocket {
  const { namespace, pod, container, command } = request
  const path = resourcePath({ apiVersion: 'v1', plural: 'pods', namespace, name: pod, subresource: 'exec' })
  const query = { container, command, stdin: true, stdout: true, stderr: true, tty: false }
  const url = client.url(path, query)
  url.protocol = url.protocol === 'http:' ? 'ws:' : 'wss:'
  return new WebSocket(url, PROTOCOLS, {
    ...connection.tls,
    ...(connection.proxy === undefined ? {} : { agent: connection.proxy }),
    headers: { 'User-Agent': `kubesync/${version}`, ...connection.headers } as Record<string, string>,
    perMessageDeflate: false,
    skipUTF8Validation: true,
    maxPayload: MAX_MESSAGE,
  })
}

function closeOnAbort(stream: ExecStream, signal: AbortSignal | undefined): void {
  if (signal === undefined) return
  const abort = () => stream.destroy()
  signal.addEventListener('abort', abort, { once: true })
  stream.once('close', () => signal.removeEventListener('abort', abort))
}

async function refusal(
  client: KubeClient,
  request: ExecRequest,
  response: IncomingMessage,
): Promise<KubesyncError> {
  const code = response.statusCode ?? 0
  const body = await readBody(client.target, response, { idleMs: TIMEOUT_MS }).catch(messageOf)
  const path = `pods/exec ${request.namespace}/${request.pod}`
  return apiError(client.target, { method: 'POST', path }, readStatus(code, body))
}

function silence(client: KubeClient, { namespace, pod }: ExecRequest, milliseconds: number): KubesyncError {
  return new KubesyncError(
    'SERVER_UNREACHABLE',
    `No stream to the pod ${namespace}/${pod} was opened within ${milliseconds / 1000} s by ${client.target.server}.`,
    {
      hint: 'Either the API server does not answer (`kubectl version`), or the node of the pod (`kubectl get nodes`).',
    },
  )
}
