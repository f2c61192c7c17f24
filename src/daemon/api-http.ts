import type { IncomingMessage, ServerResponse } from 'node:http'
import { KubesyncError, messageOf } from '../errors.ts'

/** Requests are tiny; bytes. */
const bodyLimit = 64 * 1024

/** An answer of the local API. */
export interface Answer {
  readonly status: number
  readonly body: unknown
  /** Done once the answer is on its way. */
  readonly afterwards?: () => void
}

/** An error as an answer. */
export function failure(error: unknown): Answer {
  if (!(error instanceof KubesyncError)) {
    return { status: 400, body: { code: 'BAD_REQUEST', message: messageOf(error) } }
  }
  const { code, message, hint } = error
  return { status: 404, body: { code, message, ...(hint === undefined ? {} : { hint }) } }
}

export function reply(response: ServerResponse, { status, body, afterwards }: Answer): void {
  const text = JSON.stringify(body)
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
  response.writeHead(status, { ...headers, connection: 'close' }).end(text, () => afterwards?.())
}

export async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  request.setEncoding('utf8')
  for await (const chunk of request) {
    text += chunk
    if (text.length > bodyLimit) throw new Error('the request is too long')
  }
  return text
}
