import { bodyOf } from './body.ts'
import { notImplemented } from './failure.ts'
import type { Reply } from './http.ts'
import { isApply, writeOptions } from './options.ts'
import { stream } from './pod-requests.ts'
import { bodyObject, named, patchIn, type Request } from './request.ts'
import { patchedScale, rescale, scaleOf } from './scale.ts'
import { find } from './write.ts'

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
export const subresources: Readonly<Record<string, Subresource>> = {
  scale: scaleRequest,
  exec: streamed,
  attach: streamed,
  portforward: streamed,
  proxy: unserved('the proxy subresource'),
  token: unserved('tokens of service accounts'),
  resize: unserved('resizing of pods'),
  approval: unserved('approval of certificate signing requests'),
  binding: unserved('bindings of pods'),
  eviction: unserved('eviction of pods'),
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
