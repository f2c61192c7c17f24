import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { at, type JsonObject, type KubeObject } from '../object.ts'
import { Store } from '../store.ts'
import type { Writer } from '../writer.ts'
import { type SandboxNode, startNode } from './node.ts'

/** A node over a store, with as much of a Writer as it needs: no API server. */
export class TestNode {
  readonly store = new Store()
  readonly dataDir = mkdtempSync(join(tmpdir(), 'kubesync-node-'))
  readonly node: SandboxNode
  readonly writer: Writer

  constructor() {
    this.writer = writerTo(this.store)
    this.node = startNode({ name: 'node-1', writer: this.writer, dataDir: this.dataDir })
  }

  async close(): Promise<void> {
    await this.node.close()
    rmSync(this.dataDir, { recursive: true, force: true })
  }

  /** Creates a pod that is bound to the node. */
  pod(name: string, spec: JsonObject): KubeObject {
    const bound = { restartPolicy: 'Always', terminationGracePeriodSeconds: 30, nodeName: 'node-1', ...spec }
    return this.writer.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default' },
      spec: bound,
      status: { phase: 'Pending' },
    })
  }

  get(name: string): KubeObject | undefined {
    return this.store.get('pods', { namespace: 'default', name })
  }

  /** Deletes as the API does it for a pod that is on a node. */
  delete(name: string, deletionGracePeriodSeconds: number): void {
    const pod = this.get(name)
    if (pod === undefined) throw new Error(`no pod ${name}`)
    const deletionTimestamp = new Date().toISOString()
    this.store.put('pods', {
      ...pod,
      metadata: { ...pod.metadata, deletionTimestamp, deletionGracePeriodSeconds },
    })
  }

  /** The pod, when its status is as asked for. */
  until(name: string, is: (status: PodStatus) => boolean): Promise<KubeObject> {
    return this.#when(() => {
      const pod = this.get(name)
      return pod !== undefined && is(statusOf(pod)) ? pod : undefined
    })
  }

  async gone(name: string): Promise<void> {
    await this.#when(() => (this.get(name) === undefined ? true : undefined))
  }

  #when<T>(look: () => T | undefined): Promise<T> {
    return new Promise((resolve) => {
      const now = look()
      if (now !== undefined) return resolve(now)
      const stop = this.store.onChange(() => {
        const found = look()
        if (found === undefined) return
        stop()
        resolve(found)
      })
    })
  }
}

interface TestContainerStatus {
  readonly name: string
  readonly state: Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>
  readonly lastState: Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>
  readonly ready: boolean
  readonly started: boolean
  readonly restartCount: number
  readonly containerID?: string
}

export interface PodStatus {
  readonly phase: string
  readonly podIP?: string
  readonly conditions?: readonly { type: string; status: string; reason?: string; message?: string }[]
  readonly containerStatuses?: readonly TestContainerStatus[]
  readonly initContainerStatuses?: readonly TestContainerStatus[]
  readonly ephemeralContainerStatuses?: readonly TestContainerStatus[]
}

export function statusOf(pod: KubeObject): PodStatus {
  return at(pod, 'status') as PodStatus
}

const resources: Readonly<Record<string, string>> = { Pod: 'pods', Node: 'nodes', Event: 'events' }

function writerTo(store: Store): Writer {
  const writer: Writer = {
    store,
    as: () => writer,
    create(object) {
      const metadata = { ...object.metadata, uid: randomUUID(), generation: 1 }
      return store.put(resources[object.kind] ?? 'others', { ...object, metadata })
    },
    change({ resource, ...ref }, change) {
      const before = store.get(resource, ref)
      if (before === undefined) return undefined
      const after = change(before)
      return JSON.stringify(after) === JSON.stringify(before) ? before : store.put(resource, after)
    },
    delete({ resource, ...ref }) {
      store.remove(resource, ref)
    },
  }
  return writer
}
