import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { KubesyncError } from '../../../errors.ts'
import { KubeClient } from '../../../kube/client.ts'
import { apiError } from '../../../kube/errors.ts'
import type { JsonObject } from '../../../kube/json.ts'
import type { KubeRequest } from '../../../kube/requests.ts'
import { isMap, type JsonMap } from '../../value.ts'
import { applied, updated } from './field-owners.ts'

const kinds = [
  { group: '/api/v1', name: 'configmaps', kind: 'ConfigMap' },
  { group: '/api/v1', name: 'secrets', kind: 'Secret' },
  { group: '/apis/apps/v1', name: 'deployments', kind: 'Deployment' },
  { group: '/apis/apps/v1', name: 'deployments/scale', kind: 'Scale' },
  { group: '/apis/autoscaling/v1', name: 'horizontalpodautoscalers', kind: 'HorizontalPodAutoscaler' },
] as const

/** What was done to an object, and by whom. */
interface Happened {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly path: string
  readonly manager: string
  readonly version: number
  readonly object: JsonMap
}

interface Watcher {
  readonly path: string
  readonly stream: PassThrough
}

/** A small API server in memory: lists, watches, server-side apply with field owners, dry runs; no schemas, no admission. */
export class FakeCluster {
  readonly history: Happened[] = []
  /** By path. */
  readonly objects = new Map<string, JsonMap>()
  /** Nobody gets through. */
  isAway = false
  readonly #watchers = new Set<Watcher>()
  #version = 1
  #forgotten = 0

  /** Somebody changes an object, or makes it: the fields that change are theirs. */
  edit(path: string, manager: string, change: (object: JsonMap) => JsonMap): void {
    const before = this.objects.get(path)
    this.put(path, manager, updated(before, change(before ?? {}), manager))
  }

