import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { KubesyncError } from '../errors.ts'
import { version } from '../version.ts'
import type { KubeContext } from './config.ts'
import { type Connection, type Connector, connector } from './connector.ts'
import { type Discovery, discovery } from './discovery.ts'
import { actionOf, apiError, readStatus, type Target } from './errors.ts'
import { isObject, type JsonObject } from './json.ts'
import { type ListOptions, listAll, listPages, type Page } from './list.ts'
import { type KubeObject, type ResourceRef, resourcePath } from './resource.ts'
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

const PATCH_TYPES = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const

/** The API server of one context. Every call rejects with a KubesyncError, or with its signal's reason. */
export class KubeClient {
  readonly context: KubeContext
  /** What the server can do; asked once, then remembered. */
  readonly discovery: Discovery
  readonly #connector: Connector

  constructor(context: KubeContext) {
    this.context = context
    this.#connector = connector(context)
    this.discovery = discovery((path, accept) => this.request({ path, accept }))
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
        await sleep(pause, undefined, request.signal === undefined ? {} : { signal: request.signal })
      } else {
        throw apiError(this.target, actionOf(request.method ?? 'GET', request.path), readStatus(code, body))
      }
    }
  }

  /** One object. */
  async get<T extends KubeObject = KubeObject>(ref: ResourceRef & { name: string }): Promise<T> {
    return asObject(await this.request({ path: await this.path(ref) }))
  }

  /**
   * The objects of a type, a page at a time. When the server forgot where it was, it begins again, and the page
   * says so by `restarted`: whoever collects drops the pages before.
   */
  list<T extends KubeObject = KubeObject>(
    ref: ResourceRef,
    options: ListOptions = {},
  ): AsyncIterable<Page<T>> {
    return listPages<T>(this, ref, options)
  }

  /** All objects of a type, and the resourceVersion of the collection. */
  listAll<T extends KubeObject = KubeObject>(ref: ResourceRef, options: ListOptions = {}): Promise<Page<T>> {
    return listAll<T>(this, ref, options)
  }

  /** Creates an object; where is said by its own apiVersion, kind and metadata. */
  async create<T extends KubeObject>(object: T): Promise<T> {
    const path = await this.path({ ...refOf(object), name: undefined })
    return asObject(await this.request({ method: 'POST', path, body: object }))
  }

  /** Server-side apply. Fields that another manager owns are a CONFLICT unless `force`. */
  async apply<T extends KubeObject>(
    object: T,
    options: { fieldManager: string; force?: boolean },
  ): Promise<T> {
    const path = await this.path(refOf(object))
    const query = { fieldManager: options.fieldManager, force: options.force }
    const contentType = PATCH_TYPES.apply
    return asObject(await this.request({ method: 'PATCH', path, query, body: object, contentType }))
  }

  /** Patches an object; a merge patch unless said. */
  async patch<T extends KubeObject = KubeObject>(
    ref: ResourceRef & { name: string },
    patch: unknown,
    type: 'merge' | 'json' | 'strategic' = 'merge',
  ): Promise<T> {
    const request = { method: 'PATCH', body: patch, contentType: PATCH_TYPES[type] } as const
    return asObject(await this.request({ ...request, path: await this.path(ref) }))
  }

  /** Deletes an object; its dependents go in the background unless said. */
  async delete(
    ref: ResourceRef & { name: string },
    options: { propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'; gracePeriodSeconds?: number } = {},
  ): Promise<void> {
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background', ...options }
    await this.request({ method: 'DELETE', path: await this.path(ref), body })
  }

  /** The path of what a reference names; asks the server for the plural of a kind. */
  async path(ref: ResourceRef): Promise<string> {
    if (ref.plural !== undefined) return resourcePath(ref)
    const type = await this.discovery.kind(ref.apiVersion, ref.kind)
    const namespace = type.namespaced ? ref.namespace : undefined
    return resourcePath({ ...ref, plural: type.plural, namespace })
  }

  /** What a WebSocket to the server needs. */
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

/** What the object holds is the server's promise; that it is one object is checked. */
function asObject<T extends KubeObject>(value: JsonObject): T {
  const object: KubeObject = value
  return object as T
}

function refOf(object: KubeObject): ResourceRef {
  const { apiVersion, kind, metadata } = object
  if (apiVersion === undefined || kind === undefined) {
    throw new KubesyncError('INVALID_OBJECT', 'An object to be written needs apiVersion and kind.')
  }
  return { apiVersion, kind, namespace: metadata?.namespace, name: metadata?.name }
}

function retryAfterMs(response: IncomingMessage): number | undefined {
  const seconds = Number(response.headers['retry-after'])
  const code = response.statusCode ?? 0
  if (!(seconds >= 0) || (code !== 429 && code < 500)) return undefined
  return Math.max(seconds, 0.1) * 1000
}
