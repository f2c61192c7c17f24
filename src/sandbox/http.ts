import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { stringify } from 'yaml'
import { ApiFailure, statusOf } from './failure.ts'

/** An answer that is not a stream. */
export interface Reply {
  readonly code: number
  readonly body: unknown
  readonly yaml?: boolean
  readonly type?: string
  readonly warnings?: readonly string[]
}

export function send(response: ServerResponse, reply: Reply): void {
  const { code, body, yaml = false, warnings = [] } = reply
  const isText = typeof body === 'string'
  const content = isText ? body : yaml ? stringify(body) : JSON.stringify(body)
  const type = reply.type ?? (isText ? 'text/plain; charset=utf-8' : `application/${yaml ? 'yaml' : 'json'}`)
  response.writeHead(code, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(content),
    'Cache-Control': 'no-cache, private',
    ...(warnings.length === 0 ? {} : { Warning: warnings.map(warningHeader) }),
  })
  response.end(content)
}

/** A text as RFC 9110 quotes it; what a header cannot carry is left out. */
function warningHeader(warning: string): string {
  const plain = warning.replace(/[^\x20-\x7e]/g, ' ').replace(/["\\]/g, '\\$&')
  return `299 - "${plain}"`
}

/** What goes wrong is answered as a Status; what is no refusal is a defect of the sandbox and says so. */
export function failureOf(error: unknown): ApiFailure {
  if (error instanceof ApiFailure) return error
  const why = error instanceof Error ? error.message : String(error)
  return new ApiFailure(500, 'InternalError', `Internal error occurred: ${why}`)
}

export function sendFailure(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const failure = failureOf(error)
  const retry = failure.details?.retryAfterSeconds
  if (retry !== undefined) response.setHeader('Retry-After', retry)
  send(response, { code: failure.code, body: statusOf(failure) })
}

/** The same on a connection that was to be upgraded. */
export function refuseUpgrade(socket: Duplex, error: unknown): void {
  const failure = failureOf(error)
  const body = JSON.stringify(statusOf(failure))
  const head = `HTTP/1.1 ${failure.code} ${failure.reason}\r\nContent-Type: application/json\r\nConnection: close\r\n`
  socket.end(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
}
