import { KubesyncError } from '../errors.ts'
import type { KubeContext } from './config.ts'
import { type Discovery, discovery } from './discovery.ts'
import type { JsonObject } from './json.ts'
import { type ListOptions, listAll, listPages, type Page } from './list.ts'
import { Requests } from './requests.ts'
import { type KubeObject, type ResourceRef, resourcePath } from './resource.ts'

const PATCH_TYPES = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const

/** The API server of one context, its objects as they are named in Kubernetes. */
export class KubeClient extends Requests {
  /** What the server can do; asked once, then remembered. */
  readonly discovery: Discovery

  constructor(context: KubeContext) {
    super(context)
    this.discovery = discovery((path, accept) => this.request({ path, accept }))
  }

  /** One object. */
  async get<T extends KubeObject = KubeObject>(ref: ResourceRef & { name: string }): Promise<T> {
    return asObject(await this.request({ path: await this.path(ref) }))
  }

  /**
   * The objects of a type, a page at a time. When the server forgot where it was, it begins again, and the page
   * says so by `restarted`: whoever collects drops the pages before.
   */
  list<T extends KubeObject = KubeObject>(
    ref: ResourceRef,
    options: ListOptions = {},
  ): AsyncIterable<Page<T>> {
    return listPages<T>(this, ref, options)
  }

  /** All objects of a type, and the resourceVersion of the collection. */
  listAll<T extends KubeObject = KubeObject>(ref: ResourceRef, options: ListOptions = {}): Promise<Page<T>> {
    return listAll<T>(this, ref, options)
  }

  /** Creates an object; where is said by its own apiVersion, kind and metadata. */
  async create<T extends KubeObject>(object: T): Promise<T> {
    const path = await this.path({ ...refOf(object), name: undefined })
    return asObject(await this.request({ method: 'POST', path, body: object }))
  }

  /** Server-side apply. Fields that another manager owns are a CONFLICT unless `force`. */
  async apply<T extends KubeObject>(
    object: T,
    options: { fieldManager: string; force?: boolean },
  ): Promise<T> {
    const path = await this.path(refOf(object))
    const query = { fieldManager: options.fieldManager, force: options.force }
    const contentType = PATCH_TYPES.apply
    return asObject(await this.request({ method: 'PATCH', path, query, body: object, contentType }))
  }

  /** Patches an object; a merge patch unless said. */
  async patch<T extends KubeObject = KubeObject>(
    ref: ResourceRef & { name: string },
    patch: unknown,
    type: 'merge' | 'json' | 'strategic' = 'merge',
  ): Promise<T> {
    const request = { method: 'PATCH', body: patch, contentType: PATCH_TYPES[type] } as const
    return asObject(await this.request({ ...request, path: await this.path(ref) }))
  }

  /** Deletes an object; its dependents go in the background unless said. */
  async delete(
    ref: ResourceRef & { name: string },
    options: { propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'; gracePeriodSeconds?: number } = {},
  ): Promise<void> {
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background', ...options }
    await this.request({ method: 'DELETE', path: await this.path(ref), body })
  }

  /** The path of what a reference names; asks the server for the plural of a kind. */
  async path(ref: ResourceRef): Promise<string> {
    if (ref.plural !== undefined) return resourcePath(ref)
    const type = await this.discovery.kind(ref.apiVersion, ref.kind)
    const namespace = type.namespaced ? ref.namespace : undefined
    return resourcePath({ ...ref, plural: type.plural, namespace })
  }
}

/** What the object holds is the server's promise; that it is one object is checked. */
function asObject<T extends KubeObject>(value: JsonObject): T {
  const object: KubeObject = value
  return object as T
}

function refOf(object: KubeObject): ResourceRef {
  const { apiVersion, kind, metadata } = object
  if (apiVersion === undefined || kind === undefined) {
    throw new KubesyncError('INVALID_OBJECT', 'An object to be written needs apiVersion and kind.')
  }
  return { apiVersion, kind, namespace: metadata?.namespace, name: metadata?.name }
}
