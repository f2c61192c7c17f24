import type { IncomingMessage, ServerResponse } from 'node:http'
import { addressed } from './address.ts'
import type { Context } from './context.ts'
import { create } from './create.ts'
import { type Deleted, deleteObject } from './delete.ts'
import { effectsOf } from './effects.ts'
import { badRequest, notImplemented } from './failure.ts'
import { asObject, bodyOf, json, mediaType, objectIn, type Reply, send, yaml } from './http.ts'
import type { PodStreams } from './node/streams.ts'
import { isObject, type KubeObject } from './object.ts'
import { deleteOptions, isApply, writeOptions } from './options.ts'
import { applyPatch, type PatchType, patch, unsupportedPatch } from './patch-request.ts'
import { bind, evict, logs, stream } from './pod-requests.ts'
import { formOf, presented, presentedList, presenter, type View } from './present.ts'
import { list, selection } from './read.ts'
import { inVersion } from './resource.ts'
import { answerReview, isReview } from './reviews.ts'
import { methodNotAllowed, type NamedTarget, type Target } from './route.ts'
import { patchedScale, rescale, scaleOf } from './scale.ts'
import { watch } from './watch.ts'
import { find, replace, type Written } from './write.ts'

/** A request for resources, with all that its handlers need. */
export interface Request {
  readonly context: Context
  readonly target: Target
  readonly query: URLSearchParams
  readonly streams: PodStreams
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** Answers a request for a resource. */
export async function answer(given: Request): Promise<void> {
  const { target, query, response } = given
  const verb = verbOf(given)
  checkVerb(target, verb)
  if (verb === 'watch') return openWatch(given)
  if (target.subresource === 'log')
    return logs(given.context, named(target), given.streams, { query, response })
  const reply = await replyTo(given, verb)
  if (reply !== undefined) send(response, { ...reply, yaml: formOf(given.request.headers.accept).yaml })
}

function verbOf({ request, target, query }: Request): string {
  const single = target.name !== undefined
  const watches = ['', 'true', '1'].includes(query.get('watch') ?? 'false')
  const collection = watches ? 'watch' : 'list'
  const verbs: Record<string, string> = {
    GET: single ? 'get' : collection,
    HEAD: single ? 'get' : 'list',
    POST: 'create',
    PUT: 'update',
    PATCH: 'patch',
    DELETE: single ? 'delete' : 'deletecollection',
  }
  return verbs[request.method ?? ''] ?? ''
}

function checkVerb({ type, namespace, name, subresource }: Target, verb: string): void {
  const { info } = type
  const served =
    subresource === undefined ? info.verbs : info.subresources.find((sub) => sub.name === subresource)?.verbs
  const everywhere = info.namespaced && namespace === undefined
  const onCollection = name === undefined
  const needsName = ['get', 'update', 'patch', 'delete'].includes(verb)
  const misplaced =
    (everywhere && !['list', 'watch'].includes(verb)) ||
    (needsName && onCollection) ||
    (verb === 'create' && !onCollection && subresource === undefined)
  if (misplaced || !served?.includes(verb)) throw methodNotAllowed()
}

function named(target: Target): NamedTarget {
  const { name } = target
  if (name === undefined) throw methodNotAllowed()
  return { ...target, name }
}

function viewOf({ request, target, query }: Request, watch = false): View {
  const form = formOf(request.headers.accept, watch)
  return { form, type: target.type, includeObject: query.get('includeObject') }
}

function openWatch(given: Request): void {
  const { context, target, query, response } = given
  watch(context, { target, query, show: presenter(context, viewOf(given, true)) }, response)
}

async function replyTo(given: Request, verb: string): Promise<Reply | undefined> {
  const { context, target, query } = given
  const view = viewOf(given)
  const special = target.subresource === undefined ? undefined : subresources[target.subresource]
  if (special !== undefined) return special(given, verb)
  switch (verb) {
    case 'get':
      return { code: 200, body: presented(context, view, find(context, named(target))) }
    case 'list':
      return { code: 200, body: presentedList(context, view, list(context, target, query)) }
    case 'delete':
      return deleted(given, deleteObject(context, named(target), await deletion(given)))
    case 'deletecollection':
      return deleteAll(given)
    default:
      return written(given, await write(given, verb))
  }
}

async function write(given: Request, verb: string): Promise<Written> {
  const { context, target, request, query } = given
  const options = writeOptions(request, query)
  const body = await bodyOf(request, context.registry.catalog)
  if (verb === 'patch') return patchWith(given, body)
  const object = addressed(target, objectIn(body, mediaType(request), target.type))
  if (isReview(target.type))
    return { object: answerReview(target.type, object) as KubeObject, created: true, warnings: [] }
  if (verb === 'create') return create(context, target, object, options)
  return replace(
    context,
    { target: named(target), live: find(context, named(target)), next: object },
    options,
  )
}

function patchWith(given: Request, body: string): Written {
  const { context, target, request, query } = given
  const options = writeOptions(request, query)
  const force = query.get('force') === 'true'
  if (isApply(request)) return applyPatch(context, named(target), appliedIn(body), { ...options, force })
  return patch(context, named(target), patchIn(given, body), options)
}

function patchIn({ request, target }: Request, body: string): { type: PatchType; body: unknown } {
  const [, type] =
    /^application\/((?:json|merge|strategic-merge)-patch\+json)$/.exec(mediaType(request)) ?? []
  if (type === undefined) throw unsupportedPatch(target.type)
  const { value, problem } = json(body)
  if (problem !== undefined) throw badRequest(`error decoding patch: ${problem}`)
  return { type: type as PatchType, body: value }
}

function appliedIn(body: string): KubeObject {
  const { value, problem } = yaml(body)
  if (problem !== undefined) throw badRequest(`error decoding YAML: ${problem}`)
  if (isObject(value)) return asObject(value)
  const kind = Array.isArray(value) ? 'array' : typeof value
  throw badRequest(
    `error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`,
  )
}

function written(given: Request, { object, created, warnings }: Written): Reply {
  const { context, target } = given
  const shown = inVersion(object, target.type.apiVersion)
  const told = [...warnings, ...effectsOf(target.type, object)]
  return { code: created ? 201 : 200, body: presented(context, viewOf(given), shown), warnings: told }
}

async function deletion({ context, request, query }: Request) {
  return deleteOptions(await bodyOf(request, context.registry.catalog), mediaType(request), query)
}

/** Kinds that are shown as they were when they are gone; of others it is only said that they are. */
const shownWhenGone = new Set([
  ...['pods', 'podtemplates', 'persistentvolumes', 'persistentvolumeclaims', 'resourcequotas', 'services'],
  ...['serviceaccounts', 'namespaces'],
  ...['deviceclasses', 'resourceclaims', 'resourceclaimtemplates', 'resourceslices'].map(
    (one) => `${one}.resource.k8s.io`,
  ),
])

function deleted(given: Request, { object, gone }: Deleted): Reply {
  const { type } = given.target
  if (!gone || shownWhenGone.has(type.key)) {
    return { code: 200, body: presented(given.context, viewOf(given), object) }
  }
  const { group, plural } = type.info
  const details = {
    name: object.metadata.name,
    ...(group === '' ? {} : { group }),
    kind: plural,
    uid: object.metadata.uid,
  }
  return { code: 200, body: { ...success, details } }
}

const success = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' }

async function deleteAll(given: Request): Promise<Reply> {
  const { context, target, query } = given
  const options = await deletion(given)
  const selects = selection(target, query)
  const page = list(context, target, query)
  for (const { metadata } of page.items.filter(selects)) {
    deleteObject(context, { ...target, ...metadata, namespace: metadata.namespace }, options)
  }
  return { code: 200, body: presentedList(context, viewOf(given), page) }
}

type Subresource = (given: Request, verb: string) => Promise<Reply | undefined>

const unserved =
  (feature: string): Subresource =>
  async () => {
    throw notImplemented(feature)
  }

const streamed: Subresource = async ({ context, target, streams, query }) => {
  stream(context, named(target), streams, { query, upgrade: undefined })
  return undefined
}

/** Subresources that are not the object itself by another name. */
const subresources: Readonly<Record<string, Subresource>> = {
  scale: scaleRequest,
  exec: streamed,
  attach: streamed,
  portforward: streamed,
  proxy: unserved('the proxy subresource'),
  token: unserved('tokens of service accounts'),
  resize: unserved('resizing of pods'),
  approval: unserved('approval of certificate signing requests'),
  async binding(given) {
    bind(
      given.context,
      named(given.target),
      await bodyObject(given),
      writeOptions(given.request, given.query),
    )
    return { code: 201, body: { ...success, code: 201 } }
  },
  async eviction(given) {
    const { dryRun } = writeOptions(given.request, given.query)
    evict(given.context, named(given.target), await bodyObject(given), dryRun)
    return { code: 201, body: { ...success, code: 201 } }
  },
}

async function bodyObject({ context, request }: Request): Promise<KubeObject> {
  const { value, problem } = json(await bodyOf(request, context.registry.catalog))
  if (problem !== undefined) throw badRequest(`couldn't get version/kind; json parse error: ${problem}`)
  return asObject(isObject(value) ? value : {})
}

async function scaleRequest(given: Request, verb: string): Promise<Reply> {
  const { context, request, query } = given
  const target = named(given.target)
  if (verb === 'get') return { code: 200, body: scaleOf(find(context, target), target.type) }
  if (isApply(request)) throw notImplemented('server-side apply of a Scale')
  const options = writeOptions(request, query)
  if (verb === 'update') {
    const scale = await bodyObject(given)
    return { code: 200, body: rescale(context, target, () => scale, options) }
  }
  const { type, body } = patchIn(given, await bodyOf(request, given.context.registry.catalog))
  return { code: 200, body: rescale(context, target, (scale) => patchedScale(type, scale, body), options) }
}
