import { mkdirSync, realpathSync } from 'node:fs'
import { arch, cpus, type as osType, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { version } from '../../version.ts'
import type { KubeObject } from '../object.ts'
import { timestamp } from '../values.ts'
import type { Writer } from '../writer.ts'
import type { ApiAccess, NodePaths } from './attempt.ts'
import { PodWorker } from './pod.ts'
import { hostIP, type Pod, podOf } from './pod-spec.ts'
import { reap, removeTree, signalGroup } from './process.ts'
import { serveStreams } from './serve.ts'
import type { PodStreams } from './streams.ts'

export interface NodeOptions {
  readonly name: string
  readonly writer: Writer
  /** A directory of this node's own. */
  readonly dataDir: string
  readonly api?: ApiAccess
}

export interface SandboxNode {
  readonly streams: PodStreams
  /** Ends a container as a crash does. */
  killContainer(namespace: string, pod: string, container: string): void
  /** Ends all containers. */
  close(): Promise<void>
}

/** Registers a node, and runs the pods that are bound to it as processes of this machine. */
export function startNode(options: NodeOptions): SandboxNode {
  reapNode(options.dataDir)
  const paths = { ...pathsOf(options.dataDir), api: options.api }
  const writer = options.writer.as('kubelet')
  const workers = new Map<string, PodWorker>()
  register(writer, options.name)

  function follow(pod: Pod): void {
    if (pod.spec.nodeName !== options.name) return
    const worker = workers.get(pod.metadata.uid)
    if (worker === undefined) workers.set(pod.metadata.uid, new PodWorker({ pod, writer, paths }))
    else worker.update(pod)
  }
  function forget({ metadata: { uid } }: Pod): void {
    void workers.get(uid)?.close()
    workers.delete(uid)
  }
  // After the commit's own turn, so that what it leads to is not written within it.
  const stop = writer.store.onChange(({ resource, type, object }) => {
    if (resource === 'pods') queueMicrotask(() => (type === 'DELETED' ? forget : follow)(podOf(object)))
  })
  for (const object of writer.store.list('pods')) follow(podOf(object))

  const worker = (pod: KubeObject) => workers.get(pod.metadata.uid ?? '')
  return {
    streams: serveStreams(worker),
    killContainer(namespace, name, container) {
      const pod = writer.store.get('pods', { namespace, name })
      const attempt = pod && worker(pod)?.container(container)?.current
      if (attempt !== undefined) signalGroup(attempt.child, 'SIGKILL')
    },
    async close() {
      stop()
      await Promise.all([...workers.values()].map((each) => each.close()))
      removeTree(paths.pods)
    },
  }
}

/** Ends what a node that was killed left running, and removes its containers. */
export function reapNode(dataDir: string): void {
  const { records, pods, proc } = pathsOf(dataDir)
  reap(records, pods)
  for (const path of [pods, proc]) removeTree(path)
}

function pathsOf(dataDir: string): NodePaths {
  mkdirSync(dataDir, { recursive: true })
  // As the kernel tells of open directories, which mountinfo is compared with.
  const real = realpathSync(dataDir)
  return { pods: join(real, 'pods'), records: join(real, 'processes'), proc: join(real, 'proc') }
}

function register(writer: Writer, name: string): void {
  const os = process.platform
  const architecture = arch() === 'x64' ? 'amd64' : arch()
  const labels = {
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': os,
    'kubernetes.io/arch': architecture,
  }
  const resources = { cpu: String(cpus().length), memory: `${Math.floor(totalmem() / 1024)}Ki`, pods: '110' }
  const now = timestamp(new Date())
  const ready = { status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' }
  const status = {
    capacity: resources,
    allocatable: resources,
    conditions: [{ type: 'Ready', ...ready, lastHeartbeatTime: now, lastTransitionTime: now }],
    addresses: [
      { type: 'InternalIP', address: hostIP },
      { type: 'Hostname', address: name },
    ],
    nodeInfo: {
      ...{ machineID: name, systemUUID: name, bootID: name },
      ...{ kernelVersion: release(), osImage: osType(), operatingSystem: os, architecture },
      containerRuntimeVersion: `sandbox://${version}`,
      kubeletVersion: `v${version}+kubesync.sandbox`,
      kubeProxyVersion: '',
    },
  }
  writer.create({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels }, spec: {} })
  writer.change({ resource: 'nodes', name }, (node) => ({ ...node, status }), 'status')
}
