import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { badRequest } from '../failure.ts'
import { at, type KubeObject } from '../object.ts'
import { serveExec } from './exec.ts'
import type { ContainerLog } from './log.ts'
import { readLog } from './log-read.ts'
import type { PodWorker } from './pod.ts'
import { containersOf, podOf } from './pod-spec.ts'
import { servePortForward } from './portforward.ts'
import { containerStatus } from './status.ts'
import type { LogOptions, PodStreams } from './streams.ts'

/** What nodes serve of the pods they run; `workerOf` finds the one that runs a pod. */
export function serveStreams(workerOf: (pod: KubeObject) => PodWorker | undefined): PodStreams {
  return {
    exec(pod, options, upgrade) {
      const container = validContainer(pod, options.container)
      requireNode(pod)
      serveExec(workerOf(pod)?.container(container)?.current, { ...options, container }, upgrade)
    },
    portForward(pod, upgrade) {
      requireNode(pod)
      servePortForward(podOf(pod), upgrade)
    },
    logs(pod, options, response) {
      const container = validContainer(pod, options.container)
      const log =
        at(pod, 'spec', 'nodeName') === undefined
          ? undefined
          : logOf(pod, { ...options, container }, workerOf(pod))
      void writeLog(log, options, response)
    },
  }
}

function requireNode(pod: KubeObject): void {
  if (at(pod, 'spec', 'nodeName') === undefined) {
    throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`)
  }
}

function validContainer(object: KubeObject, name: string): string {
  const pod = podOf(object)
  const names = containersOf(pod).map((container) => container.name)
  if (names.includes(name)) return name
  if (name !== '') throw badRequest(`container ${name} is not valid for pod ${pod.metadata.name}`)
  const [only, ...others] = pod.spec.containers
  if (only !== undefined && others.length === 0) return only.name
  const choice = `choose one of: [${names.join(' ')}]`
  throw badRequest(`a container name must be specified for pod ${pod.metadata.name}, ${choice}`)
}

/** The log of a container's attempt. Source: validateContainerLogStatus in Kubernetes' pkg/kubelet/kubelet_pods.go. */
function logOf(pod: KubeObject, options: LogOptions, worker: PodWorker | undefined): ContainerLog {
  const who = `container "${options.container}" in pod "${pod.metadata.name}"`
  const status = containerStatus(pod, options.container)
  if (status === undefined) throw badRequest(`${who} is not available`)
  const last = at(status, 'lastState', 'terminated', 'containerID')
  const now = at(status, 'state', 'waiting') === undefined ? status.containerID : last
  const id = options.previous ? last : now
  const log = worker?.container(options.container)?.attempts.get(String(id))?.log
  if (log !== undefined) return log
  if (options.previous) throw badRequest(`previous terminated ${who} not found`)
  const reason = at(status, 'state', 'waiting', 'reason')
  const why = reason === 'ErrImagePull' ? "image can't be pulled" : String(reason)
  throw badRequest(reason === undefined ? `${who} is terminated` : `${who} is waiting to start: ${why}`)
}

async function writeLog(
  log: ContainerLog | undefined,
  options: LogOptions,
  response: ServerResponse,
): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/plain' })
  response.flushHeaders()
  if (log === undefined) return void response.end()
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  await pipeline(Readable.from(readLog(log, options, gone.signal)), response).catch(() => undefined)
}
