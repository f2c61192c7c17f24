import { asObject, bodyOf, fieldsTwice, mediaType, objectIn, yaml } from './body.ts'
import type { WriteOptions } from './context.ts'
import { addressed, create } from './create.ts'
import { type Deleted, deleteObject } from './delete.ts'
import { effectsOf } from './effects.ts'
import { badRequest } from './failure.ts'
import { type Reply, send } from './http.ts'
import { isObject, type KubeObject } from './object.ts'
import { deleteOptions, isApply, writeOptions } from './options.ts'
import { applyPatch, patch } from './patch-request.ts'
import { logs } from './pod-requests.ts'
import { formOf, presented, presentedList, presenter, type View } from './present.ts'
import { list } from './read.ts'
import { named, patchIn, type Request, success } from './request.ts'
import { inVersion } from './resource.ts'
import { answerReview, isReview } from './reviews.ts'
import { methodNotAllowed, type Target } from './route.ts'
import { isMadeByUpdate } from './strategy.ts'
import { subresources } from './subresources.ts'
import { watch } from './watch.ts'
import { find, replace, type Written } from './write.ts'

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
  if (isReview(target.type)) return { object: answerReview(target.type, object), created: true, warnings: [] }
  const twice = fieldsTwice(target.type, body, options)
  const { warnings, ...done } = put(given, verb === 'create', object, options)
  return { ...done, warnings: [...twice, ...warnings] }
}

function put(
  { context, target }: Request,
  isNew: boolean,
  object: KubeObject,
  options: WriteOptions,
): Written {
  const { type, name, subresource } = target
  if (isNew || name === undefined) return create(context, target, object, options)
  const isThere = context.store.get(type.key, { ...target, name }) !== undefined
  if (!isThere && subresource === undefined && isMadeByUpdate(type))
    return create(context, target, object, options)
  const at = { ...target, name }
  return replace(context, { target: at, live: find(context, at), next: object }, options)
}

function patchWith(given: Request, body: string): Written {
  const { context, target, request, query } = given
  const options = writeOptions(request, query)
  const force = query.get('force') === 'true'
  if (isApply(request)) return applyPatch(context, named(target), appliedIn(body), { ...options, force })
  return patch(context, named(target), patchIn(given, body), options)
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
  ...['pods', 'persistentvolumes', 'persistentvolumeclaims', 'services', 'serviceaccounts', 'namespaces'],
  ...['podtemplates', 'resourcequotas'],
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

async function deleteAll(given: Request): Promise<Reply> {
  const { context, target, query } = given
  const options = await deletion(given)
  const page = list(context, target, query)
  for (const { metadata } of page.items) {
    deleteObject(context, { ...target, ...metadata, namespace: metadata.namespace }, options)
  }
  return { code: 200, body: presentedList(context, viewOf(given), page) }
}
