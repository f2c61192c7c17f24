import { once } from 'node:events'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { isFields, type Thing, thing } from './json.ts'
import type { Access } from './kubeconfig.ts'

export interface Ask {
  readonly method?: string
  /** Sent as JSON; a string is sent as it is. */
  readonly body?: unknown
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Without certificate and token. */
  readonly anonymous?: boolean
}

export interface Answer {
  readonly code: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The body, if it is JSON. */
  readonly body: unknown
}

export const patchTypes = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const

/** Plain requests to an API server: what goes out and what comes back, and nothing in between. */
export class Client {
  readonly access: Access
  readonly #agent: Agent
  readonly #stranger: Agent

  constructor(access: Access) {
    this.access = access
    const { ca, cert, key, rejectUnauthorized } = access
    this.#agent = new Agent({ keepAlive: true, ca, cert, key, rejectUnauthorized })
    this.#stranger = new Agent({ ca, rejectUnauthorized })
  }

  async ask(path: string, ask: Ask = {}): Promise<Answer> {
    const response = await this.open(path, ask)
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString()
    return { code: response.statusCode ?? 0, headers: response.headers, text, body: parsed(text) }
  }

  /** The same, once the headers are there; the body is the caller's to read. */
  async open(path: string, ask: Ask = {}): Promise<IncomingMessage> {
    const { token } = this.access
    const headers: Record<string, string> = { accept: 'application/json', ...ask.headers }
    if (token !== undefined && !ask.anonymous) headers.authorization ??= `Bearer ${token}`
    const body = typeof ask.body === 'string' ? ask.body : JSON.stringify(ask.body)
    if (body !== undefined) {
      headers['content-type'] = ask.type ?? 'application/json'
      headers['content-length'] = String(Buffer.byteLength(body))
    }
    const agent = ask.anonymous ? this.#stranger : this.#agent
    const made = request(this.access.server + path, { method: ask.method ?? 'GET', headers, agent })
    made.end(body)
    const [response] = await once(made, 'response')
    if (!isResponse(response)) throw new Error('no response')
    return response
  }

  /** A request that must succeed; the object or list it answers with. */
  async must(path: string, ask: Ask = {}): Promise<Thing> {
    const answer = await this.ask(path, ask)
    if (answer.code >= 300) {
      throw new Error(`${ask.method ?? 'GET'} ${path} was answered with ${answer.code}: ${answer.text}`)
    }
    return thing(answer.body)
  }

  get(path: string): Promise<Thing> {
    return this.must(path)
  }

  create(path: string, body: unknown): Promise<Thing> {
    return this.must(path, { method: 'POST', body })
  }

  put(path: string, body: unknown): Promise<Thing> {
    return this.must(path, { method: 'PUT', body })
  }

  patch(path: string, kind: keyof typeof patchTypes, body: unknown): Promise<Thing> {
    return this.must(path, { method: 'PATCH', type: patchTypes[kind], body })
  }

  /** Server-side apply; `query` can take `&force=true` and the like. */
  apply(path: string, manager: string, body: unknown): Promise<Thing> {
    return this.patch(`${path}?fieldManager=${manager}`, 'apply', body)
  }

  async delete(path: string, body?: unknown): Promise<Answer> {
    const answer = await this.ask(path, { method: 'DELETE', ...(body === undefined ? {} : { body }) })
    if (answer.code >= 300) throw new Error(`DELETE ${path} was answered with ${answer.code}: ${answer.text}`)
    return answer
  }

  close(): void {
    this.#agent.destroy()
    this.#stranger.destroy()
  }
}

/** Ends a response that is still being sent. */
export function cut(response: IncomingMessage): void {
  const socket: TLSSocket | IncomingMessage['socket'] = response.socket
  socket.destroy()
}

function isResponse(value: unknown): value is IncomingMessage {
  return isFields(value) && 'statusCode' in value
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
