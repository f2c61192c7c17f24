import type { IncomingMessage } from 'node:http'
import { KubesyncError, messageOf } from '../errors.ts'
import { version } from '../version.ts'
import type { KubeClient } from './client.ts'
import type { Connection } from './connector.ts'
import { ApiError, apiError, connectionError, readStatus } from './errors.ts'
import { ExecStream } from './exec-stream.ts'
import type { openWebSocket } from './exec-websocket.ts'
import { readBody } from './transport.ts'

export type Opener = typeof openWebSocket

/** A pod's stream that is to be opened. */
export interface StreamRequest {
  readonly url: URL
  readonly opener: Opener
  /** `namespace/name` */
  readonly pod: string
  /** Follows "cannot" and "not allowed to". */
  readonly action: string
  /** Milliseconds for the stream to open; 10,000 unless said. */
  readonly timeoutMs?: number | undefined
  /** Aborting closes the stream, also once it is open. */
  readonly signal?: AbortSignal | undefined
}

const TIMEOUT_MS = 10_000

/**
 * Opens a stream to a pod, with fresh credentials if the server refuses those at hand.
 *
 * @throws KubesyncError as requests do: `SERVER_UNREACHABLE`, `UNAUTHORIZED`, `FORBIDDEN`, `NOT_FOUND`, …
 */
export async function openStream(client: KubeClient, request: StreamRequest): Promise<ExecStream> {
  const connection = await client.connection()
  try {
    return await open(client, request, connection)
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'UNAUTHORIZED') throw error
    return await open(client, request, await client.renewedConnection(connection))
  }
}

async function open(client: KubeClient, request: StreamRequest, connection: Connection): Promise<ExecStream> {
  const { timeoutMs = TIMEOUT_MS } = request
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(silence(client, request, timeoutMs)), timeoutMs)
  const signal = request.signal === undefined ? late.signal : AbortSignal.any([late.signal, request.signal])
  try {
    signal.throwIfAborted()
    const headers = { 'User-Agent': `kubesync/${version}`, ...connection.headers }
    const opened = await request.opener(request.url, { ...connection, headers }, signal)
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

function closeOnAbort(stream: ExecStream, signal: AbortSignal | undefined): void {
  if (signal === undefined) return
  const abort = () => stream.destroy()
  signal.addEventListener('abort', abort, { once: true })
  stream.once('close', () => signal.removeEventListener('abort', abort))
}

async function refusal(
  client: KubeClient,
  { action }: StreamRequest,
  response: IncomingMessage,
): Promise<ApiError> {
  const { statusCode: code = 0, socket } = response
  const body = await readBody(client.target, response, { idleMs: TIMEOUT_MS }).catch(messageOf)
  // Nobody else would: to the HTTP client it is a connection that was to be upgraded.
  socket.destroy()
  return apiError(client.target, action, readStatus(code, body))
}

function silence(client: KubeClient, { pod }: StreamRequest, milliseconds: number): KubesyncError {
  return new KubesyncError(
    'SERVER_UNREACHABLE',
    `No stream to the pod ${pod} was opened within ${milliseconds / 1000} s by ${client.target.server}.`,
    {
      hint: 'Either the API server does not answer (`kubectl version`), or the node of the pod (`kubectl get nodes`).',
    },
  )
}
