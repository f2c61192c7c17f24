import * as v from 'valibot'
import { ApiError } from './errors.ts'
import { groupVersionPath } from './resource.ts'
import type { ResourceType, ServerTypes } from './resource-type.ts'

/** Asks the server for a path. */
export type Get = (path: string, accept?: string) => Promise<unknown>

/** The aggregated form, newest first; a server that knows none answers the old one. */
const AGGREGATED = [
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
  'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList',
  'application/json',
].join(',')

const text = v.optional(v.string(), '')
const texts = v.nullish(v.array(v.string()), [])

const aggregatedSchema = v.looseObject({
  kind: v.literal('APIGroupDiscoveryList'),
  items: v.array(
    v.looseObject({
      metadata: v.nullish(v.looseObject({ name: text })),
      versions: v.array(
        v.looseObject({
          version: v.string(),
          freshness: text,
          resources: v.nullish(
            v.array(
              v.looseObject({
                resource: v.string(),
                responseKind: v.nullish(v.looseObject({ kind: v.string() })),
                scope: text,
                singularResource: text,
                shortNames: texts,
                verbs: texts,
                subresources: v.nullish(v.array(v.looseObject({ subresource: v.string() })), []),
              }),
            ),
            [],
          ),
        }),
      ),
    }),
  ),
})

const groupsSchema = v.looseObject({
  groups: v.array(
    v.looseObject({
      versions: v.array(v.looseObject({ groupVersion: v.string() })),
      preferredVersion: v.nullish(v.looseObject({ groupVersion: v.string() })),
    }),
  ),
})

const coreSchema = v.looseObject({ versions: v.array(v.string()) })

const resourcesSchema = v.looseObject({
  resources: v.array(
    v.looseObject({
      name: v.string(),
      singularName: text,
      kind: v.string(),
      namespaced: v.boolean(),
      shortNames: texts,
      verbs: texts,
    }),
  ),
})

/** The types of one group version. */
export async function fetchVersion(get: Get, apiVersion: string): Promise<ResourceType[]> {
  const { resources } = v.parse(resourcesSchema, await get(groupVersionPath(apiVersion)))
  const subresourcesOf = (plural: string) =>
    resources
      .filter(({ name }) => name.startsWith(`${plural}/`))
      .map(({ name }) => name.slice(plural.length + 1))
  return resources
    .filter(({ name }) => !name.includes('/'))
    .map(({ name, singularName, kind, namespaced, shortNames, verbs }) => ({
      apiVersion,
      kind,
      plural: name,
      singular: singularName || kind.toLowerCase(),
      shortNames,
      namespaced,
      verbs,
      subresources: subresourcesOf(name),
    }))
}

/** All types of the server, in two requests where it can aggregate them. */
export async function fetchAll(get: Get): Promise<ServerTypes> {
  const [core, groups] = await Promise.all([get('/api', AGGREGATED), get('/apis', AGGREGATED)])
  const parts = await Promise.all([
    readRoot(get, core, (answer) => v.parse(coreSchema, answer).versions),
    readRoot(get, groups, preferredFirst),
  ])
  return {
    types: parts.flatMap(({ types }) => types),
    unavailable: parts.flatMap(({ unavailable }) => unavailable),
  }
}

async function readRoot(
  get: Get,
  answer: unknown,
  versionsOf: (answer: unknown) => readonly string[],
): Promise<ServerTypes> {
  const aggregated = v.safeParse(aggregatedSchema, answer)
  return aggregated.success ? readAggregated(aggregated.output) : fetchVersions(get, versionsOf(answer))
}

function preferredFirst(answer: unknown): string[] {
  return v.parse(groupsSchema, answer).groups.flatMap(({ versions, preferredVersion }) => {
    const names = versions.map(({ groupVersion }) => groupVersion)
    const preferred = preferredVersion?.groupVersion
    return preferred === undefined ? names : [preferred, ...names.filter((name) => name !== preferred)]
  })
}

/** An aggregated API whose own server is down answers 503: that takes nothing from the others. */
async function fetchVersions(get: Get, apiVersions: readonly string[]): Promise<ServerTypes> {
  const unavailable: string[] = []
  const types = await Promise.all(
    apiVersions.map((apiVersion) =>
      fetchVersion(get, apiVersion).catch((error: unknown) => {
        if (!(error instanceof ApiError)) throw error
        unavailable.push(apiVersion)
        return []
      }),
    ),
  )
  return { types: types.flat(), unavailable }
}

function readAggregated({ items }: v.InferOutput<typeof aggregatedSchema>): ServerTypes {
  const versions = items.flatMap(({ metadata, versions: inGroup }) =>
    inGroup.map((one) => ({
      ...one,
      apiVersion: metadata?.name ? `${metadata.name}/${one.version}` : one.version,
    })),
  )
  return {
    types: versions.flatMap(({ apiVersion, resources }) =>
      (resources ?? []).map((resource) => ({
        apiVersion,
        kind: resource.responseKind?.kind ?? '',
        plural: resource.resource,
        singular: resource.singularResource || (resource.responseKind?.kind ?? '').toLowerCase(),
        shortNames: resource.shortNames,
        namespaced: resource.scope === 'Namespaced',
        verbs: resource.verbs,
        subresources: resource.subresources.map(({ subresource }) => subresource),
      })),
    ),
    unavailable: versions
      .filter(({ freshness }) => freshness === 'Stale')
      .map(({ apiVersion }) => apiVersion),
  }
}
