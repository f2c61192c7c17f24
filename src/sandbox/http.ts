import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { parse, stringify } from 'yaml'
import type { Catalog } from './catalog.ts'
import { ApiFailure, badRequest, invalid, statusOf } from './failure.ts'
import { at, isObject, type KubeObject } from './object.ts'
import { objectInProtobuf, protobufMedia } from './protobuf.ts'
import type { ResourceType } from './resource.ts'
import { invalidValue } from './validate/causes.ts'
import { text } from './values.ts'

const maxBody = 3 * 1024 * 1024

/** The whole body of a request; one in protobuf as JSON. Throws 413, 400. */
export async function bodyOf(request: IncomingMessage, catalog: Catalog): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    // What is left of the body is read and dropped, or the client would not read the answer.
    if (size <= maxBody) chunks.push(chunk)
  }
  const body = Buffer.concat(chunks)
  if (size <= maxBody && saidMedia(request) === protobufMedia) {
    return JSON.stringify(objectInProtobuf(body, catalog))
  }
  if (size <= maxBody) return body.toString()
  throw new ApiFailure(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${maxBody}`)
}

/** The media type of a request's body as `bodyOf` gives it, without parameters. */
export function mediaType(request: IncomingMessage): string {
  const said = saidMedia(request)
  return said === protobufMedia ? 'application/json' : said
}

function saidMedia({ headers }: IncomingMessage): string {
  return (headers['content-type'] ?? 'application/json').split(';')[0]?.trim() ?? ''
}

/** An object in a body of JSON or YAML, named as the resource's kind where it says no kind. Throws 400, 415. */
export function objectIn(body: string, media: string, type: ResourceType): KubeObject {
  const { info, apiVersion, custom } = type
  const value = decodedBody(body, media, type)
  const { kind: said, apiVersion: version } = value
  if (custom && said === undefined)
    throw unrecognized(info.kind, `Object 'Kind' is missing in '${body}'`, body)
  const kind = text(said) || info.kind
  const given = text(version) || apiVersion
  if (custom && given !== apiVersion) {
    throw badRequest(
      `the API version in the data (${given}) does not match the expected API version (${apiVersion})`,
    )
  }
  if (kind !== info.kind || given !== apiVersion) {
    throw mistaken(type, { kind, apiVersion: given, name: text(at(value, 'metadata', 'name')) })
  }
  return asObject({ ...value, kind, apiVersion: given })
}

/** Why an object of one kind is not taken for another. */
export function unconverted(
  { info }: ResourceType,
  { kind, apiVersion }: { kind: string; apiVersion: string },
) {
  if (kind === info.kind) return `no kind "${kind}" is registered for version "${apiVersion}"`
  const own = `${info.group.split('.')[0] || 'core'}.${info.kind}`
  return `converting (${apiVersion.split('/').at(-1)}.${kind}) to (${own}): unknown conversion`
}

interface Said {
  readonly kind: string
  readonly apiVersion: string
  readonly name: string
}

function mistaken(type: ResourceType, said: Said): ApiFailure {
  const { info, custom } = type
  const expected = info.kind
  if (custom)
    return invalid({ ...info, kind: said.kind }, said.name, [
      invalidValue('kind', said.kind, `must be ${expected}`),
    ])
  const version = said.apiVersion.split('/').at(-1)
  return badRequest(
    `${said.kind} in version "${version}" cannot be handled as a ${expected}: ${unconverted(type, said)}`,
  )
}

/** What a body says, as an object with the metadata that every object has. Throws 400. */
export function asObject(value: Readonly<Record<string, unknown>>): KubeObject {
  const metadata = value.metadata ?? {}
  if (!isObject(metadata)) {
    throw badRequest('json: cannot unmarshal into Go struct field .metadata of type v1.ObjectMeta')
  }
  const { kind, apiVersion } = value
  const named = { ...metadata, name: text(metadata.name) }
  return { ...value, kind: text(kind), apiVersion: text(apiVersion), metadata: named }
}

function decodedBody(body: string, media: string, type: ResourceType): Readonly<Record<string, unknown>> {
  const { kind } = type.info
  if (!['application/json', 'application/yaml'].includes(media)) throw unknownMedia(type)
  const { value, problem } = media === 'application/json' ? json(body) : yaml(body)
  if (problem === undefined && isObject(value)) return value
  const why = problem ?? 'json: cannot unmarshal the value into an object'
  throw unrecognized(kind, `couldn't get version/kind; json parse error: ${why}`, body)
}

function unrecognized(kind: string, why: string, body: string): ApiFailure {
  const summary = body === '' ? '<empty>' : body.startsWith('{') ? body : Buffer.from(body).toString('hex')
  const cut = summary.length > 30 ? `${summary.slice(0, 30)} ...` : summary
  return badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why} (${cut})`)
}

function unknownMedia({ custom }: ResourceType): ApiFailure {
  const media = `application/json, application/yaml${custom ? '' : `, ${protobufMedia}`}`
  const message = `the body of the request was in an unknown format - accepted media types include: ${media}`
  return new ApiFailure(415, 'UnsupportedMediaType', message)
}

interface Parsed {
  readonly value?: unknown
  readonly problem?: string
}

/** What Go's decoder says where Node's says something else. */
const expectations: readonly (readonly [RegExp, string])[] = [
  [/property name/, 'looking for beginning of object key string'],
  [/after property name/, 'after object key'],
  [/after property value/, 'after object key:value pair'],
  [/after array element/, 'after array element'],
]

/** A value in JSON, or what is wrong, in the words of Go's decoder. */
export function json(body: string): Parsed {
  try {
    return { value: JSON.parse(body) }
  } catch (error) {
    const at = Number(/at position (\d+)/.exec(String(error))?.[1] ?? body.length)
    const char = body[at]
    if (char === undefined) return { problem: 'unexpected end of JSON input' }
    const [, expected] = expectations.findLast(([said]) => said.test(String(error))) ?? []
    return { problem: `invalid character ${quoted(char)} ${expected ?? 'looking for beginning of value'}` }
  }
}

const quoted = (char: string) => `'${JSON.stringify(char).slice(1, -1)}'`

/** A value in YAML as Kubernetes reads it: YAML 1.1 without times and numbers to the base of sixty. */
export function yaml(body: string): Parsed {
  try {
    const value: unknown = parse(body, {
      version: '1.1',
      customTags: (tags) =>
        tags.filter(
          (tag) => typeof tag === 'string' || (tag.format !== 'TIME' && !tag.tag.endsWith(':timestamp')),
        ),
    })
    return { value }
  } catch (error) {
    return {
      problem: `error converting YAML to JSON: yaml: ${error instanceof Error ? error.message : error}`,
    }
  }
}

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
  const why = error instanceof Error ? (error.stack ?? error.message) : String(error)
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
