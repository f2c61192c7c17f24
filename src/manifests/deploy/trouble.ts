import { valueAt } from '../path.ts'
import { isList, isMap, type Json, type JsonMap } from '../value.ts'

/** Why a pod does not come up. */
export interface Trouble {
  readonly pod: string
  /** Undefined where it is the pod itself. */
  readonly container: string | undefined
  /** `CrashLoopBackOff` */
  readonly reason: string
  readonly message: string
  /** Whether waiting mends it only if somebody does something; elsewise it may pass. */
  readonly isStuck: boolean
  /** Whether the container ran before: its last words are those of that run. */
  readonly hasRun: boolean
}

/** What a kubelet says of a container when it has given up for now, or cannot begin at all. */
const stuck = new Set([
  ...['ImagePullBackOff', 'ErrImageNeverPull', 'InvalidImageName', 'ImageInspectError'],
  ...['CrashLoopBackOff', 'CreateContainerConfigError', 'CreateContainerError', 'RunContainerError'],
])
/** What is so of any container for a moment. */
const passing = new Set(['', 'ContainerCreating', 'PodInitializing'])

/** What keeps a pod from being ready; undefined where nothing is known to. */
export function troubleOf(pod: JsonMap): Trouble | undefined {
  const name = String(valueAt(pod, ['metadata', 'name']))
  const containers = ['initContainerStatuses', 'containerStatuses']
    .flatMap((list) => mapsAt(pod, ['status', list]))
    .flatMap((status) => troubleIn(status, name) ?? [])
  const [worst] = [...containers.filter(({ isStuck }) => isStuck), ...containers]
  if (worst !== undefined) return worst
  const about = { pod: name, container: undefined, isStuck: false, hasRun: false }
  const scheduled = mapsAt(pod, ['status', 'conditions']).find(({ type }) => type === 'PodScheduled')
  if (scheduled?.status === 'False') return { ...about, ...saidBy(scheduled) }
  return pod.status !== undefined && valueAt(pod, ['status', 'phase']) === 'Failed'
    ? { ...about, ...saidBy(isMap(pod.status) ? pod.status : {}), isStuck: true }
    : undefined
}

function troubleIn(status: JsonMap, pod: string): Trouble | undefined {
  const about = { pod, container: String(status.name), hasRun: Number(status.restartCount ?? 0) > 0 }
  const waiting = valueAt(status, ['state', 'waiting'])
  const ended = [valueAt(status, ['state', 'terminated']), valueAt(status, ['lastState', 'terminated'])].find(
    isMap,
  )
  if (isMap(waiting)) {
    const { reason, message } = saidBy(waiting)
    if (passing.has(reason)) return undefined
    const how = reason === 'CrashLoopBackOff' && ended !== undefined ? endWords(ended) : message
    return { ...about, reason, message: how, isStuck: stuck.has(reason) }
  }
  if (isMap(valueAt(status, ['state', 'running']))) {
    if (status.ready === true) return undefined
    const message =
      ended === undefined ? 'it runs and is not ready' : `it runs again and is not ready: ${endWords(ended)}`
    return { ...about, reason: 'NotReady', message, isStuck: false }
  }
  if (ended === undefined || Number(ended.exitCode ?? 0) === 0) return undefined
  return { ...about, reason: String(ended.reason ?? 'Error'), message: endWords(ended), isStuck: false }
}

function endWords({ exitCode, signal, reason, message }: JsonMap): string {
  const code = signal ? `signal ${signal}` : `exit code ${exitCode}`
  const why = [reason === 'Error' ? '' : String(reason ?? ''), String(message ?? '')].filter(
    (text) => text !== '',
  )
  return ['it ended with', [code, ...why].join(', ')].join(' ')
}

function saidBy({ reason, message }: JsonMap): { reason: string; message: string } {
  return { reason: String(reason ?? ''), message: String(message ?? '') }
}

function mapsAt(object: Json, path: readonly string[]): JsonMap[] {
  const list = valueAt(object, path)
  return (isList(list) ? list : []).filter(isMap)
}

/** What the controller of pods says when it may not make any: a quota, or an admission, forbids it. */
export function refusalOf(object: JsonMap): string | undefined {
  const failure = mapsAt(object, ['status', 'conditions']).find(({ type }) => type === 'ReplicaFailure')
  return failure?.status === 'True' ? String(failure.message) : undefined
}

/** `app=web,tier in (a,b)`: what selects an object's pods, as the API server takes it; undefined if it selects none. */
export function selectorOf(object: JsonMap): string | undefined {
  const selector = valueAt(object, ['spec', 'selector'])
  if (!isMap(selector)) return undefined
  const labels = Object.entries(isMap(selector.matchLabels) ? selector.matchLabels : {})
  const terms = mapsAt(selector, ['matchExpressions']).map(({ key, operator, values }) => {
    const list = `(${isList(values) ? values.join(',') : ''})`
    if (operator === 'In' || operator === 'NotIn') return `${key} ${operator.toLowerCase()} ${list}`
    return operator === 'DoesNotExist' ? `!${key}` : String(key)
  })
  const all = [...labels.map(([name, value]) => `${name}=${value}`), ...terms]
  return all.length === 0 ? undefined : all.join(',')
}
