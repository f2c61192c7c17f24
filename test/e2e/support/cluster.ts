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
import { afterAll, beforeAll, inject } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { exec } from './exec.ts'
import { until } from './until.ts'

export const { kubeconfig, agentImage, agentNamespace } = inject('e2e')

const targets = fileURLToPath(new URL('../../cluster/targets/', import.meta.url))

// Kubernetes' own client for Node, so that what is tested is not judged by its own code.
const config = new KubeConfig()
config.loadFromFile(kubeconfig)
export const core: CoreV1Api = config.makeApiClient(CoreV1Api)
export const apps: AppsV1Api = config.makeApiClient(AppsV1Api)
const objects = KubernetesObjectApi.makeApiClient(config)

const objectSchema = v.looseObject({ apiVersion: v.string(), kind: v.string(), metadata: v.looseObject({}) })

export function parseObjects(yaml: string): KubernetesObject[] {
  return parseAllDocuments(yaml).map((document) => v.parse(objectSchema, document.toJS()))
}

/** Has the API server check what it is to create, and create nothing. */
export async function dryRun(object: KubernetesObject): Promise<void> {
  await objects.create(object, undefined, 'All')
}

export async function namespaceExists(name: string): Promise<boolean> {
  return (await unlessMissing(core.readNamespace({ name }))) !== undefined
}

/** The kubeconfig of these tests, as data that a test may change. */
export function copyOfKubeconfig(): KubeConfigFile {
  return JSON.parse(config.exportConfig()) as KubeConfigFile
}

export interface KubeConfigFile {
  clusters: { cluster: Record<string, unknown> }[]
  users: { user: Record<string, unknown> }[]
}

/** A namespace for the tests of a file or block, with targets in it. */
export class Lab {
  readonly namespace: string

  constructor(name: string) {
    this.namespace = `e2e-${name}-${randomBytes(3).toString('hex')}`
  }

  async create(): Promise<void> {
    await core.createNamespace({ body: { metadata: { name: this.namespace } } })
    // Not before the namespace has its default account.
    await until('pods can be made in it', () => this.#canHavePods(), { holds: (can) => can })
  }

  async remove(): Promise<void> {
    await unlessMissing(core.deleteNamespace({ name: this.namespace }))
  }

  /** Applies test/cluster/targets/NAME.yaml and waits until its pods are ready. */
  async deploy(target: string): Promise<void> {
    for (const object of parseObjects(readFileSync(`${targets}${target}.yaml`, 'utf8'))) {
      const { namespace } = this
      await apply({ ...object, metadata: { ...object.metadata, namespace } })
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

  /** Runs a shell line in a pod, in the container's working directory. */
  sh(pod: string, line: string, container?: string): Promise<string> {
    return exec(config, { namespace: this.namespace, pod, container, command: ['sh', '-c', line] })
  }

  /** Names of the pods of an app that are not on their way out, oldest first. */
  async pods(app: string): Promise<string[]> {
    return (await this.#pods(app)).map((pod) => pod.metadata?.name ?? '')
  }

  async deletePod(name: string): Promise<void> {
    await core.deleteNamespacedPod({ name, namespace: this.namespace })
  }

  /** How often a pod's first container was started again. */
  async restarts(name: string): Promise<number> {
    const { status } = await core.readNamespacedPod({ name, namespace: this.namespace })
    return status?.containerStatuses?.[0]?.restartCount ?? 0
  }

  async #canHavePods(): Promise<boolean> {
    const spec = { containers: [{ name: 'any', image: agentImage, command: ['any'] }] }
    const body = { metadata: { name: 'any' }, spec }
    await core.createNamespacedPod({ namespace: this.namespace, body, dryRun: 'All' })
    return true
  }

  async #pods(app: string): Promise<V1Pod[]> {
    const { namespace } = this
    const { items } = await core.listNamespacedPod({ namespace, labelSelector: `app=${app}` })
    const born = ({ metadata }: V1Pod) => metadata?.creationTimestamp?.getTime() ?? 0
    return items
      .filter(({ metadata }) => metadata?.deletionTimestamp === undefined)
      .sort((a, b) => born(a) - born(b))
  }

  /** What its Deployment asks for; else it is a pod. */
  async #replicas(app: string): Promise<number> {
    const { namespace } = this
    const deployment = await unlessMissing(apps.readNamespacedDeployment({ name: app, namespace }))
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

async function apply(object: KubernetesObject): Promise<void> {
  await objects.patch(object, undefined, undefined, 'kubesync-e2e', true, PatchStrategy.ServerSideApply)
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
