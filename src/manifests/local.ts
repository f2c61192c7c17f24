import { KubesyncError } from '../errors.ts'
import type { KubeClient } from '../kube/client.ts'
import type { ResourceType } from '../kube/resource-type.ts'
import type { Manifest, Remark } from './folder/documents.ts'
import { groupBy } from './group.ts'
import { type Wanted, width } from './live/fetch.ts'
import { forEachOf } from './live/pool.ts'
import { groupOf, type Identity, identityOf, nameOf } from './order/references.ts'
import { isMap, type JsonMap } from './value.ts'

/** An object in a file, as the server would know it. */
export interface LocalObject {
  readonly manifest: Manifest
  /** With the namespace that it would go to. */
  readonly identity: Identity
  /** The same in the object. */
  readonly object: JsonMap
  readonly apiVersion: string
  /** Undefined where the server does not have that kind. */
  readonly type: ResourceType | undefined
}

interface Resolved {
  readonly objects: readonly LocalObject[]
  readonly remarks: readonly Remark[]
}

/** Asks the server what kinds there are in files, and gives objects without a namespace that of the context. */
export async function resolveLocal(client: KubeClient, manifests: readonly Manifest[]): Promise<Resolved> {
  const kinds = groupBy(manifests, ({ object: { apiVersion, kind } }) => `${apiVersion} ${kind}`)
  const types = new Map(
    await forEachOf([...kinds], width, async ([kind, [first]]) => {
      const type = first === undefined ? undefined : await typeOf(client, first.object)
      return [kind, type] as const
    }),
  )
  const scopes = definedScopes(manifests)
  const objects = manifests.map((manifest): LocalObject => {
    const { object, identity } = manifest
    const type = types.get(`${object.apiVersion} ${object.kind}`)
    const isNamespaced = type?.namespaced ?? scopes.get(`${identity.kind}.${identity.group}`) ?? true
    const namespace = isNamespaced ? (identity.namespace ?? client.context.namespace) : undefined
    return {
      manifest,
      type,
      identity: { ...identity, namespace },
      object: placed(object, namespace),
      apiVersion: String(object.apiVersion),
    }
  })
  return withoutDoubles(objects)
}

/** The kind of an object; undefined where the server does not have it. */
export async function typeOf(
  client: KubeClient,
  { apiVersion, kind }: JsonMap,
): Promise<ResourceType | undefined> {
  try {
    return await client.discovery.kind(String(apiVersion), String(kind))
  } catch (error) {
    if (error instanceof KubesyncError && error.code === 'NO_SUCH_KIND') return undefined
    throw error
  }
}

/** What an object of a file, as it was once, is looked for as; undefined where the server does not have its kind. */
export async function wantedOf(client: KubeClient, object: JsonMap): Promise<Wanted | undefined> {
  const [type, identity] = [await typeOf(client, object), identityOf(object)]
  if (type === undefined || identity === undefined) return undefined
  const namespace = type.namespaced ? (identity.namespace ?? client.context.namespace) : undefined
  return { type, identity: { ...identity, namespace } }
}

/** Of kinds that are only defined in these files: whether their objects have namespaces. */
function definedScopes(manifests: readonly Manifest[]): Map<string, boolean> {
  return new Map(
    manifests.flatMap(({ object, identity }) => {
      const { spec } = object
      if (identity.kind !== 'CustomResourceDefinition' || !isMap(spec) || !isMap(spec.names)) return []
      return [[`${spec.names.kind}.${spec.group}`, spec.scope !== 'Cluster'] as const]
    }),
  )
}

function placed(object: JsonMap, namespace: string | undefined): JsonMap {
  const metadata = isMap(object.metadata) ? object.metadata : {}
  if (metadata.namespace === namespace) return object
  const { namespace: _, ...others } = metadata
  return { ...object, metadata: namespace === undefined ? others : { ...others, namespace } }
}

/** Two that are one in this namespace, though one of them does not say so: nobody can say which one is meant. */
function withoutDoubles(objects: readonly LocalObject[]): Resolved {
  const groups = [...groupBy(objects, ({ identity }) => nameOf(identity))]
  return {
    objects: groups.flatMap(([, group]) => (group.length === 1 ? group : [])),
    remarks: groups
      .filter(([, group]) => group.length > 1)
      .map(([name, group]) => ({
        file: group[0]?.manifest.file ?? '',
        reason: `${name} is also in ${group
          .slice(1)
          .map(({ manifest }) => manifest.file)
          .join(', ')}`,
        isProblem: true,
      })),
  }
}

/** Whether a kind is defined by one of these objects. */
export function isDefinedIn(objects: readonly LocalObject[], apiVersion: string, kind: string): boolean {
  return definedScopes(objects.map(({ manifest }) => manifest)).has(`${kind}.${groupOf(apiVersion)}`)
}