  remove(path: string, manager: string): void {
    const before = this.objects.get(path)
    if (before === undefined) return
    this.objects.delete(path)
    this.#version += 1
    this.#tell({
      type: 'DELETED',
      path,
      manager,
      version: this.#version,
      object: versioned(before, this.#version),
    })
  }

  put(path: string, manager: string, object: JsonMap): JsonMap {
    const before = this.objects.get(path)
    if (
      before !== undefined &&
      JSON.stringify(before) === JSON.stringify(versioned(object, versionOf(before)))
    )
      return before
    this.#version += 1
    const uid = isMap(before?.metadata) ? before.metadata.uid : `uid-${this.#version}`
    const now = versioned(
      { ...object, metadata: { ...asMap(object.metadata), uid: uid ?? null } },
      this.#version,
    )
    this.objects.set(path, now)
    this.#tell({
      type: before === undefined ? 'ADDED' : 'MODIFIED',
      path,
      manager,
      version: this.#version,
      object: now,
    })
    return now
  }

  /** Breaks all watches. */
  cut(): void {
    for (const { stream } of this.#watchers) stream.destroy()
    this.#watchers.clear()
  }

  /** Forgets the past: who watches from there gets a 410. */
  forget(): void {
    this.#forgotten = this.#version
  }

  list(path: string): JsonMap {
    const items = [...this.objects].filter(([one]) => parentOf(one) === path).map(([, object]) => object)
    return { kind: 'List', apiVersion: 'v1', metadata: { resourceVersion: String(this.#version) }, items }
  }

  watch(path: string, from: number): PassThrough {
    const stream = new PassThrough()
    if (from < this.#forgotten) {
      stream.end(
        `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })}\n`,
      )
      return stream
    }
    for (const one of this.history) if (one.version > from && parentOf(one.path) === path) send(stream, one)
    const watcher = { path, stream }
    this.#watchers.add(watcher)
    stream.on('close', () => this.#watchers.delete(watcher))
    return stream
  }

  #tell(happened: Happened): void {
    this.history.push(happened)
    for (const { path, stream } of this.#watchers)
      if (parentOf(happened.path) === path) send(stream, happened)
  }
}

/** Somebody's client of a fake cluster. */
export class FakeClient extends KubeClient {
  readonly #cluster: FakeCluster
  readonly #onStep: () => void

  /** @param onStep called before and after each request: what it throws is how the request ends. */
  constructor(cluster: FakeCluster, onStep: () => void = () => {}) {
    super({
      ...{ name: 'fake', cluster: 'fake', server: 'https://fake', namespace: 'a', user: '', headers: {} },
      config: {
        cluster: { name: 'fake', server: 'https://fake', skipTLSVerify: false },
        user: { name: '' },
        applyToHTTPSOptions: async () => {},
      },
      forgetCredentials() {},
    })
    this.#cluster = cluster
    this.#onStep = onStep
  }

  override async open({ path, query }: KubeRequest): Promise<IncomingMessage> {
    await turn()
    this.#reach()
    const stream = this.#cluster.watch(path, Number(query?.resourceVersion))
    return Object.assign(stream, { socket: { setKeepAlive() {} } }) as unknown as IncomingMessage
  }

  override async request(request: KubeRequest): Promise<JsonObject> {
    await turn()
    this.#reach()
    this.#onStep()
    const answer = this.#answer(request)
    this.#onStep()
    await turn()
    return structuredClone(answer) as JsonObject
  }

  #reach(): void {
    if (this.#cluster.isAway) throw new KubesyncError('SERVER_UNREACHABLE', 'nobody answers')
  }

  #answer({ method = 'GET', path, query = {}, body }: KubeRequest): JsonMap {
    const sent = asMap(body as JsonMap)
    if (path === '/version') return { gitVersion: 'v1.30.0', major: '1', minor: '30' }
    const resources = kinds.filter(({ group }) => group === path)
    if (resources.length > 0)
      return {
        resources: resources.map(({ name, kind }) => ({
          name,
          kind,
          namespaced: true,
          verbs: ['get', 'list', 'patch'],
        })),
      }
    if (kinds.some(({ name }) => path.endsWith(`/${name}`))) return this.#cluster.list(path)
    const before = this.#cluster.objects.get(path)
    const isApply = method === 'PATCH' && query.force !== undefined
    if (method === 'PATCH' && asMap(sent.metadata).managedFields === undefined)
      return this.#apply(path, sent, {
        isForced: isApply && query.force === true,
        isDry: query.dryRun !== undefined,
      })
    if (before === undefined) throw this.#refusal(404, 'NotFound')
    if (method === 'PUT') return { ...sent, metadata: { ...asMap(before.metadata), ...asMap(sent.metadata) } }
    if (method === 'DELETE') {
      if (asMap(sent.preconditions).uid !== asMap(before.metadata).uid)
        throw this.#refusal(409, 'another one')
      this.#cluster.remove(path, 'kubesync')
    }
    if (method === 'PATCH') {
      this.#requireVersion(before, sent)
      return this.#cluster.put(path, 'kubesync', {
        ...before,
        metadata: { ...asMap(before.metadata), ...asMap(sent.metadata) },
      })
    }
    return before
  }

  #apply(path: string, sent: JsonMap, { isForced, isDry }: { isForced: boolean; isDry: boolean }): JsonMap {
    const before = this.#cluster.objects.get(path)
    if (before !== undefined) this.#requireVersion(before, sent)
    else if (asMap(sent.metadata).resourceVersion !== undefined) throw this.#refusal(400, 'it is not there')
    const result = applied(before, sent, isForced)
    if ('conflict' in result) throw this.#refusal(409, `conflict with "${result.conflict}"`)
    return isDry ? result.object : this.#cluster.put(path, 'kubesync', result.object)
  }

  #requireVersion(before: JsonMap, sent: JsonMap): void {
    const { resourceVersion } = asMap(sent.metadata)
    if (resourceVersion !== undefined && resourceVersion !== versionOf(before))
      throw this.#refusal(
        409,
        'the object has been modified; please apply your changes to the latest version',
      )
  }

  #refusal(code: number, message: string) {
    return apiError(this.target, 'do it', { code, reason: message, message })
  }
}

/** Other things happen between a question and its answer. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

const asMap = (value: JsonMap[string] | undefined): JsonMap => (isMap(value) ? value : {})
const parentOf = (path: string) => path.slice(0, path.lastIndexOf('/'))
const versionOf = (object: JsonMap) => String(asMap(object.metadata).resourceVersion)

function versioned(object: JsonMap, version: number | string): JsonMap {
  return { ...object, metadata: { ...asMap(object.metadata), resourceVersion: String(version) } }
}

function send(stream: PassThrough, { type, object }: Happened): void {
  stream.write(`${JSON.stringify({ type, object })}\n`)
}
