import {
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from 'node:http'
import { request as httpsRequest } from 'node:https'
import { errnoOf, KubesyncError } from '../errors.ts'
import type { Connection } from './connector.ts'
import { connectionError, silenceError, type Target } from './errors.ts'

export interface Outgoing {
  readonly url: URL
  readonly method: string
  readonly headers: OutgoingHttpHeaders
  readonly body?: string | undefined
  /** For everything up to the answer's first byte: name, connection, TLS, the server's thinking. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** Sends a request and resolves with the answer's head. Rejects with a KubesyncError, or the signal's reason. */
export async function send(
  target: Target,
  connection: Connection,
  outgoing: Outgoing,
): Promise<IncomingMessage> {
  try {
    return await attempt(target, connection, outgoing)
  } catch (error) {
    // The server closed an idle connection just as we used it again: nothing was wrong with the server.
    if (!(error instanceof StaleConnection)) throw error
    return await attempt(target, { ...connection, agent: connection.proxy }, outgoing)
  }
}

class StaleConnection extends Error {}

function attempt(target: Target, connection: Connection, outgoing: Outgoing): Promise<IncomingMessage> {
  const { signal, timeoutMs } = outgoing
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const request = start(connection, outgoing)
    const timer = setTimeout(() => request.destroy(silenceError(target, timeoutMs)), timeoutMs)
    const abort = () => request.destroy()
    signal?.addEventListener('abort', abort, { once: true })
    const settled = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    }
    request.once('response', (response) => {
      settled()
      resolve(response)
    })
    request.on('error', (error) => {
      settled()
      if (signal?.aborted) reject(signal.reason)
      else reject(isStale(request, outgoing, error) ? new StaleConnection() : connectionError(target, error))
    })
    request.end(outgoing.body)
  })
}

function isStale(request: ClientRequest, outgoing: Outgoing, error: unknown): boolean {
  const broken = ['ECONNRESET', 'EPIPE'].includes(errnoOf(error) ?? '')
  return request.reusedSocket && outgoing.method === 'GET' && broken && !(error instanceof KubesyncError)
}

function start(connection: Connection, { url, method, headers }: Outgoing): ClientRequest {
  const options = {
    method,
    headers: { ...headers, ...connection.headers },
    ...connection.tls,
    ...(connection.agent === undefined ? { agent: false as const } : { agent: connection.agent }),
  }
  return url.protocol === 'http:' ? httpRequest(url, options) : httpsRequest(url, options)
}

/** Reads a whole body; rejects when nothing of it comes for `idleMs`, or when the signal aborts. */
export async function readBody(
  target: Target,
  response: IncomingMessage,
  { idleMs, signal }: { idleMs: number; signal?: AbortSignal | undefined },
): Promise<string> {
  const chunks: Buffer[] = []
  const timer = setTimeout(() => response.destroy(silenceError(target, idleMs)), idleMs)
  const abort = () => response.destroy()
  signal?.addEventListener('abort', abort, { once: true })
  try {
    for await (const chunk of response) {
      chunks.push(chunk as Buffer)
      timer.refresh()
    }
    return Buffer.concat(chunks).toString('utf8')
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    throw connectionError(target, error)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
  }
}
