import type { V1ObjectMeta } from '@kubernetes/client-node'
import { KubesyncError } from '../errors.ts'
import type { Json } from './json.ts'

/**
 * Names objects of one type: one of them with `name`, else those of `namespace`, else those of the
 * whole cluster. `plural` saves asking the server for it.
 */
export type ResourceRef = {
  /** `v1`, `apps/v1` */
  readonly apiVersion: string
  readonly namespace?: string | undefined
  readonly name?: string | undefined
  /** `status`, `ephemeralcontainers`, … of the object */
  readonly subresource?: string | undefined
} & (
  | { readonly kind: string; readonly plural?: undefined }
  | { readonly plural: string; readonly kind?: undefined }
)

/** The part of an object that all have. */
export interface KubeObject {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata?: Json<V1ObjectMeta>
}

/** Path of a type's objects, or of one of them, every part percent-encoded. */
export function resourcePath(at: {
  readonly apiVersion: string
  readonly plural: string
  readonly namespace?: string | undefined
  readonly name?: string | undefined
  readonly subresource?: string | undefined
}): string {
  const namespace = at.namespace === undefined ? '' : `/namespaces/${segment(at.namespace)}`
  const name = at.name === undefined ? '' : `/${segment(at.name)}`
  const subresource = at.subresource === undefined ? '' : `/${segment(at.subresource)}`
  return `${groupVersionPath(at.apiVersion)}${namespace}/${segment(at.plural)}${name}${subresource}`
}

/** `/api/v1`, `/apis/apps/v1` */
export function groupVersionPath(apiVersion: string): string {
  const root = apiVersion.includes('/') ? '/apis' : '/api'
  return `${root}/${apiVersion.split('/').map(segment).join('/')}`
}

/** Dots are kept by percent-encoding, and would be steps in a path: no object is called that. */
function segment(text: string): string {
  if (text === '' || text === '.' || text === '..') {
    throw new KubesyncError('INVALID_NAME', `"${text}" cannot be the name of a Kubernetes object.`)
  }
  return encodeURIComponent(text)
}
