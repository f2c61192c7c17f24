import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { KubesyncError } from '../errors.ts'
import { version } from '../version.ts'
import type { KubeContext } from './config.ts'
import { type Connection, type Connector, connector } from './connector.ts'
import { actionOf, apiError, readStatus, type Target } from './errors.ts'
import { isObject, type JsonObject } from './json.ts'
import { readBody, send } from './transport.ts'

export interface KubeRequest {
  /** `GET` unless said. */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Absolute path at the server, percent-encoded, without a query (`resourcePath` makes them). */
  readonly path: string
  readonly query?: Query | undefined
  /** Sent as JSON. */
  readonly body?: unknown
  readonly contentType?: string | undefined
  readonly accept?: string | undefined
  /** Milliseconds to the first byte of the answer, and between two of its pieces; 10,000 unless said. */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** Those that are undefined are left out; an array repeats the parameter. */
export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>

const TIMEOUT_MS = 10_000

/** Requests to the API server of one context. Each rejects with a KubesyncError, or with its signal's reason. */
export class Requests {
  readonly context: KubeContext
  readonly #connector: Connector

  constructor(context: KubeContext) {
    this.context = context
    this.#connector = connector(context)
  }

  /** Sends a request and reads the JSON object that answers it. */
  async request(request: KubeRequest): Promise<JsonObject> {
    const response = await this.open(request)
    const { timeoutMs: idleMs = TIMEOUT_MS, signal } = request
    const body = await readBody(this.target, response, { idleMs, signal })
    return parseAnswer(this.target, request.path, body)
  }

  /** Sends a request and resolves with the answer while its body is still coming; it is a success. */
  async open(request: KubeRequest): Promise<IncomingMessage> {
    const timeoutMs = request.timeoutMs ?? TIMEOUT_MS
    const deadline = Date.now() + timeoutMs
    let connection = await this.connection()
    let renewed = false
    for (;;) {
      const response = await this.#send(request, connection, timeoutMs)
      const code = response.statusCode ?? 0
      if (code < 300) return response
      const body = await readBody(this.target, response, { idleMs: timeoutMs, signal: request.signal })
      const pause = retryAfterMs(response)
      if (code === 401 && !renewed) {
        renewed = true
        connection = await this.renewedConnection(connection)
      } else if (pause !== undefined && Date.now() + pause < deadline) {
        await pauseFor(pause, request.signal)
      } else {
        throw apiError(this.target, actionOf(request.method ?? 'GET', request.path), readStatus(code, body))
      }
    }
  }

  /** What it takes to be let in, for connections of another kind. */
  connection(): Promise<Connection> {
    return this.#connector.connection()
  }

  /** The same with fresh credentials, after the server refused those. */
  renewedConnection(refused: Connection): Promise<Connection> {
    this.#connector.refresh(refused)
    return this.#connector.connection()
  }

  /** URL of a path at the server, which may itself live below a path. */
  url(path: string, query: Query = {}): URL {
    const url = new URL(this.context.server + path)
    for (const [name, value] of Object.entries(query)) {
      if (Array.isArray(value)) for (const one of value) url.searchParams.append(name, String(one))
      else if (value !== undefined) url.searchParams.set(name, String(value))
    }
    return url
  }

  get target(): Target {
    return { server: this.context.server, context: this.context.name }
  }

  /** Ends requests and watches under way, and idle connections. */
  close(): void {
    this.#connector.close()
  }

  async #send(request: KubeRequest, connection: Connection, timeoutMs: number): Promise<IncomingMessage> {
    const body = request.body === undefined ? undefined : JSON.stringify(request.body)
    const headers = {
      Accept: request.accept ?? 'application/json',
      'User-Agent': `kubesync/${version}`,
      ...(body === undefined
        ? {}
        : {
            'Content-Type': request.contentType ?? 'application/json',
            'Content-Length': Buffer.byteLength(body),
          }),
    }
    return send(this.target, connection, {
      url: this.url(request.path, request.query),
      method: request.method ?? 'GET',
      headers,
      body,
      timeoutMs,
      signal: request.signal,
    })
  }
}

function parseAnswer(target: Target, path: string, body: string): JsonObject {
  try {
    const value: unknown = JSON.parse(body)
    if (isObject(value)) return value
  } catch {
    // Told below: something other than an API server answers there.
  }
  throw new KubesyncError(
    'NOT_KUBERNETES',
    `What ${target.server} answers to ${path} is not a Kubernetes object: ${body.slice(0, 100)}`,
    { hint: `Check the server of context "${target.context}"; a proxy may answer in its place.` },
  )
}

async function pauseFor(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(milliseconds, undefined, signal === undefined ? {} : { signal }).catch(() =>
    signal?.throwIfAborted(),
  )
}

function retryAfterMs(response: IncomingMessage): number | undefined {
  const seconds = Number(response.headers['retry-after'])
  const code = response.statusCode ?? 0
  if (!(seconds >= 0) || (code !== 429 && code < 500)) return undefined
  return Math.max(seconds, 0.1) * 1000
}
