import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  ApiException,
  AppsV1Api,
  CoreV1Api,
  KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  PatchStrategy,
  type V1Pod,
} from '@kubernetes/client-node'
import * as v from 'valibot'
import { afterAll, beforeAll } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { agentImage } from './agent.ts'
import { exec } from './exec.ts'
import { surroundings } from './surroundings.ts'
import { until } from './until.ts'

const targets = fileURLToPath(new URL('../../cluster/targets/', import.meta.url))

/** An API server, by way of Kubernetes' own client for Node: what is tested is not judged by its own code. */
export class Cluster {
  readonly config: KubeConfig = new KubeConfig()
  readonly core: CoreV1Api
  readonly apps: AppsV1Api
  readonly objects: KubernetesObjectApi

  constructor(kubeconfig: string) {
    this.config.loadFromFile(kubeconfig)
    this.core = this.config.makeApiClient(CoreV1Api)
    this.apps = this.config.makeApiClient(AppsV1Api)
    this.objects = KubernetesObjectApi.makeApiClient(this.config)
  }
}

export const cluster: Cluster = new Cluster(surroundings.kubeconfig)

const objectSchema = v.looseObject({ apiVersion: v.string(), kind: v.string(), metadata: v.looseObject({}) })

export function parseObjects(yaml: string): KubernetesObject[] {
  return parseAllDocuments(yaml).map((document) => v.parse(objectSchema, document.toJS()))
}

export async function namespaceExists(name: string): Promise<boolean> {
  return (await unlessMissing(cluster.core.readNamespace({ name }))) !== undefined
}

/** A namespace for the tests of a file or block, with targets in it. */
export class Lab {
  readonly namespace: string
  readonly #cluster: Cluster

  constructor(name: string, where: Cluster = cluster) {
    this.#cluster = where
    this.namespace = `e2e-${name}-${randomBytes(3).toString('hex')}`
  }

  async create(): Promise<void> {
    await this.#cluster.core.createNamespace({ body: { metadata: { name: this.namespace } } })
    // Not before the namespace has its default account.
    await until('pods can be made in it', () => this.#canHavePods(), { holds: (can) => can })
  }

  async remove(): Promise<void> {
    await unlessMissing(this.#cluster.core.deleteNamespace({ name: this.namespace }))
  }

  /** Applies test/cluster/targets/NAME.yaml and waits until its pods are ready. */
  async deploy(target: string): Promise<void> {
    for (const object of parseObjects(readFileSync(`${targets}${target}.yaml`, 'utf8'))) {
      await this.#apply(object)
    }
    await this.ready(target)
  }

  /** Waits until an app has all of its pods, and they are ready; a Deployment's are not even there when it was made. */
  async ready(app: string): Promise<void> {
    const wanted = await this.#replicas(app)
    const look = async () => (await this.#pods(app)).map((pod) => `${pod.metadata?.name} ${state(pod)}`)
    await until(`${wanted} pods of ${app} are ready`, look, {
      holds: (pods) => pods.length === wanted && pods.every((pod) => pod.endsWith(' ready')),
      limit: 90_000,
    })
  }

  /** Has a Deployment have so many pods, and waits until they are ready. */
  async scale(app: string, replicas: number): Promise<void> {
    await this.#change(app, { spec: { replicas } })
    await this.ready(app)
  }

  /** Has a Deployment replace all of its pods, and waits until they are ready. */
  async rollOut(app: string): Promise<void> {
    const before = await this.pods(app)
    const annotations = { 'e2e/rolled-out': randomBytes(3).toString('hex') }
    await this.#change(app, { spec: { template: { metadata: { annotations } } } })
    await until('the old pods are gone', () => this.pods(app), {
      holds: (pods) => !pods.some((pod) => before.includes(pod)),
    })
    await this.ready(app)
  }

  /** The id of a pod's first container, without its runtime. */
  async containerId(name: string): Promise<string> {
    const { status } = await this.#cluster.core.readNamespacedPod({ name, namespace: this.namespace })
    return (status?.containerStatuses?.[0]?.containerID ?? '').replace(/^.*:\/\//, '')
  }

  /** Runs a shell line in a pod, in the container's working directory. */
  sh(pod: string, line: string, container?: string): Promise<string> {
    return exec(this.#cluster.config, {
      namespace: this.namespace,
      pod,
      container,
      command: ['sh', '-c', line],
    })
  }

  /** Names of the pods of an app that are not on their way out, oldest first. */
  async pods(app: string): Promise<string[]> {
    return (await this.#pods(app)).map((pod) => pod.metadata?.name ?? '')
  }

  /** Deletes a pod of a Deployment, the oldest unless one is named, and waits until another one is there. */
  async replacePod(app: string, name?: string): Promise<void> {
    const before = await this.pods(app)
    const gone = name ?? before[0] ?? ''
    await this.#cluster.core.deleteNamespacedPod({ name: gone, namespace: this.namespace })
    await until(`${gone} is replaced`, () => this.pods(app), {
      holds: (pods) => pods.length === before.length && !pods.includes(gone),
    })
  }

  /** How often a pod's containers were started again. */
  async restarts(name: string): Promise<number> {
    const { status } = await this.#cluster.core.readNamespacedPod({ name, namespace: this.namespace })
    return (status?.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0)
  }

  async #change(app: string, change: object): Promise<void> {
    const metadata = { name: app, namespace: this.namespace }
    const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata, ...change }
    const { MergePatch } = PatchStrategy
    await this.#cluster.objects.patch(deployment, undefined, undefined, undefined, undefined, MergePatch)
  }

  async #apply({ metadata, ...rest }: KubernetesObject): Promise<void> {
    const object = { ...rest, metadata: { ...metadata, namespace: this.namespace } }
    const { ServerSideApply } = PatchStrategy
    await this.#cluster.objects.patch(object, undefined, undefined, 'kubesync-e2e', true, ServerSideApply)
  }

  async #canHavePods(): Promise<boolean> {
    const spec = { containers: [{ name: 'any', image: agentImage, command: ['any'] }] }
    const body = { metadata: { name: 'any' }, spec }
    await this.#cluster.core.createNamespacedPod({ namespace: this.namespace, body, dryRun: 'All' })
    return true
  }

  async #pods(app: string): Promise<V1Pod[]> {
    const { namespace } = this
    const { items } = await this.#cluster.core.listNamespacedPod({ namespace, labelSelector: `app=${app}` })
    const born = ({ metadata }: V1Pod) => metadata?.creationTimestamp?.getTime() ?? 0
    return items
      .filter(({ metadata }) => metadata?.deletionTimestamp === undefined)
      .sort((a, b) => born(a) - born(b))
  }

  /** What its Deployment asks for; else it is a pod. */
  async #replicas(app: string): Promise<number> {
    const { namespace } = this
    const deployment = await unlessMissing(
      this.#cluster.apps.readNamespacedDeployment({ name: app, namespace }),
    )
    return deployment?.spec?.replicas ?? 1
  }
}

/** A namespace that lives as long as the tests of the block it is called in. */
export function useLab(name: string): Lab {
  const lab = new Lab(name)
  beforeAll(() => lab.create())
  afterAll(() => lab.remove())
  return lab
}

function state({ status }: V1Pod): string {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  return ready?.status === 'True' ? 'ready' : JSON.stringify(status?.containerStatuses ?? status?.conditions)
}

async function unlessMissing<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request
  } catch (error) {
    if (error instanceof ApiException && error.code === 404) return undefined
    throw error
  }
}
