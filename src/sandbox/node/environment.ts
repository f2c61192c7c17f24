import type { V1EnvVar, V1ObjectFieldSelector } from '@kubernetes/client-node'
import { at } from '../object.ts'
import type { Store } from '../store.ts'
import { type Container, hostIP, NotYet, type Pod, podIPOf } from './pod-spec.ts'

/** The variables that a container's spec asks for, in the order and with the references the kubelet knows. */
export function environmentOf(pod: Pod, container: Container, store: Store): Record<string, string> {
  const env: Record<string, string> = {}
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    const data = contentOf(pod, { configMap: configMapRef, secret: secretRef }, store)
    for (const [key, value] of data) env[prefix + key] = value.toString()
  }
  for (const { name, value = '', valueFrom } of container.env ?? []) {
    const found = valueFrom === undefined ? expand(value, env) : referred(pod, valueFrom, store)
    if (found !== undefined) env[name] = found
  }
  return env
}

type Origin = NonNullable<V1EnvVar['valueFrom']>

function referred(pod: Pod, from: Origin, store: Store): string | undefined {
  if (from.fieldRef !== undefined) return fieldOf(pod, from.fieldRef)
  const { configMapKeyRef: configMap, secretKeyRef: secret } = from
  const { key = '', name, optional } = secret ?? configMap ?? {}
  const found = contentOf(pod, { configMap, secret }, store).get(key)
  if (found !== undefined || optional === true) return found?.toString()
  const owner = `${secret === undefined ? 'ConfigMap' : 'Secret'} ${pod.metadata.namespace}/${name}`
  throw new NotYet('CreateContainerConfigError', `couldn't find key ${key} in ${owner}`)
}

/** Puts variables in for `$(NAME)`; one that is not defined stays as it is, and `$$` stands for `$`. */
export function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$(?:\$|\(([^)]*)\))/g, (all, name?: string) =>
    name === undefined ? '$' : (env[name] ?? all),
  )
}

/** A field of the pod's own, as the downward API names them. */
export function fieldOf(pod: Pod, { fieldPath }: V1ObjectFieldSelector): string {
  if (fieldPath.startsWith('status.podIP')) return podIPOf(pod)
  if (fieldPath.startsWith('status.hostIP')) return hostIP
  const [, map = '', key = ''] = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(fieldPath) ?? []
  return String(at(pod, ...(map === '' ? fieldPath.split('.') : ['metadata', map, key])) ?? '')
}

interface Ref {
  readonly name?: string
  readonly optional?: boolean
}

/** A reference to one of the two. */
export interface Source {
  readonly configMap?: Ref | undefined
  readonly secret?: Ref | undefined
}

/** What a ConfigMap or Secret holds, by key; nothing if it may be missing and is. */
export function contentOf({ metadata }: Pod, { configMap, secret }: Source, store: Store) {
  const { name = '', optional } = secret ?? configMap ?? {}
  const [resource, encoding] =
    secret === undefined ? (['configmaps', 'utf8'] as const) : (['secrets', 'base64'] as const)
  const object = store.get(resource, { namespace: metadata.namespace, name })
  if (object === undefined && optional !== true) {
    throw new NotYet('CreateContainerConfigError', `${resource.slice(0, -1)} "${name}" not found`)
  }
  const decoded = (field: string, from: BufferEncoding) =>
    Object.entries(object?.[field] ?? {}).map(
      ([key, value]) => [key, Buffer.from(String(value), from)] as const,
    )
  return new Map([...decoded('data', encoding), ...decoded('binaryData', 'base64')])
}
