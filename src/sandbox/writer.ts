import type { KubeObject } from './object.ts'
import type { Store } from './store.ts'

/** Where an object is: what it is filed under (`storageKey`), its namespace if it has one, its name. */
export interface ObjectKey {
  readonly resource: string
  readonly namespace?: string | undefined
  readonly name: string
}

/**
 * The way by which controllers and nodes write: the same checks, defaults, managed fields and deletion rules as
 * for requests over HTTP, without HTTP. All of it is synchronous. Refusals are thrown as ApiFailure.
 */
export interface Writer {
  readonly store: Store
  /** A copy of the writer whose writes are recorded under another manager's name: `kubelet`. */
  as(manager: string): Writer
  create(object: KubeObject): KubeObject
  /**
   * Puts what `change` makes of the object as it is now. Nothing is committed when it returns the object itself or an equal
   * one, or when there is no such object (the answer is undefined then). With a `status` subresource only the
   * status is taken over (and a Deployment's annotations), without it everything but the status.
   */
  change(
    key: ObjectKey,
    change: (object: KubeObject) => KubeObject,
    subresource?: 'status',
  ): KubeObject | undefined
  /**
   * Deletes as a DELETE request does: finalizers and graceful deletion are respected, dependents go by
   * their owner references. An object that is not there is no error.
   */
  delete(key: ObjectKey, options?: { readonly gracePeriodSeconds?: number }): void
}
