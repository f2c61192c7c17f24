import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { bootstrap } from './bootstrap.ts'
import type { Catalog } from './catalog.ts'
import { startCollector } from './collector.ts'
import type { Context } from './context.ts'
import { deleteObject } from './delete.ts'
import { discovery } from './discovery.ts'
import { ApiFailure, notImplemented } from './failure.ts'
import { type Reply, refuseUpgrade, send, sendFailure } from './http.ts'
import { startLifecycles } from './lifecycle.ts'
import type { PodStreams } from './node/streams.ts'
import { openApiDocument } from './openapi.ts'
import { stream } from './pod-requests.ts'
import { createRegistry } from './registry.ts'
import { answer } from './requests.ts'
import { methodNotAllowed, noSuchResource, route } from './route.ts'
import { Store } from './store.ts'
import { createWriter } from './write-internal.ts'
import type { Writer } from './writer.ts'

export interface ApiOptions {
  readonly catalog: Catalog
  /** The only credential: who has it may do everything. */
  readonly token: string
  readonly streams: PodStreams
  readonly now?: () => Date
}

/** An API server, but for the port it listens on. */
export interface Api {
  readonly writer: Writer
  readonly store: Store
  /** Handles a plain request that came through TLS. */
  handle(request: IncomingMessage, response: ServerResponse): void
  /** Handles a request to upgrade its connection. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

/** Starts an API server with nothing but the namespaces that every cluster has. */
export function openApi({ catalog, token, streams, now = () => new Date() }: ApiOptions): Api {
  const store = new Store()
  const registry = createRegistry(catalog, store)
  const context: Context = { store, registry, now }
  const writer = createWriter(context, 'kube-controller-manager')
  startCollector(store, writer, (key, propagationPolicy) => {
    const type = registry.stored(key.resource)
    if (type !== undefined) deleteObject(context, { ...key, type }, { propagationPolicy, dryRun: false })
  })
  startLifecycles(writer, registry)
  bootstrap(createWriter(context, 'kube-apiserver'))
  // A server does not know what was before it began.
  store.compact()

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = urlOf(request)
    if (pathname in health) return send(response, { code: 200, body: 'ok' })
    authorize(request, token)
    const target = route(pathname, registry)
    if (target !== undefined) {
      return answer({ context, target, query: searchParams, streams, request, response })
    }
    if (request.method !== 'GET') throw methodNotAllowed()
    send(response, documentAt(pathname, request.headers.accept))
  }

  function documentAt(path: string, accept: string | undefined): Reply {
    if (path === '/version') return { code: 200, body: versionOf(catalog) }
    const found = discovery(registry, path, accept)
    if (found !== undefined) return { code: 200, ...found }
    const document = openApiDocument(registry, path)
    if (document !== undefined) return { code: 200, body: document }
    const group = /^\/(?:api|apis\/([^/]+))\/[^/]/.exec(path)
    if (group !== null && registry.all().some(({ info }) => info.group === (group[1] ?? '')))
      throw noSuchResource()
    return { code: 404, body: '404 page not found\n' }
  }

  return {
    writer,
    store,
    handle(request, response) {
      respond(request, response).catch((error: unknown) => sendFailure(response, error))
    },
    upgrade(request, socket, head) {
      socket.on('error', () => socket.destroy())
      try {
        const { pathname, searchParams: query } = urlOf(request)
        authorize(request, token)
        const target = route(pathname, registry)
        const { name, subresource = '' } = target ?? {}
        if (target === undefined || name === undefined || !upgradable.has(subresource)) throw noSuchResource()
        stream(context, { ...target, name }, streams, { query, upgrade: { request, socket, head } })
      } catch (error) {
        refuseUpgrade(socket, error)
      }
    },
  }
}

const health = { '/healthz': true, '/readyz': true, '/livez': true }
const upgradable = new Set(['exec', 'attach', 'portforward'])

function urlOf({ url = '/' }: IncomingMessage): URL {
  return new URL(url, 'https://sandbox')
}

/** Throws 401 unless the request has the token. */
function authorize({ headers }: IncomingMessage, token: string): void {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  if (!timingSafeEqual(digest(headers.authorization ?? ''), digest(`Bearer ${token}`))) {
    throw new ApiFailure(401, 'Unauthorized', 'Unauthorized')
  }
  if (headers['impersonate-user'] !== undefined) throw notImplemented('impersonation')
}

function versionOf({ version }: Catalog): object {
  const [, major = '', minor = ''] = /^v(\d+)\.(\d+)/.exec(version) ?? []
  return {
    major,
    minor,
    gitVersion: `${version}+kubesync.sandbox`,
    gitCommit: '',
    gitTreeState: '',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: '',
    compiler: '',
    platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  }
}
