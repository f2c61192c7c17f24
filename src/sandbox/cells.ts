import { at, isObject, type JsonObject, type KubeObject } from './object.ts'
import { list, text } from './values.ts'

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

export function subjects(binding: KubeObject, kind: string): string {
  const named = list(binding.subjects).filter((subject) => subject.kind === kind)
  return named
    .map(({ name, namespace }) => (namespace === undefined ? text(name) : `${namespace}/${name}`))
    .join(', ')
}

export function controllerOf({ metadata }: KubeObject): string {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true)
  if (owner === undefined) return '<none>'
  const [group = ''] = owner.apiVersion.includes('/') ? owner.apiVersion.split('/') : []
  return `${owner.kind.toLowerCase()}${group === '' ? '' : `.${group}`}/${owner.name}`
}

export function externalIp(service: KubeObject): string {
  if (at(service, 'spec', 'type') === 'ExternalName') return textAt(service, 'spec.externalName')
  if (at(service, 'spec', 'type') === 'LoadBalancer') return '<pending>'
  const external = at(service, 'spec', 'externalIPs')
  return Array.isArray(external) && external.length > 0 ? external.join(',') : '<none>'
}

export function ports(service: KubeObject): string {
  const all = list(at(service, 'spec', 'ports')).map(({ port, nodePort, protocol }) =>
    nodePort === undefined ? `${port}/${protocol}` : `${port}:${nodePort}/${protocol}`,
  )
  return all.join(',') || '<none>'
}

export function endpoints({ subsets }: KubeObject): string {
  const all = list(subsets).flatMap((subset) =>
    list(subset.addresses).flatMap(({ ip }) => list(subset.ports).map(({ port }) => `${ip}:${port}`)),
  )
  return all.length > 3
    ? `${all.slice(0, 3).join(',')} + ${all.length - 3} more...`
    : all.join(',') || '<none>'
}

export function nodeStatus(node: KubeObject): string {
  const ready = list(at(node, 'status', 'conditions')).find(({ type }) => type === 'Ready')
  const status = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'
  return at(node, 'spec', 'unschedulable') === true ? `${status},SchedulingDisabled` : status
}

export function nodeRoles({ metadata: { labels = {} } }: KubeObject): string {
  const prefix = 'node-role.kubernetes.io/'
  const roles = Object.keys(labels).flatMap((key) =>
    key.startsWith(prefix) ? [key.slice(prefix.length)] : [],
  )
  return roles.sort().join(',') || '<none>'
}

export function addressOf(node: KubeObject, type: string): string {
  const address = list(at(node, 'status', 'addresses')).find((one) => one.type === type)
  return address === undefined ? '<none>' : text(address.address)
}

export function involved(object: unknown): string {
  const { kind, name }: JsonObject = isObject(object) ? object : {}
  return name === undefined ? text(kind).toLowerCase() : `${text(kind).toLowerCase()}/${text(name)}`
}
