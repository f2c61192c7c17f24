import { apply } from './apply/apply.ts'
import { unconverted } from './body.ts'
import type { Context, WriteOptions } from './context.ts'
import { add, addressed, requireOpenNamespace } from './create.ts'
import { ApiFailure, badRequest, conflict, invalid } from './failure.ts'
import type { KubeObject } from './object.ts'
import { jsonPatch, mergePatch } from './patch.ts'
import { inVersion, type ResourceType } from './resource.ts'
import type { NamedTarget } from './route.ts'
import { strategicPatch } from './strategic.ts'
import { invalidValue } from './validate/causes.ts'
import { decoded, find, recordOf, replace, type Written } from './write.ts'

/** The kinds of patch, by the media type of the request's body. */
export type PatchType = 'json-patch+json' | 'merge-patch+json' | 'strategic-merge-patch+json'

/** Changes the object as a patch says; `apply` is for server-side apply. */
export function patch(
  context: Context,
  target: NamedTarget,
  { type, body }: { type: PatchType; body: unknown },
  options: WriteOptions,
): Written {
  const live = find(context, target)
  const patched = patchedBy(type, { live, body, of: target.type })
  checkIdentity(target.type, live, patched)
  try {
    return replace(context, { target, live, next: addressed(target, patched) }, options)
  } catch (error) {
    throw undecodable(error, type === 'strategic-merge-patch+json' ? body : patched)
  }
}

/** A patch makes no other object of an object. */
function checkIdentity(type: ResourceType, live: KubeObject, patched: KubeObject): void {
  const { kind, apiVersion, metadata } = patched
  if (kind !== live.kind || apiVersion !== live.apiVersion) {
    throw invalidPatch(JSON.stringify(patched), unconverted(type, { kind, apiVersion }))
  }
  const { uid } = live.metadata
  if (metadata.uid === undefined || metadata.uid === uid) return
  const cause = invalidValue('metadata.uid', metadata.uid, 'field is immutable')
  throw invalid(type.info, live.metadata.name, [cause])
}

function invalidPatch(patch: string, why: string): ApiFailure {
  return invalid({ group: '', kind: '' }, '', [invalidValue('patch', patch, why)])
}

function patchedBy(
  type: PatchType,
  given: { live: KubeObject; body: unknown; of: ResourceType },
): KubeObject {
  const { live, body, of } = given
  switch (type) {
    case 'json-patch+json':
      return jsonPatch(live, body)
    case 'merge-patch+json':
      return mergePatch(live, body)
    case 'strategic-merge-patch+json':
      if (of.custom) throw unsupportedPatch()
      return strategicPatch(live, body, of.schema)
  }
}

/** What of a whole object would be a request that cannot be decoded is an invalid field of a patch. */
function undecodable(error: unknown, patched: unknown): unknown {
  const why =
    error instanceof ApiFailure && error.code === 400
      ? / cannot be handled as a \w+: (.*)$/s.exec(error.message)?.[1]
      : undefined
  if (why === undefined) return error
  return invalidPatch(JSON.stringify(patched), why)
}

export function unsupportedPatch(): ApiFailure {
  return new ApiFailure(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {})
}

/** Server-side apply: changes the object, or creates it when it is not there. */
export function applyPatch(
  context: Context,
  target: NamedTarget,
  body: KubeObject,
  options: WriteOptions & { readonly force: boolean },
): Written {
  const { type, subresource } = target
  checkKind(type, body)
  const how = { ...recordOf(context, target, options), force: options.force }
  const found = context.store.get(type.key, target)
  if (found === undefined && subresource === undefined) {
    checkNew(type, target.name, body)
    const applied = addressed(target, body)
    requireOpenNamespace(context, target, applied.metadata)
    const { object, warnings } = decoded(type, apply(undefined, applied, how), options)
    return { object: add(context, type, object, options), created: true, warnings }
  }
  const live = found === undefined ? find(context, target) : inVersion(found, type.apiVersion)
  // An object that is there need not be named again.
  const applied = addressed(target, body.metadata.name === '' ? renamed(body, target.name) : body)
  return replace(context, { target, live, next: apply(live, applied, how), recorded: true }, options)
}

function renamed(object: KubeObject, name: string): KubeObject {
  return { ...object, metadata: { ...object.metadata, name } }
}

function checkKind(
  { info, apiVersion }: ResourceType,
  { kind, apiVersion: given, metadata }: KubeObject,
): void {
  if (kind === info.kind && given === apiVersion) {
    if (metadata.managedFields !== undefined) throw badRequest('metadata.managedFields must be nil')
    return
  }
  const group = given.includes('/') ? given : `/${given}`
  throw badRequest(`invalid object type: ${group}, Kind=${kind}`)
}

function checkNew({ info }: ResourceType, name: string, { metadata: { uid } }: KubeObject): void {
  if (uid === undefined || uid === '') return
  const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`
  throw conflict(info, name, why)
}
