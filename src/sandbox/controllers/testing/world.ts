import { openApi } from '../../api.ts'
import { loadCatalog } from '../../catalog.ts'
import type { KubeObject } from '../../object.ts'
import type { Store } from '../../store.ts'
import type { Writer } from '../../writer.ts'
import { startControllers } from '../controllers.ts'
import type { Pod } from '../kinds.ts'
import { hasEnded } from '../pods.ts'
import { condition } from '../status.ts'

const catalog = loadCatalog()

/** An API with controllers, and with nodes that run and end pods at once. */
export class World {
  readonly store: Store
  readonly writer: Writer
  /** Whether pods become ready as soon as they are bound. */
  healthy = true
  readonly #controllers: { close(): void }

  constructor({ nodes = 2 }: { nodes?: number } = {}) {
    const unserved = () => {
      throw new Error('these nodes serve nothing')
    }
    const streams = { exec: unserved, portForward: unserved, logs: unserved }
    const api = openApi({ catalog, token: 'token', streams })
    this.store = api.store
    this.writer = api.writer
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

  addPod(name: string, spec: object = {}, labels: Readonly<Record<string, string>> = {}): void {
    const metadata = { name, namespace: 'default', labels }
    const containers = [{ name: 'main', image: 'any', command: ['sleep'] }]
    this.writer.create({ apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers, ...spec } })
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

  #runPod({ metadata: { namespace, name } }: KubeObject): void {
    const key = { resource: 'pods', namespace, name }
    const now = this.store.get('pods', key) as Pod | undefined
    if (now?.spec.nodeName === undefined) return
    if (now.metadata.deletionTimestamp !== undefined) {
      this.writer.delete(key, { gracePeriodSeconds: 0 })
      return
    }
    if (hasEnded(now) || condition(now.status?.conditions, 'Ready') !== undefined) return
    const lastTransitionTime = new Date().toISOString()
    const ready = { type: 'Ready', status: this.healthy ? 'True' : 'False', lastTransitionTime }
    const conditions = [...(now.status?.conditions ?? []), ready]
    this.writer.change(key, (pod) => ({ ...pod, status: { phase: 'Running', conditions } }), 'status')
  }
}
