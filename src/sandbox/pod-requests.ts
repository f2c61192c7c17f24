import type { ServerResponse } from 'node:http'
import type { Context, WriteOptions } from './context.ts'
import { type Deleted, deleteObject } from './delete.ts'
import { ApiFailure, badRequest, conflict, invalid } from './failure.ts'
import type { ExecOptions, LogOptions, PodStreams, Upgrade } from './node/streams.ts'
import { at, isObject, type KubeObject } from './object.ts'
import { numberOf } from './read.ts'
import type { NamedTarget } from './route.ts'
import { invalidValue } from './validate/causes.ts'
import { list, text, timestamp } from './values.ts'
import { commit, find } from './write.ts'

const isTrue = (query: URLSearchParams, name: string) =>
  ['', 'true', '1'].includes(query.get(name) ?? 'false')

/** Binds a pod to a node, as a scheduler asks for it. */
export function bind(
  context: Context,
  target: NamedTarget,
  binding: KubeObject,
  options: WriteOptions,
): void {
  const node = text(at(binding, 'target', 'name'))
  if (node === '') throw new ApiFailure(500, '', 'target.name: Required value')
  const pod = find(context, target)
  const { name, deletionTimestamp } = pod.metadata
  const bound = text(at(pod, 'spec', 'nodeName'))
  const plural = 'pods/binding'
  if (deletionTimestamp !== undefined) {
    throw conflict({ group: '', plural }, name, `pod ${name} is being deleted, cannot be assigned to a host`)
  }
  if (bound !== '') {
    throw conflict({ group: '', plural }, name, `pod ${name} is already assigned to node "${bound}"`)
  }
  if (!options.dryRun) commit(context, target.type, boundTo(pod, node, context.now()))
}

function boundTo(pod: KubeObject, nodeName: string, now: Date): KubeObject {
  const scheduled = {
    type: 'PodScheduled',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: timestamp(now),
  }
  const others = list(at(pod, 'status', 'conditions')).filter(({ type }) => type !== 'PodScheduled')
  const spec = { ...(isObject(pod.spec) ? pod.spec : {}), nodeName }
  return { ...pod, spec, status: { ...(pod.status as object), conditions: [...others, scheduled] } }
}

/** Deletes a pod as an eviction asks for it; no PodDisruptionBudget is heeded. */
export function evict(context: Context, target: NamedTarget, eviction: KubeObject, dryRun: boolean): Deleted {
  const { name } = eviction.metadata
  if (name !== '' && name !== target.name)
    throw badRequest('name in URL does not match name in Eviction object')
  const grace = at(eviction, 'deleteOptions', 'gracePeriodSeconds')
  const gracePeriodSeconds = typeof grace === 'number' ? grace : undefined
  return deleteObject(context, target, { gracePeriodSeconds, dryRun })
}

/** Hands a connection to the pod's node: exec, attach or port-forward. */
export function stream(
  context: Context,
  target: NamedTarget,
  streams: PodStreams,
  { query, upgrade }: { query: URLSearchParams; upgrade: Upgrade | undefined },
): void {
  const pod = find(context, target)
  const container = query.get('container') ?? ''
  if (target.subresource !== 'portforward') checkContainer(pod, container)
  if (text(at(pod, 'spec', 'nodeName')) === '') {
    throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`)
  }
  if (upgrade === undefined) throw badRequest('Upgrade request required')
  if (target.subresource === 'portforward') streams.portForward(pod, upgrade)
  else streams.exec(pod, execOptions(target, query), upgrade)
}

function execOptions(target: NamedTarget, query: URLSearchParams): ExecOptions {
  return {
    container: query.get('container') ?? '',
    command: query.getAll('command'),
    stdin: isTrue(query, 'stdin'),
    stdout: isTrue(query, 'stdout'),
    stderr: isTrue(query, 'stderr'),
    tty: isTrue(query, 'tty'),
    attach: target.subresource === 'attach',
  }
}

/** The container's output so far, and what follows if that is asked for. */
export function logs(
  context: Context,
  target: NamedTarget,
  streams: PodStreams,
  { query, response }: { query: URLSearchParams; response: ServerResponse },
): void {
  const pod = find(context, target)
  const options = logOptions(query, pod.metadata.name)
  checkContainer(pod, options.container)
  if (text(at(pod, 'spec', 'nodeName')) === '') {
    response.writeHead(204).end()
    return
  }
  streams.logs(pod, options, response)
}

function logOptions(query: URLSearchParams, pod: string): LogOptions {
  const numbers = { tailLines: numberOf(query, 'tailLines'), sinceSeconds: numberOf(query, 'sinceSeconds') }
  const limitBytes = numberOf(query, 'limitBytes')
  const causes = [
    ...below(numbers.tailLines, 0, 'tailLines'),
    ...below(numbers.sinceSeconds, 1, 'sinceSeconds'),
    ...below(limitBytes, 1, 'limitBytes'),
  ]
  if (causes.length > 0) throw invalid({ group: '', kind: 'PodLogOptions' }, pod, causes)
  const since = query.get('sinceTime')
  return {
    container: query.get('container') ?? '',
    follow: isTrue(query, 'follow'),
    previous: isTrue(query, 'previous'),
    timestamps: isTrue(query, 'timestamps'),
    ...numbers,
    limitBytes,
    ...(since === null ? {} : { sinceTime: new Date(since) }),
  }
}

function below(value: number | undefined, least: number, field: string) {
  if (value === undefined || value >= least) return []
  const why = least === 0 ? 'must be greater than or equal to 0' : 'must be greater than 0'
  return [invalidValue(field, value, why)]
}

function checkContainer(pod: KubeObject, container: string): void {
  const names = ['containers', 'initContainers', 'ephemeralContainers'].flatMap((kind) =>
    list(at(pod, 'spec', kind)).map(({ name }) => text(name)),
  )
  const { name } = pod.metadata
  if (container !== '' && !names.includes(container)) {
    throw badRequest(`container ${container} is not valid for pod ${name}`)
  }
  const main = list(at(pod, 'spec', 'containers'))
  if (container !== '' || main.length === 1) return
  const choices = main.map((one) => text(one.name)).join(' ')
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${choices}]`)
}
