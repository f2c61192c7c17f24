import * as v from 'valibot'
import { KubesyncError } from '../errors.ts'
import { groupVersionPath } from './resource.ts'

/** A type of object that the server serves. */
export interface ResourceType {
  readonly apiVersion: string
  readonly kind: string
  /** As it stands in paths: `deployments`. */
  readonly plural: string
  readonly namespaced: boolean
}

export interface Discovery {
  /** The type of that kind. @throws KubesyncError `NO_SUCH_KIND` */
  kind(apiVersion: string, kind: string): Promise<ResourceType>
}

const resourcesSchema = v.looseObject({
  resources: v.array(v.looseObject({ name: v.string(), kind: v.string(), namespaced: v.boolean() })),
})

/** What a server can do, read through `get` and remembered. */
export function discovery(get: (path: string, accept?: string) => Promise<unknown>): Discovery {
  const versions = new Map<string, Promise<ResourceType[]>>()
  const typesOf = (apiVersion: string): Promise<ResourceType[]> => {
    const known = versions.get(apiVersion)
    if (known !== undefined) return known
    const asked = fetchTypes(get, apiVersion)
    versions.set(apiVersion, asked)
    asked.catch(() => versions.delete(apiVersion))
    return asked
  }
  return {
    kind: async (apiVersion, kind) => {
      const found = (await typesOf(apiVersion)).find((type) => type.kind === kind)
      if (found !== undefined) return found
      throw new KubesyncError('NO_SUCH_KIND', `The server has no ${kind} in ${apiVersion}.`)
    },
  }
}

async function fetchTypes(
  get: (path: string) => Promise<unknown>,
  apiVersion: string,
): Promise<ResourceType[]> {
  const { resources } = v.parse(resourcesSchema, await get(groupVersionPath(apiVersion)))
  return resources
    .filter(({ name }) => !name.includes('/'))
    .map(({ name, kind, namespaced }) => ({ apiVersion, kind, plural: name, namespaced }))
}
