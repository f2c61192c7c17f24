import { randomInt, randomUUID } from 'node:crypto'
import { recordUpdate } from './apply/apply.ts'
import type { Context, WriteOptions } from './context.ts'
import { ApiFailure, alreadyExists, badRequest, forbidden, notFound } from './failure.ts'
import { withoutStatus } from './merged.ts'
import type { KubeObject } from './object.ts'
import { inVersion, type ResourceType, storedVersion } from './resource.ts'
import type { Target } from './route.ts'
import { countsGenerations, strategyOf, withFirstStatus } from './strategy.ts'
import { text, timestamp } from './values.ts'
import { check, decoded, recordOf, type Written } from './write.ts'

/** Creates an object, as a POST to its collection does. */
export function create(context: Context, target: Target, given: KubeObject, options: WriteOptions): Written {
  requireOpenNamespace(context, target, given.metadata)
  const { object, warnings } = decoded(target.type, named(given), options)
  const own = withoutStatus(target.type, object)
  const recorded = recordUpdate(undefined, own, recordOf(context, target, options))
  return { object: add(context, target.type, recorded, options), created: true, warnings }
}

/** A namespaced object needs a namespace that is there and stays. */
export function requireOpenNamespace({ store }: Context, target: Target, { name }: { name: string }): void {
  const { type, namespace } = target
  if (!type.info.namespaced) return
  const found = store.get('namespaces', { name: namespace ?? '' })
  if (found === undefined) throw notFound({ group: '', plural: 'namespaces' }, namespace ?? '')
  if (found.metadata.deletionTimestamp === undefined) return
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`
  const { code, reason, message, details } = forbidden(type.info, name, why)
  const told = `namespace ${namespace} is being terminated`
  const cause = { reason: 'NamespaceTerminating', message: told, field: 'metadata.namespace' }
  throw new ApiFailure(code, reason, message, { ...details, causes: [cause] })
}

/** Puts a new object, whose managedFields are made, into the store. */
export function add(
  context: Context,
  type: ResourceType,
  given: KubeObject,
  options: WriteOptions,
): KubeObject {
  const object = begun(context, type, given)
  check(type, object)
  const existing = context.store.get(type.key, object.metadata)
  if (existing !== undefined) throw taken(type, existing)
  return options.dryRun ? object : context.store.put(type.key, inVersion(object, storedVersion(type)))
}

function taken({ info }: ResourceType, { metadata }: KubeObject): ApiFailure {
  const failure = alreadyExists(info, metadata.name)
  if (metadata.deletionTimestamp === undefined) return failure
  const message = `object is being deleted: ${failure.message}`
  return new ApiFailure(failure.code, failure.reason, message, failure.details)
}

const alphabet = 'bcdfghjklmnpqrstvwxz2456789'

/** An object that leaves its name to the server has one. */
function named(given: KubeObject): KubeObject {
  const { name, generateName = '' } = given.metadata
  if (name !== '' || generateName === '') return given
  const suffix = Array.from({ length: 5 }, () => alphabet[randomInt(alphabet.length)]).join('')
  return { ...given, metadata: { ...given.metadata, name: `${generateName.slice(0, 58)}${suffix}` } }
}

/** A new object with what the server itself sets. */
function begun(context: Context, type: ResourceType, given: KubeObject): KubeObject {
  const { resourceVersion, ...metadata } = given.metadata
  if (resourceVersion !== undefined && resourceVersion !== '') {
    throw new ApiFailure(500, '', 'resourceVersion should not be set on objects to be created')
  }
  const { deletionTimestamp: _, deletionGracePeriodSeconds: __, generation: ___, ...kept } = metadata
  const object: KubeObject = {
    ...given,
    metadata: {
      ...kept,
      uid: randomUUID(),
      creationTimestamp: timestamp(context.now()),
      ...(countsGenerations(type) ? { generation: 1 } : {}),
    },
  }
  const begun = withFirstStatus(type, object)
  return strategyOf(type).create?.(begun, context) ?? begun
}

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
