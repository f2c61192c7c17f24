import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as v from 'valibot'
import { inject } from 'vitest'
import { must, type RunOptions, run } from './run.ts'
import { until } from './until.ts'

/** Where the agent runs in these tests; other installations in the cluster are left alone. */
export const agentNamespace = 'kubesync-e2e'

/** The agent's image; a cluster that is not ours needs one it can get. */
export const agentImage = process.env.KUBESYNC_TEST_AGENT_IMAGE ?? 'docker.io/kubesync-test/node:20'

const targets = fileURLToPath(new URL('../../cluster/targets/', import.meta.url))

export const kubeconfig: string = inject('kubeconfig')
const kubectlPath: string = inject('kubectl')

export function kubectl(args: readonly string[], options: RunOptions = {}): Promise<string> {
  return must(kubectlPath, ['--kubeconfig', kubeconfig, ...args], options)
}

export async function kubectlJson(args: readonly string[]): Promise<unknown> {
  return JSON.parse(await kubectl([...args, '-o', 'json']))
}

/** The cluster's own script, for tests that stop and start its parts; only where the cluster is ours. */
export async function clusterScript(command: string): Promise<void> {
  const script = fileURLToPath(new URL('../../cluster/cluster', import.meta.url))
  const { code, stderr } = await run('bash', [script, command], { limit: 240_000 })
  if (code !== 0) throw new Error(`cluster ${command}: ${stderr}`)
}

/** Whether the cluster is the one that test/cluster boots, so that its parts may be stopped. */
export const ownsCluster: boolean = inject('ownsCluster')

const podsSchema = v.object({
  items: v.array(
    v.object({
      metadata: v.object({
        name: v.string(),
        creationTimestamp: v.string(),
        deletionTimestamp: v.optional(v.string()),
      }),
    }),
  ),
})

/** A namespace for one test file, with targets in it. */
export class Lab {
  readonly namespace: string

  constructor(name: string) {
    this.namespace = `e2e-${name}-${randomBytes(3).toString('hex')}`
  }

  async create(): Promise<void> {
    await kubectl(['create', 'namespace', this.namespace])
  }

  async remove(): Promise<void> {
    await kubectl(['delete', 'namespace', this.namespace, '--wait=false', '--ignore-not-found'])
  }

  /** Applies test/cluster/targets/NAME.yaml and waits until its pods are ready. */
  async deploy(target: string): Promise<void> {
    await this.apply(readFileSync(`${targets}${target}.yaml`, 'utf8'))
    await this.ready(target)
  }

  async apply(yaml: string): Promise<void> {
    await kubectl(['-n', this.namespace, 'apply', '-f', '-'], { input: yaml })
  }

  /** Waits until the pods of an app are ready; a Deployment's are not even there when it was made. */
  async ready(app: string): Promise<void> {
    await until(`a pod of ${app} exists`, () => this.pods(app), { holds: (pods) => pods.length > 0 })
    await this.kubectl(['wait', '--for=condition=Ready', 'pod', '-l', `app=${app}`, '--timeout=90s'])
  }

  kubectl(args: readonly string[], options: RunOptions = {}): Promise<string> {
    return kubectl(['-n', this.namespace, ...args], options)
  }

  /** Runs a shell line in a pod. */
  sh(pod: string, line: string, container?: string): Promise<string> {
    const flags = container === undefined ? [] : ['-c', container]
    return this.kubectl(['exec', pod, ...flags, '--', 'sh', '-c', line])
  }

  /** Names of the pods of an app that are not on their way out, oldest first. */
  async pods(app: string): Promise<string[]> {
    const list = v.parse(
      podsSchema,
      await kubectlJson(['-n', this.namespace, 'get', 'pods', '-l', `app=${app}`]),
    )
    return list.items
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .sort((a, b) => a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp))
      .map(({ metadata }) => metadata.name)
  }
}
