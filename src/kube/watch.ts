import type { IncomingMessage } from 'node:http'
import * as v from 'valibot'
import { KubesyncError } from '../errors.ts'
import { KEEPALIVE_MS } from './connector.ts'
import { apiError, readStatus } from './errors.ts'
import type { Requests } from './requests.ts'
import type { KubeObject } from './resource.ts'

export interface WatchOptions {
  /** Of a collection. */
  readonly path: string
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
  /** Events after this version come. */
  readonly resourceVersion: string
  /** The server ends the watch after that long. */
  readonly timeoutSeconds: number
  /** Milliseconds without a byte after which we end it. */
  readonly idleMs: number
  readonly signal: AbortSignal
}

export interface WatchEvent<T> {
  /** A bookmark carries nothing but the version up to which everything was told. */
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'
  readonly object: T
  readonly resourceVersion: string
}

const eventSchema = v.looseObject({
  type: v.picklist(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR']),
  object: v.looseObject({ metadata: v.optional(v.looseObject({ resourceVersion: v.optional(v.string()) })) }),
})

/** No object is larger: etcd takes 1.5 MB unless told otherwise. */
const MAX_LINE = 64 << 20

/**
 * Opens a watch; resolves once the server agreed. The events end when the server, the link or `idleMs` ends them,
 * none of which says anything about the objects; they throw what the server itself reports (410 above all).
 */
export async function openWatch<T extends KubeObject>(
  client: Requests,
  options: WatchOptions,
): Promise<AsyncGenerator<WatchEvent<T>>> {
  const { path, labelSelector, fieldSelector, resourceVersion, timeoutSeconds, signal } = options
  const query = {
    watch: true,
    allowWatchBookmarks: true,
    labelSelector,
    fieldSelector,
    resourceVersion,
    timeoutSeconds,
  }
  const response = await client.open({ path, query, signal })
  response.socket.setKeepAlive(true, KEEPALIVE_MS)
  return events<T>(client, response, options)
}

async function* events<T extends KubeObject>(
  client: Requests,
  response: IncomingMessage,
  { path, idleMs, signal }: WatchOptions,
): AsyncGenerator<WatchEvent<T>> {
  const end = () => response.destroy()
  const timer = setTimeout(end, idleMs)
  signal.addEventListener('abort', end, { once: true })
  // Whoever was told that it is open may have ended it before the first event was asked for.
  if (signal.aborted) end()
  try {
    for await (const line of lines(response, () => timer.refresh())) yield parseEvent<T>(client, path, line)
  } catch (error) {
    if (error instanceof KubesyncError) throw error
    // A link that broke is no different from one that was closed.
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', end)
    end()
  }
}

async function* lines(response: IncomingMessage, alive: () => void): AsyncGenerator<string> {
  let parts: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    alive()
    let from = 0
    for (let to = chunk.indexOf(10); to >= 0; to = chunk.indexOf(10, from)) {
      yield Buffer.concat([...parts, chunk.subarray(from, to)]).toString('utf8')
      from = to + 1
      parts = []
      bytes = 0
    }
    parts.push(chunk.subarray(from))
    bytes += chunk.length - from
    if (bytes > MAX_LINE)
      throw new KubesyncError('NOT_KUBERNETES', 'A watch event is larger than any object.')
  }
}

function parseEvent<T>(client: Requests, path: string, line: string): WatchEvent<T> {
  const result = v.safeParse(eventSchema, parseJson(line))
  if (!result.success) {
    const message = `What ${client.target.server} sends while ${path} is watched is no event: ${line.slice(0, 100)}`
    throw new KubesyncError('NOT_KUBERNETES', message)
  }
  const { type, object } = result.output
  if (type === 'ERROR') {
    throw apiError(client.target, `watch ${path}`, readStatus(500, JSON.stringify(object)))
  }
  return { type, object: object as T, resourceVersion: object.metadata?.resourceVersion ?? '' }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
