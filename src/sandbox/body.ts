import type { IncomingMessage } from 'node:http'
import { parse } from 'yaml'
import type { Catalog } from './catalog.ts'
import type { WriteOptions } from './context.ts'
import { ApiFailure, badRequest, invalid } from './failure.ts'
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
  if (custom && said === undefined) throw unrecognized(info.kind, `Object 'Kind' is missing in '${body}'`)
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
  throw unrecognized(kind, `couldn't get version/kind; json parse error: ${why}`)
}

function unrecognized(kind: string, why: string): ApiFailure {
  return badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why}`)
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

/** A value in JSON, or what is wrong. */
export function json(body: string): Parsed {
  try {
    return { value: JSON.parse(body) }
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) }
  }
}

/** What is told of keys that a body in JSON says twice. Throws 400 where that is strictly forbidden. */
export function fieldsTwice({ info }: ResourceType, body: string, { unknown }: WriteOptions): string[] {
  const told = unknown === 'ignore' ? [] : keysTwice(body).map((path) => `duplicate field "${path}"`)
  if (unknown !== 'strict' || told.length === 0) return told
  const what = `${info.kind} in version "${info.version}" cannot be handled as a ${info.kind}`
  throw badRequest(`${what}: strict decoding error: ${told.join(', ')}`)
}

/** The paths of keys that come twice; none in what is no JSON. */
function keysTwice(body: string): string[] {
  if (json(body).problem !== undefined) return []
  const twice: string[] = []
  const open: { path: string; keys: Set<string>; below: string; index: number }[] = []
  for (const [token, key, colon] of body.matchAll(/("(?:[^"\\]|\\.)*")(\s*:)?|[{}[\],]/g)) {
    const inside = open.at(-1)
    if (token === '{') open.push({ path: inside?.below ?? '', keys: new Set(), below: '', index: 0 })
    if (token === '[')
      open.push({ path: inside?.below ?? '', keys: new Set(), below: `${inside?.below ?? ''}[0]`, index: 0 })
    if (token === '}' || token === ']') open.pop()
    if (inside === undefined) continue
    if (token === ',' && inside.below.endsWith(`[${inside.index}]`))
      inside.below = `${inside.path}[${++inside.index}]`
    if (key === undefined || colon === undefined) continue
    const name: string = JSON.parse(key)
    inside.below = inside.path === '' ? name : `${inside.path}.${name}`
    if (inside.keys.has(name)) twice.push(inside.below)
    inside.keys.add(name)
  }
  return twice
}

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
