import type { IncomingMessage } from 'node:http'
import { KubesyncError, messageOf } from '../errors.ts'
import { version } from '../version.ts'
import type { KubeClient } from './client.ts'
import type { Connection } from './connector.ts'
import { ApiError, apiError, connectionError, readStatus } from './errors.ts'
import { openSpdy } from './exec-spdy.ts'
import { ExecStream } from './exec-stream.ts'
import { openWebSocket } from './exec-websocket.ts'
import { resourcePath } from './resource.ts'
import { readBody } from './transport.ts'

export type { ExecExit } from './exec-status.ts'
export type { ExecStream } from './exec-stream.ts'

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

type Opener = typeof openWebSocket

const TIMEOUT_MS = 10_000
/** The first minor version whose WebSockets can do all that SPDY can. */
const WEBSOCKET_MINOR = 30

/**
 * Runs a command in a container and resolves with its streams once the server agreed. As kubectl does, over a
 * WebSocket, or over SPDY if the server is older than 1.30; and over the other one if
 * something between us and the server refuses the first.
 *
 * @throws KubesyncError as requests do: `SERVER_UNREACHABLE`, `UNAUTHORIZED`, `FORBIDDEN`, `NOT_FOUND`, …
 */
export async function exec(client: KubeClient, request: ExecRequest): Promise<ExecStream> {
  const [first, second] = await openersFor(client)
  try {
    return await openAuthorized(client, request, first)
  } catch (error) {
    if (!isUpgradeRefused(error)) throw error
    return await openAuthorized(client, request, second)
  }
}

async function openersFor(client: KubeClient): Promise<readonly [Opener, Opener]> {
  const isNew = await client.discovery.version().then(
    ({ major, minor }) => major > 1 || (major === 1 && minor >= WEBSOCKET_MINOR),
    (error: unknown) => {
      if (error instanceof ApiError) return true
      throw error
    },
  )
  return isNew ? [openWebSocket, openSpdy] : [openSpdy, openWebSocket]
}

/** The API server gives a reason with what it decides; a proxy that knows no upgrades does not. */
function isUpgradeRefused(error: unknown): boolean {
  return error instanceof ApiError && ['', 'BadRequest'].includes(error.status.reason)
}

async function openAuthorized(client: KubeClient, request: ExecRequest, opener: Opener): Promise<ExecStream> {
  const connection = await client.connection()
  try {
    return await open(client, request, { opener, connection })
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'UNAUTHORIZED') throw error
    return await open(client, request, { opener, connection: await client.renewedConnection(connection) })
  }
}

async function open(
  client: KubeClient,
  request: ExecRequest,
  { opener, connection }: { opener: Opener; connection: Connection },
): Promise<ExecStream> {
  const { timeoutMs = TIMEOUT_MS } = request
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(silence(client, request, timeoutMs)), timeoutMs)
  const signal = request.signal === undefined ? late.signal : AbortSignal.any([late.signal, request.signal])
  try {
    signal.throwIfAborted()
    const headers = { 'User-Agent': `kubesync/${version}`, ...connection.headers }
    const opened = await opener(urlOf(client, request), { ...connection, headers }, signal)
    if ('refusal' in opened) throw await refusal(client, request, opened.refusal)
    const stream = new ExecStream(opened)
    closeOnAbort(stream, request.signal)
    return stream
  } catch (error) {
    throw signal.aborted ? signal.reason : connectionError(client.target, error)
  } finally {
    clearTimeout(timer)
  }
}

function urlOf(client: KubeClient, { namespace, pod, container, command }: ExecRequest): URL {
  const path = resourcePath({ apiVersion: 'v1', plural: 'pods', namespace, name: pod, subresource: 'exec' })
  return client.url(path, { container, command, stdin: true, stdout: true, stderr: true })
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
): Promise<ApiError> {
  const { statusCode: code = 0, socket } = response
  const body = await readBody(client.target, response, { idleMs: TIMEOUT_MS }).catch(messageOf)
  // Nobody else would: to the HTTP client it is a connection that was to be upgraded.
  socket.destroy()
  const action = `run a command in the pod ${request.namespace}/${request.pod} (pods/exec)`
  return apiError(client.target, action, readStatus(code, body))
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
