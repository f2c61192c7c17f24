import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { ApiFailure } from '../../failure.ts'
import { at, type KubeObject } from '../../object.ts'
import { Store } from '../../store.ts'
import type { ObjectKey, Writer } from '../../writer.ts'
import { startControllers } from '../controllers.ts'
import type { Pod } from '../kinds.ts'
import { condition, hasEnded } from '../pods.ts'

const plurals: Readonly<Record<string, string>> = {
  Pod: 'pods',
  Node: 'nodes',
  Namespace: 'namespaces',
  Event: 'events',
  ServiceAccount: 'serviceaccounts',
  ConfigMap: 'configmaps',
  Deployment: 'deployments.apps',
  ReplicaSet: 'replicasets.apps',
  DaemonSet: 'daemonsets.apps',
}

/** A store with controllers, and with nodes that do as they are told at once. */
export class World {
  readonly store = new Store()
  readonly writer: Writer = this.#writer()
  /** Whether pods become ready as soon as they are bound. */
  healthy = true
  /** What the API says to a new pod; undefined lets it pass. */
  refusal: ApiFailure | undefined
  readonly #controllers: { close(): void }

  constructor({ nodes = 2 }: { nodes?: number } = {}) {
    this.store.onChange(({ resource, object, type }) => {
      if (resource === 'pods' && type !== 'DELETED') setImmediate(() => this.#runPod(object))
    })
    this.#controllers = startControllers(this.writer, { ca: 'the CA' })
    for (let number = 1; number <= nodes; number++) this.addNode(`node-${number}`)
  }

  close(): void {
    this.#controllers.close()
  }

  addNode(name: string, labels: Record<string, string> = {}): void {
    const status = { conditions: [{ type: 'Ready', status: 'True' }] }
    this.writer.create({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels }, spec: {}, status })
  }

  /** Resolves when nothing has anything left to do. */
  async settled(): Promise<void> {
    for (let quiet = 0; quiet < 5; quiet++) {
      const before = this.store.revision
      await new Promise((resolve) => setImmediate(resolve))
      if (this.store.revision !== before) quiet = 0
    }
  }

  pods(): Pod[] {
    return this.store.list('pods') as Pod[]
  }

  #runPod(pod: KubeObject): void {
    const key = { resource: 'pods', namespace: pod.metadata.namespace, name: pod.metadata.name }
    const now = this.store.get('pods', key) as Pod | undefined
    if (now?.spec.nodeName === undefined) return
    if (now.metadata.deletionTimestamp !== undefined) {
      this.store.remove('pods', key)
      return
    }
    if (hasEnded(now.status?.phase)) return
    const ready = { type: 'Ready', status: this.healthy ? 'True' : 'False', lastTransitionTime: stamp() }
    if (condition(now.status?.conditions, 'Ready')?.status === ready.status) return
    const others = (now.status?.conditions ?? []).filter(({ type }) => type !== 'Ready')
    this.writer.change(
      key,
      (live) => ({ ...live, status: { phase: 'Running', conditions: [...others, ready] } }),
      'status',
    )
  }

  #create(object: KubeObject): KubeObject {
    const resource = plurals[object.kind] ?? ''
    if (object.kind === 'Pod' && this.refusal !== undefined) throw this.refusal
    if (this.store.get(resource, object.metadata) !== undefined) {
      throw new ApiFailure(409, 'AlreadyExists', `${resource} "${object.metadata.name}" already exists`)
    }
    const metadata = { ...object.metadata, uid: randomUUID(), creationTimestamp: stamp(), generation: 1 }
    return this.store.put(resource, { ...object, metadata })
  }

  #change(key: ObjectKey, change: (object: KubeObject) => KubeObject, subresource?: 'status') {
    const live = this.store.get(key.resource, key)
    if (live === undefined) return undefined
    const wanted = change(live)
    const { status } = subresource === undefined ? live : wanted
    const base = subresource === undefined ? wanted : live
    const counted = isDeepStrictEqual(base.spec, live.spec) ? 0 : 1
    const generation = (live.metadata.generation ?? 0) + counted
    const next = {
      ...base,
      metadata: { ...base.metadata, generation },
      ...(status === undefined ? {} : { status }),
    }
    return isDeepStrictEqual(next, live) ? live : this.store.put(key.resource, next)
  }

  #delete(key: ObjectKey): void {
    const live = this.store.get(key.resource, key)
    if (live === undefined) return
    if (at(live, 'spec', 'nodeName') === undefined) this.store.remove(key.resource, key)
    else this.store.put(key.resource, { ...live, metadata: { ...live.metadata, deletionTimestamp: stamp() } })
  }

  #writer(): Writer {
    return {
      store: this.store,
      as: () => this.writer,
      create: (object) => this.#create(object),
      change: (key, change, subresource) => this.#change(key, change, subresource),
      delete: (key) => this.#delete(key),
    }
  }
}

function stamp(): string {
  return new Date().toISOString()
}
