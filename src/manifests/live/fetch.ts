import type { KubeClient } from '../../kube/client.ts'
import { ApiError } from '../../kube/errors.ts'
import type { KubeObject } from '../../kube/resource.ts'
import type { ResourceType } from '../../kube/resource-type.ts'
import { groupBy } from '../group.ts'
import { type Identity, nameOf } from '../order/references.ts'
import type { JsonMap } from '../value.ts'
import { forEachOf } from './pool.ts'

/** An object to be looked for in the cluster. */
export interface Wanted {
  readonly type: ResourceType
  readonly identity: Identity
}

/** What was found: by the object's name, or why it could not be read. What is not there is in neither. */
export interface Found {
  readonly objects: Map<string, JsonMap>
  readonly problems: Map<string, string>
}

/** Requests under way at once. */
export const width = 8
/** Of one type in one namespace, so many objects are fetched one by one; more are picked from a list. */
const few = 8

/** Fetches objects by name: one by one, or out of lists, whichever is less to ask. */
export async function fetchObjects(client: KubeClient, wanted: readonly Wanted[]): Promise<Found> {
  const found: Found = { objects: new Map(), problems: new Map() }
  const groups = groupBy(wanted, ({ type, identity }) =>
    JSON.stringify([type.apiVersion, type.plural, identity.namespace]),
  )
  const singles: Wanted[] = []
  await forEachOf([...groups.values()], width, async (group) => {
    const isListed = group.length > few && (await fromList(client, group, found))
    if (!isListed) singles.push(...group)
  })
  await forEachOf(singles, width, (one) => fetchOne(client, one, found))
  return found
}

/** False if the list is refused: whoever may not list may still get. */
async function fromList(client: KubeClient, group: readonly Wanted[], { objects }: Found): Promise<boolean> {
  const [first] = group
  if (first === undefined) return true
  const { apiVersion, plural } = first.type
  const names = new Map(group.map(({ identity }) => [identity.name, nameOf(identity)]))
  try {
    for await (const page of client.list({ apiVersion, plural, namespace: first.identity.namespace })) {
      for (const item of page.items) {
        const name = names.get(item.metadata?.name ?? '')
        if (name !== undefined) objects.set(name, asMap(item))
      }
    }
    return true
  } catch (error) {
    if (error instanceof ApiError) return false
    throw error
  }
}

async function fetchOne(
  client: KubeClient,
  { type, identity }: Wanted,
  { objects, problems }: Found,
): Promise<void> {
  const { apiVersion, plural } = type
  const { name, namespace } = identity
  try {
    objects.set(nameOf(identity), asMap(await client.get({ apiVersion, plural, name, namespace })))
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    if (error.status.code !== 404) problems.set(nameOf(identity), error.status.message)
  }
}

/** An object of the server is JSON, whatever else it is. */
export function asMap(object: KubeObject): JsonMap {
  return object as unknown as JsonMap
}
