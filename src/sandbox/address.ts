import { badRequest } from './failure.ts'
import type { KubeObject } from './object.ts'
import type { Target } from './route.ts'
import { text } from './values.ts'

/** An object as a request brought it, with the target's namespace and name. Throws 400 where they contradict each other. */
export function addressed({ type, namespace, name }: Target, given: KubeObject): KubeObject {
  const { metadata } = given
  const said = text(metadata.namespace)
  if (said !== '' && said !== (namespace ?? '')) {
    const why = 'the namespace of the provided object does not match the namespace sent on the request'
    throw badRequest(why)
  }
  if (name !== undefined && metadata.name !== name) throw misnamed(name, metadata.name)
  const { namespace: _, ...rest } = metadata
  const placed = type.info.namespaced && namespace !== undefined ? { namespace } : {}
  return { ...given, metadata: { ...rest, ...placed } }
}

function misnamed(expected: string, name: string): Error {
  const why =
    name === ''
      ? `the name of the object (${expected} based on URL) was undeterminable: name must be provided`
      : `the name of the object (${name}) does not match the name on the URL (${expected})`
  return badRequest(why)
}
