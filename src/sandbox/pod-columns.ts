import { ageOf } from './duration.ts'
import { at, type JsonObject, type KubeObject } from './object.ts'
import { count, list, text } from './values.ts'

// What `kubectl get pods` shows, after printPod in pkg/printers/internalversion of Kubernetes.

const initsOf = (pod: KubeObject) => list(at(pod, 'status', 'initContainerStatuses'))
const statusesOf = (pod: KubeObject) => list(at(pod, 'status', 'containerStatuses'))
const isRunning = (status: JsonObject) =>
  status.ready === true && at(status, 'state', 'running') !== undefined

export function podReady(pod: KubeObject): string {
  return `${statusesOf(pod).filter(isRunning).length}/${list(at(pod, 'spec', 'containers')).length}`
}

export function podStatus(pod: KubeObject): string {
  const phase = text(at(pod, 'status', 'phase'))
  if (pod.metadata.deletionTimestamp !== undefined && phase !== 'Succeeded' && phase !== 'Failed') {
    return 'Terminating'
  }
  return initStatus(pod) ?? containersStatus(pod) ?? (text(at(pod, 'status', 'reason')) || phase)
}

/** How far the init containers are; undefined when all are done. */
function initStatus(pod: KubeObject): string | undefined {
  const statuses = initsOf(pod)
  const index = statuses.findIndex((status) => at(status, 'state', 'terminated', 'exitCode') !== 0)
  const status = statuses[index]
  if (status === undefined) return undefined
  const { terminated, waiting } = {
    terminated: at(status, 'state', 'terminated'),
    waiting: at(status, 'state', 'waiting'),
  }
  if (terminated !== undefined) return `Init:${endOf(terminated)}`
  const reason = text(at(waiting, 'reason'))
  if (reason !== '' && reason !== 'PodInitializing') return `Init:${reason}`
  return `Init:${index}/${list(at(pod, 'spec', 'initContainers')).length}`
}

function containersStatus(pod: KubeObject): string | undefined {
  const statuses = statusesOf(pod)
  const told = statuses.flatMap((status) => {
    const waiting = text(at(status, 'state', 'waiting', 'reason'))
    const terminated = at(status, 'state', 'terminated')
    if (waiting !== '') return [waiting]
    return terminated === undefined ? [] : [endOf(terminated)]
  })
  const failed = statuses
    .map((status) => at(status, 'state', 'terminated'))
    .filter((end) => count(at(end, 'exitCode')) !== 0)
  const [reason] = told
  if (reason !== 'Completed') return reason
  const running = statuses.some(isRunning)
  if (running && isReady(pod)) return 'Running'
  if (failed.length > 0) return endOf(failed[0])
  return running ? 'NotReady' : reason
}

function endOf(terminated: unknown): string {
  const signal = count(at(terminated, 'signal'))
  return (
    text(at(terminated, 'reason')) ||
    (signal === 0 ? `ExitCode:${count(at(terminated, 'exitCode'))}` : `Signal:${signal}`)
  )
}

function isReady(pod: KubeObject): boolean {
  return list(at(pod, 'status', 'conditions')).some(
    ({ type, status }) => type === 'Ready' && status === 'True',
  )
}

export function podRestarts(pod: KubeObject, now: Date): string {
  const statuses = initStatus(pod) === undefined ? statusesOf(pod) : initsOf(pod)
  const restarts = statuses.reduce((sum, { restartCount }) => sum + count(restartCount), 0)
  const ends = statuses.map((status) => text(at(status, 'lastState', 'terminated', 'finishedAt'))).sort()
  const last = ends.at(-1) ?? ''
  return restarts === 0 || last === '' ? String(restarts) : `${restarts} (${ageOf(last, now)} ago)`
}
