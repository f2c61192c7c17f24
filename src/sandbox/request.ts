import type { IncomingMessage, ServerResponse } from 'node:http'
import { asObject, bodyOf, json, mediaType } from './body.ts'
import type { Context } from './context.ts'
import { badRequest } from './failure.ts'
import type { PodStreams } from './node/streams.ts'
import { isObject, type KubeObject } from './object.ts'
import { type PatchType, unsupportedPatch } from './patch-request.ts'
import { methodNotAllowed, type NamedTarget, type Target } from './route.ts'

/** A request for resources, with all that its handlers need. */
export interface Request {
  readonly context: Context
  readonly target: Target
  readonly query: URLSearchParams
  readonly streams: PodStreams
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

export function named(target: Target): NamedTarget {
  const { name } = target
  if (name === undefined) throw methodNotAllowed()
  return { ...target, name }
}

export function patchIn({ request }: Request, body: string): { type: PatchType; body: unknown } {
  const [, type] =
    /^application\/((?:json|merge|strategic-merge)-patch\+json)$/.exec(mediaType(request)) ?? []
  if (type === undefined) throw unsupportedPatch()
  const { value, problem } = json(body)
  if (problem !== undefined) throw badRequest(`error decoding patch: ${problem}`)
  return { type: type as PatchType, body: value }
}

export const success = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' }

export async function bodyObject({ context, request }: Request): Promise<KubeObject> {
  const { value, problem } = json(await bodyOf(request, context.registry.catalog))
  if (problem !== undefined) throw badRequest(`couldn't get version/kind; json parse error: ${problem}`)
  return asObject(isObject(value) ? value : {})
}
