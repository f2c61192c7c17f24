import { type Catalog, schemaOf } from './catalog.ts'
import { crdKey, customTypes } from './crd.ts'
import { type ResourceType, storedVersion } from './resource.ts'
import { apiVersionOf, type ResourceInfo, storageKey } from './schema.ts'
import type { Store } from './store.ts'

/** The resources that are served now: Kubernetes' own and those of CRDs. */
export interface Registry {
  readonly catalog: Catalog
  all(): readonly ResourceType[]
  find(apiVersion: string, plural: string): ResourceType | undefined
  ofKind(apiVersion: string, kind: string): ResourceType | undefined
  /** The version of a resource that its objects are stored in. */
  stored(key: string): ResourceType | undefined
}

/**
 * Second versions of resources whose objects would have to be converted. They are not served, as on a server that
 * has them switched off.
 */
const unserved = new Set(['autoscaling/v1 HorizontalPodAutoscaler', 'events.k8s.io/v1 Event'])

export function createRegistry(catalog: Catalog, store: Store): Registry {
  const own = catalog.resources.flatMap((info) => ownType(catalog, info) ?? [])
  const custom = new Map<string, readonly ResourceType[]>()
  let types: readonly ResourceType[] = own
  let index = indexed(own)
  store.onChange(({ resource, type, object }) => {
    if (resource !== crdKey) return
    custom.set(object.metadata.name, type === 'DELETED' ? [] : customTypes(catalog, object))
    types = [...own, ...[...custom.values()].flat()]
    index = indexed(types)
  })
  return {
    catalog,
    all: () => types,
    find: (apiVersion, plural) => index.get(`${apiVersion} ${plural}`),
    ofKind: (apiVersion, kind) => index.get(`${apiVersion}, Kind=${kind}`),
    stored: (key) => index.get(key),
  }
}

function ownType(catalog: Catalog, info: ResourceInfo): ResourceType | undefined {
  const apiVersion = apiVersionOf(info)
  if (unserved.has(`${apiVersion} ${info.kind}`)) return undefined
  const schema = schemaOf(catalog, apiVersion, info.kind)
  return schema && { info, schema, apiVersion, key: storageKey(info), custom: false }
}

function indexed(types: readonly ResourceType[]): Map<string, ResourceType> {
  const index = new Map<string, ResourceType>()
  for (const type of types) {
    index.set(`${type.apiVersion} ${type.info.plural}`, type)
    index.set(`${type.apiVersion}, Kind=${type.info.kind}`, type)
    if (type.apiVersion === storedVersion(type)) index.set(type.key, type)
  }
  return index
}
