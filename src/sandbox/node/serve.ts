import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { badRequest } from '../failure.ts'
import type { KubeObject } from '../object.ts'
import { serveExec } from './exec.ts'
import type { ContainerLog } from './log.ts'
import type { PodWorker } from './pod.ts'
import { podOf } from './pod-spec.ts'
import { servePortForward } from './portforward.ts'
import type { LogOptions, PodStreams } from './streams.ts'

/** What nodes serve of the pods they run; `workerOf` finds the one that runs a pod. */
export function serveStreams(workerOf: (pod: KubeObject) => PodWorker | undefined): PodStreams {
  return {
    exec(pod, options, upgrade) {
      const container = options.container || onlyContainer(pod)
      serveExec(workerOf(pod)?.container(container)?.current, { ...options, container }, upgrade)
    },
    portForward: (pod, upgrade) => servePortForward(podOf(pod), upgrade),
    logs(pod, options, response) {
      const container = options.container || onlyContainer(pod)
      void writeLog(logOf(pod, { ...options, container }, workerOf(pod)), options, response)
    },
  }
}

function onlyContainer(pod: KubeObject): string {
  return podOf(pod).spec.containers[0]?.name ?? ''
}

/** The log of a container's attempt. Source: validateContainerLogStatus in Kubernetes' pkg/kubelet/kubelet_pods.go. */
function logOf(
  pod: KubeObject,
  { container, previous }: LogOptions,
  worker: PodWorker | undefined,
): ContainerLog {
  const who = `container "${container}" in pod "${pod.metadata.name}"`
  const { attempts, status } = worker?.container(container) ?? {}
  if (attempts === undefined || status === undefined) throw badRequest(`${who} is not available`)
  const waiting = 'waiting' in status.state ? status.state.waiting : undefined
  const last = status.lastState.terminated?.containerID
  const id = previous || waiting !== undefined ? last : status.containerID
  const log = attempts.find(({ containerID }) => containerID === id)?.log
  if (log !== undefined) return log
  if (previous) throw badRequest(`previous terminated ${who} not found`)
  const why = waiting?.reason === 'ErrImagePull' ? "image can't be pulled" : waiting?.reason
  throw badRequest(`${who} is waiting to start: ${why}`)
}

async function writeLog(log: ContainerLog, options: LogOptions, response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/plain' })
  response.flushHeaders()
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  await pipeline(Readable.from(log.read(options, gone.signal)), response).catch(() => undefined)
}
