import type { KubeClient } from '../../kube/client.ts'
import type { Shape } from '../diff/shape.ts'
import { encodedOf } from '../live/view.ts'
import { valueAt } from '../path.ts'
import type { Facts } from '../plan/make.ts'
import type { Outcome } from '../plan/outcome.ts'
import { fieldManager, handedOver } from '../plan/owners.ts'
import { isList, isMap, type Json, type JsonMap } from '../value.ts'

export interface Application {
  readonly facts: Facts
  readonly apply: NonNullable<Outcome['apply']>
  readonly isDryRun: boolean
}

/**
 * Server-side apply of an object, only if it still is the version that was looked at. What is to go and others own is made ours first: the
 * server then removes it. Rejects with an ApiError: CONFLICT if it moved on, or somebody else holds a field.
 */
export async function applyObject(
  client: KubeClient,
  { facts, apply, isDryRun }: Application,
): Promise<JsonMap> {
  const { apiVersion, identity, live } = facts
  const { kind, name, namespace } = identity
  const path = await client.path({ apiVersion, kind, name, namespace })
  const dryRun = isDryRun ? 'All' : undefined
  // A dry run writes nothing, and controllers may write status at any moment.
  let version = isDryRun ? undefined : valueAt(live?.object, ['metadata', 'resourceVersion'])
  if (live !== undefined && apply.handOver.length > 0 && !isDryRun) {
    const metadata = {
      resourceVersion: version ?? null,
      managedFields: handedOver(live.object, apply.handOver),
    }
    const contentType = 'application/merge-patch+json'
    const query = { fieldManager }
    const moved = await client.request({ method: 'PATCH', path, query, contentType, body: { metadata } })
    version = valueAt(moved as JsonMap, ['metadata', 'resourceVersion'])
  }
  const query = { fieldManager, force: apply.force || undefined, dryRun }
  const body = withVersion(encodedOf(withKeys(apply.object, facts.shape)), version)
  const contentType = 'application/apply-patch+yaml'
  return (await client.request({ method: 'PATCH', path, query, contentType, body })) as JsonMap
}

/** With the keys of list items that are defaults: older servers refuse to apply an item without them. */
function withKeys(object: JsonMap, shape: Shape): JsonMap {
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => [name, keyed(value, shape.field(name))]),
  )
}

function keyed(value: Json, shape: Shape): Json {
  if (isMap(value)) return withKeys(value, shape)
  if (!isList(value)) return value
  const defaults = shape.list.by === 'keys' ? shape.list.defaults : {}
  return value.map((item) => keyed(isMap(item) ? { ...defaults, ...item } : item, shape.item()))
}

function withVersion(object: JsonMap, resourceVersion: Json | undefined): JsonMap {
  const metadata = isMap(object.metadata) ? object.metadata : {}
  if (resourceVersion === undefined) return object
  return { ...object, metadata: { ...metadata, resourceVersion } }
}
