import type { ServerResponse } from 'node:http'
import type { Context } from './context.ts'
import { crdKey } from './crd.ts'
import { ApiFailure, expired, statusOf } from './failure.ts'
import { failureOf } from './http.ts'
import type { KubeObject } from './object.ts'
import { checkListOptions, numberOf, resourceVersionOf, selection, tooLarge } from './read.ts'
import { inVersion } from './resource.ts'
import type { Target } from './route.ts'
import type { Selects } from './selector.ts'
import type { Change } from './store.ts'

/** How an event's object is shown: whole, as a table's row, only its metadata. */
export type Show = (object: KubeObject) => unknown

/** What a watch is asked for. */
export interface WatchRequest {
  readonly target: Target
  readonly query: URLSearchParams
  readonly show: Show
}

interface Event {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: KubeObject
}

/** Bytes of live events that may wait for a slow reader; past them it is cut off, and has to watch anew. */
const maxWaiting = 16 * 1024 * 1024
const compacted = 'The resourceVersion for the provided watch is too old.'
const bookmarkEvery = 60_000
/** How long before its end a watch tells once more how far it got. */
const lastBookmark = 100

/** Streams the changes of what the target names until the time is over or the client goes. */
export function watch(
  context: Context,
  { target, query, show }: WatchRequest,
  response: ServerResponse,
): void {
  checkListOptions(query, true)
  const seconds = numberOf(query, 'timeoutSeconds') ?? 1800 + Math.round(Math.random() * 1800)
  const scope = { target, selects: selection(target, query) }
  const asked = { revision: resourceVersionOf(query) ?? 0, initial: query.get('sendInitialEvents') }
  const send = ({ type, object }: Event) => write(response, { type, object: () => show(object) })
  const bookmark = (initial = false) => {
    const object = () => show(bookmarkOf(target, context.store.revision, initial))
    if (isTrue(query.get('allowWatchBookmarks'))) write(response, { type: 'BOOKMARK', object })
  }
  const fail = (failure: ApiFailure) => {
    write(response, { type: 'ERROR', object: () => statusOf(failure) })
    response.end()
  }
  const stop = () => {
    bookmark()
    response.end()
  }

  response.writeHead(200, { 'Content-Type': 'application/json' })
  response.flushHeaders()
  const begun = begin(context, scope, asked)
  if (begun instanceof ApiFailure) {
    fail(begun)
    return
  }
  begun.events.forEach(send)
  if (asked.initial === 'true') bookmark(true)
  const waiting = response.writableLength + maxWaiting
  const follower = (event: Event) => {
    send(event)
    if (response.writableLength > waiting) response.destroy()
  }
  const forget = follow(context, scope, { after: begun.revision, send: follower, stop })
  const forgetCompactions = context.store.onCompact(() => fail(expired(compacted)))
  const bookmarking = setInterval(bookmark, bookmarkEvery)
  const timer = setTimeout(stop, Math.max(0, seconds * 1000 - lastBookmark))
  response.once('close', () => {
    forget()
    forgetCompactions()
    clearInterval(bookmarking)
    clearTimeout(timer)
  })
}

/** Writes an event as a line of JSON. What cannot be shown is told of: whoever changes an object is not to suffer from those who watch it. */
function write(response: ServerResponse, { type, object }: { type: string; object: () => unknown }): void {
  if (response.writableEnded || response.destroyed) return
  try {
    response.write(`${JSON.stringify({ type, object: object() })}\n`)
  } catch (error) {
    response.write(`${JSON.stringify({ type: 'ERROR', object: statusOf(failureOf(error)) })}\n`)
  }
}

/** What a watch is about. */
interface Scope {
  readonly target: Target
  readonly selects: Selects
}

interface Follower {
  readonly after: number
  readonly send: (event: Event) => void
  readonly stop: () => void
}

/** Commits may be told of out of order when one leads to another: they are sorted before they leave. */
function follow({ store, registry }: Context, scope: Scope, { after, send, stop }: Follower): () => void {
  const { apiVersion, key, info } = scope.target.type
  let changes: Change[] = []
  const flush = () => {
    const told = changes.sort((a, b) => a.revision - b.revision)
    changes = []
    for (const change of told) if (change.revision > after) eventsOf(change, scope).forEach(send)
    if (registry.find(apiVersion, info.plural) === undefined) stop()
  }
  return store.onChange((change) => {
    if (change.resource !== key && change.resource !== crdKey) return
    if (changes.length === 0) queueMicrotask(flush)
    changes.push(change)
  })
}

/** The events that a watch begins with, and the revision they lead to. */
function begin(
  { store }: Context,
  scope: Scope,
  { revision, initial }: { revision: number; initial: string | null },
) {
  const { type, namespace } = scope.target
  if (initial === 'true' && revision > store.revision) return tooLarge(revision, store.revision)
  if (initial === 'true' || (revision === 0 && initial === null)) {
    const objects = store.list(type.key, namespace).map((object) => inVersion(object, type.apiVersion))
    const events = objects.filter(scope.selects).map((object): Event => ({ type: 'ADDED', object }))
    return { events, revision: store.revision }
  }
  if (revision === 0) return { events: [], revision: store.revision }
  try {
    const events = store.since(revision, type.key).flatMap((change) => eventsOf(change, scope))
    return { events, revision: Math.max(revision, store.revision) }
  } catch (error) {
    if (error instanceof ApiFailure) return error
    throw error
  }
}

/** What a commit is to a watch: an object that comes to be selected is new to it, one that no longer is has gone. */
function eventsOf({ resource, type, object, previous }: Change, { target, selects }: Scope): Event[] {
  const { key, apiVersion } = target.type
  if (resource !== key) return []
  if (target.namespace !== undefined && object.metadata.namespace !== target.namespace) return []
  const after = inVersion(object, apiVersion)
  const before = previous && inVersion(previous, apiVersion)
  const was = before !== undefined && selects(before)
  const is = type !== 'DELETED' && selects(after)
  if (is) return [{ type: was ? 'MODIFIED' : 'ADDED', object: after }]
  if (!was) return []
  const { resourceVersion } = object.metadata
  const gone = { ...before, metadata: { ...before.metadata, resourceVersion } } as KubeObject
  return [{ type: 'DELETED', object: gone }]
}

function bookmarkOf({ type }: Target, revision: number, initial: boolean): KubeObject {
  const annotations = initial ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}
  const metadata = { resourceVersion: String(revision), ...annotations }
  return { kind: type.info.kind, apiVersion: type.apiVersion, metadata } as unknown as KubeObject
}

const isTrue = (value: string | null) => value !== null && ['', 'true', '1'].includes(value)
