import { setTimeout as sleep } from 'node:timers/promises'
import { KubesyncError, messageOf } from '../errors.ts'
import { backoff } from './backoff.ts'
import type { KubeClient } from './client.ts'
import { ApiError } from './errors.ts'
import { listAllAt } from './list.ts'
import { type Change, type Mirror, mirror } from './mirror.ts'
import type { KubeObject } from './resource.ts'
import { openWatch } from './watch.ts'

export interface ReflectOptions {
  /** Of a collection: `await client.path({apiVersion: 'v1', plural: 'pods', namespace})`. */
  readonly path: string
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
  /** Ends it. */
  readonly signal: AbortSignal
}

export type ReflectEvent<T> =
  /** Once, before all changes: everything there is. */
  | { readonly type: 'synced'; readonly items: readonly T[] }
  /** What became of an object since; of a deleted one, the last that was seen. */
  | Change<T>
  | ReflectState

/** Whether the server can be followed; when it cannot, what was told stays the last that is known. */
export type ReflectState =
  | { readonly type: 'state'; readonly state: 'connected' }
  | { readonly type: 'state'; readonly state: 'disconnected'; readonly error: KubesyncError }

/** Bookmarks come each minute: a watch that is silent for longer is dead, and opening it again is harmless. */
const IDLE_MS = 75_000
/** The server ends a watch after 5 to 10 minutes, at random so that not all come back at once. */
const WATCH_SECONDS = 300
/** A watch that lived that long, or told anything, was no failure. */
const FRUITFUL_MS = 5_000

/**
 * Follows a collection until the signal is aborted: list, then watch from the version of the list, as client-go's reflector
 * does. When the server forgot that version (410), lists again and tells exactly the differences. The
 * changes of an object come in its order, none twice; states that it had between two looks may be skipped.
 *
 * Rejects only with what the handler throws.
 */
export async function reflect<T extends KubeObject = KubeObject>(
  client: KubeClient,
  options: ReflectOptions,
  handler: (event: ReflectEvent<T>) => void,
): Promise<void> {
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  let thrown: { error: unknown } | undefined
  const emit = (event: ReflectEvent<T>) => {
    if (signal.aborted) return
    try {
      handler(event)
    } catch (error) {
      thrown = { error }
      stop.abort()
    }
  }
  const reflection = new Reflection<T>(client, { ...options, signal }, emit)
  const pause = backoff()
  while (!signal.aborted) {
    if (await reflection.round()) pause.reset()
    await sleep(pause.next(), undefined, { signal }).catch(() => undefined)
  }
  if (thrown !== undefined) throw thrown.error
}

class Reflection<T extends KubeObject> {
  readonly #client: KubeClient
  readonly #options: ReflectOptions
  readonly #emit: (event: ReflectEvent<T>) => void
  readonly #known: Mirror<T> = mirror<T>()
  #synced = false
  /** Up to which everything was told; undefined when only a list can say. */
  #version: string | undefined
  /** The last state told, with its error's words. */
  #told: string | undefined

  constructor(client: KubeClient, options: ReflectOptions, emit: (event: ReflectEvent<T>) => void) {
    this.#client = client
    this.#options = options
    this.#emit = emit
  }

  /** Lists if need be, and watches for as long as that goes well; false if it did not go well at all. */
  async round(): Promise<boolean> {
    const started = performance.now()
    let told = 0
    try {
      this.#version ??= await this.#list()
      for await (const event of await this.#watch(this.#version)) {
        told += 1
        this.#version = event.resourceVersion || this.#version
        if (event.type !== 'BOOKMARK') this.#tell(this.#known.apply(event.type, event.object))
      }
    } catch (error) {
      this.#failed(error)
    }
    return told > 0 || performance.now() - started > FRUITFUL_MS
  }

  async #list(): Promise<string> {
    const { items, resourceVersion } = await listAllAt<T>(this.#client, this.#options.path, this.#options)
    this.#state({ type: 'state', state: 'connected' })
    const changes = this.#known.replace(items)
    if (this.#synced) this.#tell(changes)
    else this.#emit({ type: 'synced', items })
    this.#synced = true
    return resourceVersion
  }

  async #watch(resourceVersion: string) {
    const timeoutSeconds = Math.round(WATCH_SECONDS * (1 + Math.random()))
    const options = { ...this.#options, resourceVersion, timeoutSeconds, idleMs: IDLE_MS }
    const events = await openWatch<T>(this.#client, options)
    this.#state({ type: 'state', state: 'connected' })
    return events
  }

  #tell(changes: readonly Change<T>[]): void {
    for (const change of changes) this.#emit(change)
  }

  #failed(error: unknown): void {
    if (this.#options.signal.aborted) return
    if (error instanceof ApiError && isVersionUnknown(error)) {
      this.#version = undefined
      return
    }
    const reason =
      error instanceof KubesyncError ? error : new KubesyncError('SERVER_UNREACHABLE', messageOf(error))
    this.#state({ type: 'state', state: 'disconnected', error: reason })
  }

  #state(state: ReflectState): void {
    const words = state.state === 'connected' ? '' : `${state.error.code} ${state.error.message}`
    if (words === this.#told) return
    this.#told = words
    this.#emit(state)
  }
}

/**
 * The server cannot go on from the version: it forgot it, or never had it, as after etcd was restored from a
 * backup.
 */
function isVersionUnknown({ status }: ApiError): boolean {
  return [400, 410].includes(status.code) || /too large resource version/i.test(status.message)
}
