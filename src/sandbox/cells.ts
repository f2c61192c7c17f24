import { ageOf } from './duration.ts'
import { at, isObject, type JsonObject, type KubeObject } from './object.ts'
import { count, list, text } from './values.ts'

// What single cells of a table say, after pkg/printers/internalversion of Kubernetes.

export const textAt = (object: unknown, path: string) => {
  const value = at(object, ...path.split('.'))
  return value === undefined || value === null ? '' : String(value)
}
export const size = (value: unknown) => (isObject(value) ? Object.keys(value).length : 0)

export const labelsOf = (labels: unknown) =>
  isObject(labels) && size(labels) > 0
    ? Object.entries(labels)
        .map(([key, value]) => `${key}=${value}`)
        .sort()
        .join(',')
    : '<none>'

/** A label selector as a query writes it. */
export function selectorText(selector: unknown): string {
  const matched = at(selector, 'matchLabels')
  const expressions = list(at(selector, 'matchExpressions')).map(({ key, operator, values }) => {
    const set = `(${(Array.isArray(values) ? values : []).join(',')})`
    if (operator === 'In' || operator === 'NotIn') return `${key} ${text(operator).toLowerCase()} ${set}`
    return operator === 'Exists' ? text(key) : `!${text(key)}`
  })
  const all = [...(size(matched) === 0 ? [] : [labelsOf(matched)]), ...expressions]
  return all.length === 0 ? '<none>' : all.join(',')
}

export function externalIp({ spec }: KubeObject): string {
  if (at(spec, 'type') === 'ExternalName') return text(at(spec, 'externalName'))
  if (at(spec, 'type') === 'LoadBalancer') return '<pending>'
  return text(at(spec, 'externalIPs', '0')) || '<none>'
}

export function ports({ spec }: KubeObject): string {
  const all = list(at(spec, 'ports')).map(({ port, nodePort, protocol }) =>
    nodePort === undefined ? `${port}/${protocol}` : `${port}:${nodePort}/${protocol}`,
  )
  return all.join(',') || '<none>'
}

export function nodeStatus(node: KubeObject): string {
  const status = isReady(node) ? 'Ready' : 'NotReady'
  return at(node, 'spec', 'unschedulable') === true ? `${status},SchedulingDisabled` : status
}

export function nodeRoles({ metadata: { labels = {} } }: KubeObject): string {
  const roles = Object.keys(labels).map((key) => /^node-role\.kubernetes\.io\/(.*)$/.exec(key)?.[1] ?? [])
  return roles.flat().sort().join(',') || '<none>'
}

export function addressOf(node: KubeObject, type: string): string {
  const address = list(at(node, 'status', 'addresses')).find((one) => one.type === type)
  return address === undefined ? '<none>' : text(address.address)
}

function isReady({ status }: KubeObject): boolean {
  return list(at(status, 'conditions')).some(({ type, status }) => type === 'Ready' && status === 'True')
}

const isRunning = (status: JsonObject) =>
  status.ready === true && at(status, 'state', 'running') !== undefined
const initsOf = ({ status }: KubeObject) => list(at(status, 'initContainerStatuses'))
const statusesOf = ({ status }: KubeObject) => list(at(status, 'containerStatuses'))

export function podReady(pod: KubeObject): string {
  return `${statusesOf(pod).filter(isRunning).length}/${list(at(pod, 'spec', 'containers')).length}`
}

/** The phase, or what keeps a pod from its next one. */
export function podStatus(pod: KubeObject): string {
  const phase = textAt(pod, 'status.phase')
  const isOver = phase === 'Succeeded' || phase === 'Failed'
  if (pod.metadata.deletionTimestamp !== undefined && !isOver) return 'Terminating'
  const initial = initStatus(pod)
  if (initial !== undefined) return initial
  const reasons = statusesOf(pod).flatMap((status) => reasonOf(status) ?? [])
  const reason = reasons.find((one) => one !== 'Completed') ?? reasons[0]
  if (reason === 'Completed' && statusesOf(pod).some(isRunning)) return isReady(pod) ? 'Running' : 'NotReady'
  return reason ?? (textAt(pod, 'status.reason') || phase)
}

/** How far the init containers are; undefined when all are done. */
function initStatus(pod: KubeObject): string | undefined {
  const statuses = initsOf(pod)
  const index = statuses.findIndex((status) => at(status, 'state', 'terminated', 'exitCode') !== 0)
  const status = statuses[index]
  if (status === undefined) return undefined
  const reason = reasonOf(status) ?? 'PodInitializing'
  const done = `${index}/${list(at(pod, 'spec', 'initContainers')).length}`
  return `Init:${reason === 'PodInitializing' ? done : reason}`
}

/** Why a container does not run. */
function reasonOf({ state }: JsonObject): string | undefined {
  const end = at(state, 'terminated')
  if (end === undefined) return textAt(state, 'waiting.reason') || undefined
  return textAt(end, 'reason') || `ExitCode:${count(at(end, 'exitCode'))}`
}

export function podRestarts(pod: KubeObject, now: Date): string {
  const statuses = initStatus(pod) === undefined ? statusesOf(pod) : initsOf(pod)
  const restarts = statuses.reduce((sum, { restartCount }) => sum + count(restartCount), 0)
  const last =
    statuses
      .map((status) => textAt(status, 'lastState.terminated.finishedAt'))
      .sort()
      .at(-1) ?? ''
  return restarts === 0 || last === '' ? String(restarts) : `${restarts} (${ageOf(last, now)} ago)`
}
