import { isDeepStrictEqual } from 'node:util'
import type { Context, WriteOptions } from './context.ts'
import { addressed, create } from './create.ts'
import { deleteObject } from './delete.ts'
import { ApiFailure } from './failure.ts'
import type { ResourceType } from './resource.ts'
import { find, replace } from './write.ts'
import type { ObjectKey, Writer } from './writer.ts'

/** The way by which the sandbox's own parts write: as requests do, without HTTP. */
export function createWriter(context: Context, manager: string): Writer {
  const { store, registry } = context
  const options: WriteOptions = { manager, dryRun: false, unknown: 'ignore' }

  function typeOf({ resource }: ObjectKey): ResourceType {
    const type = registry.stored(resource)
    if (type === undefined) throw new Error(`no resource ${resource} is served`)
    return type
  }

  return {
    store,
    as: (other) => createWriter(context, other),
    create(object) {
      const type = registry.ofKind(object.apiVersion, object.kind)
      if (type === undefined) throw new Error(`no kind ${object.kind} of ${object.apiVersion} is served`)
      const target = { type, namespace: object.metadata.namespace }
      return create(context, target, addressed(target, object), options).object
    },
    change(key, change, subresource) {
      const type = typeOf(key)
      if (store.get(type.key, key) === undefined) return undefined
      const target = { ...key, type, subresource }
      const live = find(context, target)
      const next = change(live)
      if (next === live || isDeepStrictEqual(next, live)) return live
      return replace(context, { target, live, next }, options).object
    },
    delete(key, { gracePeriodSeconds } = {}) {
      const target = { ...key, type: typeOf(key) }
      try {
        deleteObject(context, target, { gracePeriodSeconds, dryRun: false })
      } catch (error) {
        if (!(error instanceof ApiFailure && error.code === 404)) throw error
      }
    },
  }
}
