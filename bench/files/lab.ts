/** Pods to sync with, in a namespace of their own, and the agent beside them. */
import { readFileSync } from 'node:fs'
import { findContainer } from '../../src/agent/radar.ts'
import { argumentsOf, must, processes, type Running, shell, start } from './run.ts'
import { agentImage, cli, environment, kubectl, podImage } from './settings.ts'

export const namespace: string = `kubesync-bench-${process.pid}`
const agents = `${namespace}-agents`
export const pod = 'bench'
/** The app of the Deployment, see `scale`. */
export const replicated = 'replicated'

const container = { name: 'bench', image: podImage, command: ['sleep', '360000'] }
const podSpec = { terminationGracePeriodSeconds: 0, containers: [container] }

export function kube(args: readonly string[], input = ''): string {
  return must(kubectl, ['-n', namespace, ...args], { input, env: environment })
}

/** Makes the pod and installs the agent. */
export function openLab(): void {
  must(kubectl, ['create', 'namespace', namespace], { env: environment })
  const manifest = { apiVersion: 'v1', kind: 'Pod', metadata: { name: pod }, spec: podSpec }
  kube(['apply', '-f', '-'], JSON.stringify(manifest))
  kube(['wait', '--for=condition=Ready', `pod/${pod}`, '--timeout=60s'])
  ksync(['init', '--image', agentImage, '--namespace', agents])
}

export function closeLab(): void {
  ksync(['clean', '--namespace', agents])
  must(kubectl, ['delete', 'namespace', namespace, '--wait=false', '--ignore-not-found'], {
    env: environment,
  })
}

/** Has so many pods with the label `app=replicated`. */
export function scale(replicas: number): void {
  const labels = { app: replicated }
  const template = { metadata: { labels }, spec: podSpec }
  const spec = { replicas, selector: { matchLabels: labels }, template }
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: replicated }, spec }
  kube(['apply', '-f', '-'], JSON.stringify(deployment))
  kube(['rollout', 'status', `deployment/${replicated}`, '--timeout=180s'])
}

export function replicas(): string[] {
  return kube(['get', 'pods', '-l', `app=${replicated}`, '-o', 'name'])
    .trim()
    .split('\n')
}

/** What a shell in a container says to a line. */
export function inPod(line: string, name: string = pod): string {
  return kube(['exec', name, '--', 'sh', '-c', line])
}

/** `kubectl exec` with stdin, for a pipe. */
export const execWithInput: string = `${kubectl} -n ${namespace} exec -i ${pod} --`

/** kubectl's own environment for a pipe. */
export function pipe(line: string): void {
  shell(line, environment)
}

export function ksync(args: readonly string[], env: NodeJS.ProcessEnv = environment): string {
  return must(process.execPath, [cli, ...args], { env })
}

const target = ['-n', namespace, '--pod', pod]

/** Brings a folder here and one in the pod in step, and ends. */
export function syncOnce(local: string, remote: string): void {
  ksync(['run', '--once', ...target, local, remote])
}

/** Starts to sync for good; resolves when it says that both are in sync. */
export async function startSync(local: string, remote: string): Promise<Running> {
  const running = start(process.execPath, [cli, 'run', ...target, local, remote], environment)
  await running.says('in sync')
  return running
}

/** Whether the pod runs on this very machine: only then are its clock and processes ours. */
export function isHere(): boolean {
  const own = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')
  return inPod('cat /proc/sys/kernel/random/boot_id') === own && findContainer(containerId()) !== undefined
}

/** The pod's files as this machine sees them. */
export function rootOfPod(): string {
  const found = findContainer(containerId())
  if (found === undefined) throw new Error('the container is not on this machine')
  return `/proc/${found.pid}/root`
}

function containerId(): string {
  return kube(['get', 'pod', pod, '-o', 'jsonpath={.status.containerStatuses[0].containerID}'])
    .split('//')
    .pop() as string
}

/**
 * The agent's processes on this machine while something is synced: its own, and one for each folder. The one that holds
 * the pod when nobody is connected is not among them.
 */
export function agentProcesses(): number[] {
  const ids = must(
    kubectl,
    ['-n', agents, 'get', 'pods', '-o', 'jsonpath={.items[*].status.containerStatuses[*].containerID}'],
    { env: environment },
  )
  const containers = ids.split(' ').flatMap((id) => id.split('//')[1] ?? [])
  return processes().filter((pid) => {
    const isAgent = argumentsOf(pid).some((argument) => argument.includes('kubesync.agent'))
    return isAgent && containers.some((id) => cgroupOf(pid).includes(id))
  })
}

function cgroupOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, 'utf8')
  } catch {
    return ''
  }
}
