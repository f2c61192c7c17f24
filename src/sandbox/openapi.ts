import { createHash } from 'node:crypto'
import { isObject } from './object.ts'
import type { Registry } from './registry.ts'
import type { ResourceType } from './resource.ts'
import type { Schema } from './schema.ts'

const prefix = '#/components/schemas/'
const pathOf = (apiVersion: string) => (apiVersion.includes('/') ? `apis/${apiVersion}` : `api/${apiVersion}`)

/** What is served below /openapi; undefined for a path that is not. */
export function openApiDocument(registry: Registry, path: string): object | undefined {
  if (path === '/openapi/v3') return index(registry)
  const apiVersion = registry
    .all()
    .find((type) => path === `/openapi/v3/${pathOf(type.apiVersion)}`)?.apiVersion
  return apiVersion === undefined ? undefined : document(registry, apiVersion)
}

/** The documents by path, each with a hash by which clients know whether they have it already. */
function index(registry: Registry): object {
  const versions = new Set(registry.all().map(({ apiVersion }) => apiVersion))
  const paths = [...versions].map((apiVersion) => {
    const hash = createHash('sha256')
      .update(JSON.stringify(document(registry, apiVersion)))
      .digest('hex')
    return [
      pathOf(apiVersion),
      { serverRelativeURL: `/openapi/v3/${pathOf(apiVersion)}?hash=${hash.toUpperCase()}` },
    ]
  })
  return { paths: Object.fromEntries(paths) }
}

/** A group version's types with all they refer to, and as much of its paths as kubectl looks for. */
function document(registry: Registry, apiVersion: string): object {
  const types = registry.all().filter((type) => type.apiVersion === apiVersion)
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: registry.catalog.version },
    paths: Object.fromEntries(types.flatMap(pathsOf)),
    components: { schemas: schemasOf(registry, types) },
  }
}

function schemasOf({ catalog }: Registry, types: readonly ResourceType[]): Record<string, Schema> {
  const found: Record<string, Schema> = {}
  const take = (id: string, schema: Schema) => {
    if (id in found) return
    found[id] = schema
    for (const other of referredIn(schema)) take(other, catalog.schemas[other] ?? {})
  }
  for (const type of types) take(idOf(catalog.kinds, type), withKind(type))
  return found
}

function referredIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(referredIn)
  if (!isObject(value)) return []
  const own = typeof value.$ref === 'string' ? [value.$ref.slice(prefix.length)] : []
  return [...own, ...Object.values(value).flatMap(referredIn)]
}

/** `io.k8s.api.apps.v1.Deployment`; for a custom resource the group backwards: `com.example.v1.Widget`. */
function idOf(kinds: Readonly<Record<string, string>>, { apiVersion, info }: ResourceType): string {
  const reversed = info.group.split('.').reverse().join('.')
  return kinds[`${apiVersion} ${info.kind}`] ?? `${reversed}.${info.version}.${info.kind}`
}

function kindOf({ group, version, kind }: ResourceType['info']) {
  return { group, version, kind }
}

function withKind({ custom, schema, info }: ResourceType): Schema {
  return custom ? { ...schema.root, 'x-kubernetes-group-version-kind': [kindOf(info)] } : schema.root
}

const inQuery = (type: string, ...names: string[]) =>
  names.map((name) => ({ name, in: 'query', schema: { type, uniqueItems: true } }))
const writeParameters = [
  ...inQuery('string', 'dryRun', 'fieldManager', 'fieldValidation', 'pretty'),
  ...inQuery('boolean', 'force'),
]
const listParameters = [
  ...inQuery(
    'string',
    'continue',
    'fieldSelector',
    'labelSelector',
    'resourceVersion',
    'resourceVersionMatch',
  ),
  ...inQuery('integer', 'limit', 'timeoutSeconds'),
  ...inQuery('boolean', 'allowWatchBookmarks', 'sendInitialEvents', 'watch'),
]

/** HTTP's methods for the verbs of collections and of single objects, and what the schema calls these. */
const collection = { list: ['get', 'list'], create: ['post', 'post'] } as const
const single = {
  get: ['get', 'get'],
  update: ['put', 'put'],
  patch: ['patch', 'patch'],
  delete: ['delete', 'delete'],
} as const

function pathsOf({ apiVersion, info }: ResourceType): [string, object][] {
  const base = `/${pathOf(apiVersion)}${info.namespaced ? '/namespaces/{namespace}' : ''}/${info.plural}`
  const operations = (methods: Readonly<Record<string, readonly [method: string, action: string]>>) =>
    Object.entries(methods).flatMap(([verb, [method, action]]) =>
      info.verbs.includes(verb) ? [[method, operation(info, action)] as const] : [],
    )
  return [
    [base, Object.fromEntries(operations(collection))],
    [`${base}/{name}`, Object.fromEntries(operations(single))],
  ]
}

function operation(info: ResourceType['info'], action: string): object {
  return {
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': kindOf(info),
    ...(action === 'get' ? {} : { parameters: action === 'list' ? listParameters : writeParameters }),
    responses: { 200: { description: 'OK' } },
  }
}
