import type { V1EnvVar, V1ObjectFieldSelector } from '@kubernetes/client-node'
import { at, isObject, type KubeObject } from '../object.ts'
import type { Store } from '../store.ts'
import { type Container, hostIP, type Pod, podIPOf } from './pod-spec.ts'

/** Why a container cannot be started yet: something it refers to is missing. */
export class ConfigError extends Error {}

type Strings = Readonly<Record<string, string>>

/** The variables that a container's spec asks for, in the order and with the references the kubelet knows. */
export function environmentOf(pod: Pod, container: Container, store: Store): Record<string, string> {
  const env: Record<string, string> = {}
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    const data = {
      ...dataOf(store, pod, 'configmaps', configMapRef),
      ...dataOf(store, pod, 'secrets', secretRef),
    }
    for (const [key, value] of Object.entries(data)) env[prefix + key] = value.toString()
  }
  for (const variable of container.env ?? []) {
    const value = variableOf(variable, { pod, store, env })
    if (value !== undefined) env[variable.name] = value
  }
  return env
}

function variableOf(
  { value, valueFrom }: V1EnvVar,
  { pod, store, env }: { pod: Pod; store: Store; env: Strings },
): string | undefined {
  if (valueFrom?.fieldRef !== undefined) return fieldOf(pod, valueFrom.fieldRef)
  if (valueFrom?.configMapKeyRef !== undefined)
    return keyOf(store, pod, 'configmaps', valueFrom.configMapKeyRef)
  if (valueFrom?.secretKeyRef !== undefined) return keyOf(store, pod, 'secrets', valueFrom.secretKeyRef)
  return expand(value ?? '', env)
}

/** Puts variables in for `$(NAME)`; one that is not defined stays as it is, and `$$` stands for `$`. */
export function expand(text: string, env: Strings): string {
  return text.replace(/\$(?:\$|\(([^)]*)\))/g, (all, name?: string) =>
    name === undefined ? '$' : (env[name] ?? all),
  )
}

/** A field of the pod's own, as the downward API names them. */
export function fieldOf(pod: Pod, { fieldPath }: V1ObjectFieldSelector): string {
  const keyed = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(fieldPath)
  if (keyed !== null) return String(at(pod, 'metadata', keyed[1] ?? '', keyed[2] ?? '') ?? '')
  if (fieldPath.startsWith('status.podIP')) return podIPOf(pod)
  if (fieldPath.startsWith('status.hostIP')) return hostIP
  const value = at(pod, ...fieldPath.split('.'))
  if (!isObject(value)) return String(value ?? '')
  const lines = Object.entries(value).map(([key, each]) => `${key}=${JSON.stringify(each)}`)
  return lines.sort().join('\n')
}

type Resource = 'configmaps' | 'secrets'
type Ref = { readonly name?: string; readonly optional?: boolean }

function keyOf(
  store: Store,
  pod: Pod,
  resource: Resource,
  ref: Ref & { readonly key: string },
): string | undefined {
  const found = dataOf(store, pod, resource, ref)?.[ref.key]
  if (found !== undefined || ref.optional === true) return found?.toString()
  const kind = resource === 'secrets' ? 'Secret' : 'ConfigMap'
  throw new ConfigError(`couldn't find key ${ref.key} in ${kind} ${pod.metadata.namespace}/${ref.name}`)
}

/** What a ConfigMap or Secret holds; undefined without a reference, or if it may be missing and is. */
export function dataOf(
  store: Store,
  { metadata: { namespace } }: Pod,
  resource: Resource,
  ref: Ref | undefined,
): Record<string, Buffer> | undefined {
  if (ref === undefined) return undefined
  const object = store.get(resource, { namespace, name: ref.name ?? '' })
  if (object !== undefined) return contentOf(object)
  if (ref.optional === true) return undefined
  throw new ConfigError(`${resource.slice(0, -1)} "${ref.name}" not found`)
}

function contentOf(object: KubeObject): Record<string, Buffer> {
  const decode = (field: string, encoding: BufferEncoding) => {
    const values = object[field]
    if (!isObject(values)) return []
    return Object.entries(values).map(([key, value]) => [key, Buffer.from(String(value), encoding)] as const)
  }
  const plain = decode('data', object.kind === 'Secret' ? 'base64' : 'utf8')
  return Object.fromEntries([...plain, ...decode('binaryData', 'base64')])
}
