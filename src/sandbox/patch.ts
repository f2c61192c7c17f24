import { applyPatch, type Operation, Pointer } from 'rfc6902'
import { ApiFailure, badRequest } from './failure.ts'
import { isObject, type KubeObject } from './object.ts'

/** JSON patch, RFC 6902. As on a real server, `replace` makes a field of an object that is not there. */
export function jsonPatch(object: KubeObject, patch: unknown): KubeObject {
  const patched = structuredClone(object)
  for (const operation of operationsOf(patch)) {
    if (applyOne(patched, operation) !== null) throw rejected()
  }
  if (!isObject(patched)) throw rejected()
  return patched
}

function applyOne(object: unknown, operation: Operation): Error | null {
  try {
    const isMadeUp = operation.op === 'replace' && lacks(object, operation.path)
    const [outcome] = applyPatch(object, [isMadeUp ? { ...operation, op: 'add' } : operation])
    return outcome ?? null
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

function lacks(object: unknown, path: string): boolean {
  const { parent, key } = Pointer.fromJSON(path).evaluate(object)
  return isObject(parent) && !Object.hasOwn(parent, key)
}

function operationsOf(patch: unknown): Operation[] {
  if (!Array.isArray(patch)) throw undecodable(patch, '[]handlers.jsonPatchOp')
  const odd = patch.find((operation) => !isObject(operation))
  if (odd !== undefined) throw undecodable(odd, 'handlers.jsonPatchOp')
  return patch
}

/** The server does not tell which operation it was. */
function rejected(): ApiFailure {
  return new ApiFailure(422, 'Invalid', 'the server rejected our request due to an error in our request', {})
}

function undecodable(value: unknown, type: string): ApiFailure {
  return badRequest(
    `error decoding patch: json: cannot unmarshal ${jsonType(value)} into Go value of type ${type}`,
  )
}

/** A value's type as Go's JSON decoder names it. */
export function jsonType(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

/** JSON merge patch, RFC 7386. */
export function mergePatch(object: KubeObject, patch: unknown): KubeObject {
  if (!isObject(patch)) throw undecodable(patch, 'map[string]interface {}')
  return merged(object, patch) as KubeObject
}

function merged(value: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch
  const result = new Map(Object.entries(isObject(value) ? value : {}))
  for (const [name, change] of Object.entries(patch)) {
    if (change === null) result.delete(name)
    else result.set(name, merged(result.get(name), change))
  }
  return Object.fromEntries(result)
}
