import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import { type Api, type ApiOptions, openApi } from '../api.ts'
import { loadCatalog } from '../catalog.ts'
import { badRequest } from '../failure.ts'
import type { KubeObject } from '../object.ts'

const catalog = loadCatalog()

/** An answer of the API server. */
export interface Answer {
  readonly code: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: what a test expects of it is what it checks.
  readonly body: any
}

export interface Sent {
  readonly body?: unknown
  readonly type?: string
  readonly headers?: Record<string, string>
}

/** An event of a watch. */
export interface Event {
  readonly type: string
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  readonly object: any
}

/** A watch that is open, with its events so far. */
export interface Watched {
  /** The next event; undefined when the stream has ended. */
  next(): Promise<Event | undefined>
  readonly response: IncomingMessage
  close(): void
}

/** An API server of its own for a test, as a client on its port sees it. */
export interface ApiServer {
  readonly api: Api
  readonly port: number
  ask(method: string, path: string, sent?: Sent): Promise<Answer>
  watch(path: string, headers?: Record<string, string>): Promise<Watched>
}

export const token = 'secret'

export async function startApiServer(options: Partial<ApiOptions> = {}): Promise<ApiServer> {
  const refuse = () => {
    throw badRequest('no node is here')
  }
  const streams = { exec: refuse, portForward: refuse, logs: refuse }
  const api = openApi({ catalog, token, streams, ...options })
  const server = createServer(api.handle)
  server.on('upgrade', api.upgrade)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })

  async function open(method: string, path: string, { body, type, headers = {} }: Sent = {}) {
    const content = body === undefined || typeof body === 'string' ? (body ?? '') : JSON.stringify(body)
    const sent = request({
      ...{ port, path, method, agent: false },
      headers: {
        authorization: `Bearer ${token}`,
        'user-agent': 'vitest/1.0 (any)',
        ...(body === undefined ? {} : { 'content-type': type ?? 'application/json' }),
        'content-length': Buffer.byteLength(content),
        ...headers,
      },
    })
    sent.end(content)
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    return response
  }

  return {
    api,
    port,
    async ask(method, path, sent) {
      const response = await open(method, path, sent)
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk)
      const text = Buffer.concat(chunks).toString()
      const isJson = response.headers['content-type']?.startsWith('application/json')
      const body = isJson && !path.includes('watch=1') ? JSON.parse(text) : undefined
      return { code: response.statusCode ?? 0, headers: response.headers, text, body }
    },
    async watch(path, headers = {}) {
      const response = await open('GET', path, { headers })
      const lines = createInterface(response)[Symbol.asyncIterator]()
      return {
        response,
        async next() {
          const { value, done } = await lines.next()
          return done ? undefined : (JSON.parse(value) as Event)
        },
        close: () => response.destroy(),
      }
    },
  }
}

/** Paths of the namespace that is always there. */
export const configMaps = '/api/v1/namespaces/default/configmaps'
export const pods = '/api/v1/namespaces/default/pods'
export const deployments = '/apis/apps/v1/namespaces/default/deployments'
export const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

export const merge = 'application/merge-patch+json'
export const strategic = 'application/strategic-merge-patch+json'
export const apply = 'application/apply-patch+yaml'

export function configMap(name: string, more: object = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, ...more }
}

export function pod(name: string, more: object = {}): KubeObject {
  const containers = [{ name: 'web', image: 'any' }]
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers, ...more } }
}

export function deployment(name: string, more: object = {}): KubeObject {
  const labels = { app: name }
  const template = { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'any' }] } }
  const spec = { selector: { matchLabels: labels }, template, ...more }
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec }
}

/** A CRD `widgets.example.com` whose schema has a size, a colour and a status. */
export function widgetCrd(version: object = {}, spec: object = {}): KubeObject {
  const properties = {
    spec: {
      type: 'object',
      properties: { size: { type: 'integer', default: 3 }, color: { type: 'string' } },
    },
    status: { type: 'object', properties: { phase: { type: 'string' } } },
  }
  const served = { name: 'v1', served: true, storage: true, subresources: { status: {} } }
  const schema = { openAPIV3Schema: { type: 'object', properties } }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', kind: 'Widget', shortNames: ['wd'] },
      versions: [{ ...served, schema, ...version }],
      ...spec,
    },
  }
}

export const widgets = '/apis/example.com/v1/namespaces/default/widgets'

export function widget(name: string, more: object = {}): KubeObject {
  return { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name }, ...more }
}

/** Waits for the commit after which `ready` holds. */
export function until({ api: { store } }: ApiServer, ready: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (!ready()) return false
      resolve()
      return true
    }
    if (look()) return
    const forget = store.onChange(() => {
      if (look()) forget()
    })
  })
}

/** Creates a CRD and waits until its resources are served. */
export async function establish(server: ApiServer, crd: KubeObject): Promise<void> {
  await server.ask('POST', crds, { body: crd })
  const name = crd.metadata.name
  await until(server, () => {
    const found = server.api.store.get('customresourcedefinitions.apiextensions.k8s.io', { name })
    return JSON.stringify(found?.status ?? {}).includes('Established')
  })
}
