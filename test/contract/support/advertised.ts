import type { Client } from './client.ts'
import { at, isFields, list, names, text } from './json.ts'

/** What not every API server has. Each is found in what the server says of itself, never by trying it. */
export type Feature =
  | 'nodes'
  | 'controllers'
  | 'openapi v3'
  | 'aggregated discovery'
  | 'fieldValidation'
  | 'watch-list'
  | 'custom objects'
  | 'protobuf'
  | 'ephemeral containers'
  | 'exec v5'
  | 'port-forward over WebSocket'

export interface Advertised {
  /** `v1.36.3` */
  readonly version: string
  readonly minor: number
  readonly features: readonly Feature[]
}

export async function advertised(client: Client): Promise<Advertised> {
  const version = (await client.ask('/version')).body
  const minor = Number.parseInt(text(version, 'minor'), 10)
  const parameters = await listParameters(client)
  const has: Record<Feature, boolean> = {
    nodes: list(await client.get('/api/v1/nodes'), 'items').length > 0,
    controllers: await hasControllers(client),
    'openapi v3': parameters !== undefined,
    'aggregated discovery': await hasAggregatedDiscovery(client),
    fieldValidation: parameters?.has('post fieldValidation') ?? false,
    'watch-list': parameters?.has('get sendInitialEvents') ?? false,
    'custom objects': !crashesOnCustomObjects(version),
    protobuf: await hasProtobuf(client),
    'ephemeral containers': (await resources(client)).includes('pods/ephemeralcontainers'),
    'exec v5': minor >= 30,
    'port-forward over WebSocket': minor >= 31,
  }
  const features = Object.entries(has).flatMap(([feature, there]) => (there ? [feature as Feature] : []))
  return { version: text(version, 'gitVersion'), minor, features }
}

/** A controller manager gives each namespace its default ServiceAccount. */
async function hasControllers(client: Client): Promise<boolean> {
  return names(await client.get('/api/v1/namespaces/default/serviceaccounts')).includes('default')
}

async function hasAggregatedDiscovery(client: Client): Promise<boolean> {
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json'
  const { headers } = await client.ask('/apis', { headers: { accept } })
  return headers['content-type']?.includes('APIGroupDiscoveryList') ?? false
}

async function resources(client: Client): Promise<string[]> {
  const { body } = await client.ask('/api/v1')
  return list(body, 'resources').map((resource) => text(resource, 'name'))
}

/** `get limit`, `post dryRun`, …: what requests for ConfigMaps may carry; undefined without OpenAPI v3. */
async function listParameters(client: Client): Promise<Set<string> | undefined> {
  const { code, body } = await client.ask('/openapi/v3/api/v1')
  if (code !== 200) return undefined
  const operations = at(body, 'paths', '/api/v1/namespaces/{namespace}/configmaps')
  if (!isFields(operations)) return new Set()
  return new Set(
    Object.entries(operations).flatMap(([method, operation]) => {
      const parameters = at(operation, 'parameters')
      return Array.isArray(parameters) ? parameters.map((one) => `${method} ${text(one, 'name')}`) : []
    }),
  )
}

/** What typed clients of kubectl speak since 1.32. A server that refuses a type of body tells which it takes. */
async function hasProtobuf(client: Client): Promise<boolean> {
  const refused = await client.ask('/api/v1/namespaces', { method: 'POST', body: '-', type: 'text/plain' })
  return refused.text.includes('application/vnd.kubernetes.protobuf')
}

/**
 * Kubernetes before 1.23 has a reflect2 that is older than 1.0.2. Built with Go 1.18 or newer, such a server dies
 * when it is sent a custom object. (https://github.com/modern-go/reflect2/releases/tag/v1.0.2) The one that test/cluster
 * builds has a newer reflect2, and says so in its version.
 */
function crashesOnCustomObjects(version: unknown): boolean {
  const go = /^go1\.(\d+)/.exec(text(version, 'goVersion'))?.[1]
  const isMended = text(version, 'gitVersion').includes('+kubesync.')
  return !isMended && Number.parseInt(text(version, 'minor'), 10) < 23 && Number(go) >= 18
}
