import type { IncomingMessage, ServerResponse } from 'node:http'
import type { KubeObject } from '../resource.ts'
import { answer, answerStatus } from './server.ts'

interface Recorded {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly version: number
  readonly object: KubeObject
}

/** The objects of one type as an API server keeps them: with a history that watches are told from. */
export class Collection {
  /** All that ever happened. */
  readonly history: Recorded[] = []
  /** How a version that was forgotten is refused. */
  goneBy: 'status' | 'event' = 'status'
  readonly #objects = new Map<string, KubeObject>()
  readonly #watches = new Set<ServerResponse>()
  #version = 1
  #forgotten = 0

  get objects(): readonly KubeObject[] {
    return [...this.#objects.values()]
  }

  get watches(): number {
    return this.#watches.size
  }

  /** Creates an object, or changes it. */
  put(name: string): void {
    const before = this.#objects.get(name)
    this.#version += 1
    const uid = before?.metadata?.uid ?? `uid-${this.#version}`
    const object = { metadata: { name, uid, resourceVersion: String(this.#version) } }
    this.#objects.set(name, object)
    this.#record(before === undefined ? 'ADDED' : 'MODIFIED', object)
  }

  remove(name: string): void {
    const before = this.#objects.get(name)
    if (before === undefined) return
    this.#version += 1
    this.#objects.delete(name)
    this.#record('DELETED', {
      metadata: { ...before.metadata, name, resourceVersion: String(this.#version) },
    })
  }

  /** Forgets all versions before this one. */
  compact(): void {
    this.#forgotten = this.#version
  }

  /** Something else in the cluster changes: the version grows, and nothing here. */
  pass(): void {
    this.#version += 1
  }

  bookmark(): void {
    const object = { metadata: { resourceVersion: String(this.#version) } }
    for (const watch of this.#watches) send(watch, { type: 'BOOKMARK', object })
  }

  /** Ends the watches in good order, as a server does after timeoutSeconds. */
  endWatches(): void {
    for (const watch of this.#watches) watch.end()
    this.#watches.clear()
  }

  /** Sends half of an event and breaks the connection. */
  breakWatches(): void {
    for (const watch of this.#watches) {
      watch.write('{"type":"DELETED","object":{"meta', () => watch.destroy())
    }
    this.#watches.clear()
  }

  readonly handle = (request: IncomingMessage, response: ServerResponse): void => {
    const { searchParams } = new URL(request.url ?? '', 'https://localhost')
    if (searchParams.get('watch') === 'true')
      this.#watch(Number(searchParams.get('resourceVersion')), response)
    else answer(response, this.#list(Number(searchParams.get('continue')), Number(searchParams.get('limit'))))
  }

  #record(type: Recorded['type'], object: KubeObject): void {
    this.history.push({ type, version: this.#version, object })
    for (const watch of this.#watches) send(watch, { type, object })
  }

  #watch(from: number, response: ServerResponse): void {
    const message = `Too large resource version: ${from}, current: ${this.#version}`
    if (from > this.#version) answerStatus(response, 504, 'Timeout', message)
    else if (from >= this.#forgotten) this.#tell(from, response)
    else if (this.goneBy === 'status') answerStatus(response, 410, 'Expired')
    else answer(response, { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })
  }

  #tell(from: number, response: ServerResponse): void {
    response.writeHead(200, { 'Content-Type': 'application/json' }).flushHeaders()
    for (const { type, version, object } of this.history) {
      if (version > from) send(response, { type, object })
    }
    this.#watches.add(response)
    response.on('close', () => this.#watches.delete(response))
  }

  #list(offset: number, limit: number): object {
    const items = this.objects.slice(offset, offset + limit)
    const isLast = offset + limit >= this.#objects.size
    const metadata = {
      resourceVersion: String(this.#version),
      ...(isLast ? {} : { continue: String(offset + limit) }),
    }
    return { kind: 'ThingList', apiVersion: 'v1', metadata, items }
  }
}

function send(response: ServerResponse, event: object): void {
  response.write(`${JSON.stringify(event)}\n`)
}
