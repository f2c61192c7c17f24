import { ApiFailure } from './failure.ts'
import type { Registry } from './registry.ts'
import { hasSubresource, type ResourceType } from './resource.ts'

/** What a path of the API leads to. */
export interface Target {
  readonly type: ResourceType
  readonly namespace?: string | undefined
  readonly name?: string | undefined
  readonly subresource?: string | undefined
}

/** A target with a name. */
export type NamedTarget = Target & { readonly name: string }

/** What the path names; undefined when it is not below a group version that is served. Throws 404 for an unknown resource. */
export function route(path: string, registry: Registry): Target | undefined {
  const parts = path.split('/').slice(1).map(decoded)
  const depth = parts[0] === 'api' ? 2 : parts[0] === 'apis' ? 3 : 0
  const apiVersion = parts.slice(1, depth).join('/')
  const rest = parts.slice(depth)
  if (depth === 0 || rest.length === 0 || rest.includes('')) return undefined
  if (!servesGroup(registry, apiVersion)) return undefined
  const target = scoped(rest, (plural) => registry.find(apiVersion, plural))
  if (target === undefined || !servesSubresource(target)) throw noSuchResource()
  return target
}

function servesGroup(registry: Registry, apiVersion: string): boolean {
  const group = apiVersion.split('/').slice(0, -1).join('/')
  return registry.all().some(({ info }) => info.group === group)
}

function scoped(rest: string[], find: (plural: string) => ResourceType | undefined): Target | undefined {
  const [first = '', namespace, plural] = rest
  const inNamespace = first === 'namespaces' && plural !== undefined ? find(plural) : undefined
  if (inNamespace?.info.namespaced) return targetOf(inNamespace, rest.slice(3), namespace)
  const type = find(first)
  if (type === undefined || (type.info.namespaced && rest.length > 1)) return undefined
  return targetOf(type, rest.slice(1))
}

function targetOf(type: ResourceType, rest: string[], namespace?: string): Target | undefined {
  const [name, subresource] = rest
  if (rest.length > 2 && subresource !== 'proxy') return undefined
  return { type, namespace, name, subresource }
}

function servesSubresource({ type, subresource }: Target): boolean {
  return subresource === undefined || hasSubresource(type, subresource)
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

export function noSuchResource(): ApiFailure {
  return new ApiFailure(404, 'NotFound', 'the server could not find the requested resource', {})
}

export function methodNotAllowed(): ApiFailure {
  const message = 'the server does not allow this method on the requested resource'
  return new ApiFailure(405, 'MethodNotAllowed', message, {})
}
