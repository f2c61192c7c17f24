import type { ServerResponse } from 'node:http'
import type { Context } from './context.ts'
import { badRequest, invalid } from './failure.ts'
import type { ExecOptions, LogOptions, PodStreams, Upgrade } from './node/streams.ts'
import { at, type KubeObject } from './object.ts'
import { numberOf } from './read.ts'
import type { NamedTarget } from './route.ts'
import { invalidValue } from './validate/causes.ts'
import { list, text } from './values.ts'
import { find } from './write.ts'

const isTrue = (query: URLSearchParams, name: string) =>
  ['', 'true', '1'].includes(query.get(name) ?? 'false')

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
  const number = (name: string, least: number) => {
    const value = numberOf(query, name)
    if (value === undefined || value >= least) return value
    const why = `must be greater than ${least === 0 ? 'or equal to ' : ''}0`
    throw invalid({ group: '', kind: 'PodLogOptions' }, pod, [invalidValue(name, value, why)])
  }
  const since = query.get('sinceTime')
  return {
    container: query.get('container') ?? '',
    follow: isTrue(query, 'follow'),
    previous: isTrue(query, 'previous'),
    timestamps: isTrue(query, 'timestamps'),
    tailLines: number('tailLines', 0),
    sinceSeconds: number('sinceSeconds', 1),
    limitBytes: number('limitBytes', 1),
    ...(since === null ? {} : { sinceTime: new Date(since) }),
  }
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
