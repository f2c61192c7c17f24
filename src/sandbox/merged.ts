import { isDeepStrictEqual } from 'node:util'
import { crdKey } from './crd.ts'
import { invalid } from './failure.ts'
import { at, isObject, type KubeObject, type Metadata } from './object.ts'
import { hasSubresource, type ResourceType } from './resource.ts'
import type { NamedTarget, Target } from './route.ts'
import { strategyOf } from './strategy.ts'
import { forbiddenField } from './validate/causes.ts'
import { podMutable } from './validate/checks.ts'
import { list, text } from './values.ts'

/** The status of an object is no business of those who write the object itself. */
export function withoutStatus(type: ResourceType, object: KubeObject): KubeObject {
  if (!hasSubresource(type, 'status') || strategyOf(type).status === 'given') return object
  const { status: _, ...rest } = object
  return rest as KubeObject
}

/** A change to an object that is there. */
export interface Change {
  readonly target: NamedTarget
  readonly live: KubeObject
  readonly next: KubeObject
  /** The managedFields of `next` are already those that it is to have. */
  readonly recorded?: boolean
}

/** What of the next object may be written through the target's subresource; the rest stays as it is. */
export function within({ target, live }: Change, next: KubeObject): KubeObject {
  const { type, subresource } = target
  switch (subresource) {
    case 'status':
      return withStatus({ ...live, metadata: metadataWithStatus(type, live, next) }, next.status)
    case 'ephemeralcontainers':
      return { ...live, spec: { ...specOf(live), ephemeralContainers: specOf(next).ephemeralContainers } }
    case 'finalize':
      return { ...live, spec: next.spec }
    default:
      return hasSubresource(type, 'status') ? withStatus(next, live.status) : next
  }
}

function withStatus({ status: _, ...object }: KubeObject, status: unknown): KubeObject {
  return { ...object, ...(status === undefined ? {} : { status }) } as KubeObject
}

const specOf = (object: KubeObject) => (isObject(object.spec) ? object.spec : {})

/** Fields of the metadata that are not written together with a status, by resource; of custom resources none is. */
const keptFromStatus: Readonly<Record<string, readonly string[]>> = {
  'deployments.apps': ['labels'],
  pods: ['ownerReferences'],
}

function metadataWithStatus({ key, custom }: ResourceType, live: KubeObject, next: KubeObject): Metadata {
  const { managedFields, ...given } = next.metadata
  const kept = new Set(custom || key === crdKey ? Object.keys(given) : keptFromStatus[key])
  const written = Object.entries(given).filter(([name]) => !kept.has(name))
  const recorded = managedFields === undefined ? {} : { managedFields }
  return { ...live.metadata, ...Object.fromEntries(written), ...recorded }
}

/** What of the metadata only the server writes. */
const own = [
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
]

export function withServersOwn({ metadata: live }: KubeObject, next: KubeObject): KubeObject {
  const kept = Object.entries(live).filter(([name]) => own.includes(name))
  const others = Object.entries(next.metadata).filter(([name]) => !own.includes(name))
  return { ...next, metadata: { ...Object.fromEntries([...others, ...kept]), name: live.name } }
}

/** Raises the generation when what was asked for changed. */
export function counted(type: ResourceType, live: KubeObject, next: KubeObject): KubeObject {
  const { generation } = live.metadata
  if (generation === undefined || isDeepStrictEqual(wanted(type, live), wanted(type, next))) return next
  return { ...next, metadata: { ...next.metadata, generation: generation + 1 } }
}

function wanted(type: ResourceType, object: KubeObject): unknown {
  const { metadata, apiVersion: _, ...rest } = withoutStatus(type, object)
  // A Deployment's annotations go on to its ReplicaSets.
  return type.key === 'deployments.apps' ? { ...rest, annotations: metadata.annotations } : rest
}

export function isSame(live: KubeObject, next: KubeObject): boolean {
  return isDeepStrictEqual(untimed(live), untimed(next))
}

/** An object without the times in its managedFields: they alone are no change. Fields without a value are none. */
function untimed(object: KubeObject): unknown {
  const managedFields = object.metadata.managedFields?.map(({ time: _, ...entry }) => entry)
  return JSON.parse(JSON.stringify({ ...object, metadata: { ...object.metadata, managedFields } }))
}

/** Ephemeral containers are only added, and only through their own subresource. Throws 422. */
export function checkEphemeral({ subresource, type }: Target, live: KubeObject, next: KubeObject): void {
  const [before, after] = [live, next].map((pod) => list(at(pod, 'spec', 'ephemeralContainers')))
  if (isDeepStrictEqual(before, after)) return
  const causes =
    subresource === 'ephemeralcontainers'
      ? lost(before ?? [], after ?? [])
      : [forbiddenField('spec', podMutable)]
  if (causes.length > 0) throw invalid(type.info, live.metadata.name, causes)
}

function lost(before: readonly unknown[], after: readonly unknown[]) {
  return before.flatMap((container) => {
    const name = text(at(container, 'name'))
    const found = after.find((one) => at(one, 'name') === name)
    if (isDeepStrictEqual(found, container)) return []
    const why = found === undefined ? 'may not be removed' : 'may not be changed'
    const told = `existing ephemeral containers ${JSON.stringify(name)} ${why}\n`
    return [forbiddenField('spec.ephemeralContainers', told)]
  })
}
