import type { KubeObject } from './resource.ts'

/** What became of an object. */
export interface Change<T> {
  readonly type: 'added' | 'modified' | 'deleted'
  readonly object: T
}

/** The objects of a collection as far as they were told, and what tells them apart from newer ones. */
export interface Mirror<T> {
  /** Takes the whole collection, and returns what is different: deletions first. */
  replace(items: readonly T[]): Change<T>[]
  /** Takes an event of a watch, and returns what it changes: nothing, if it was known. */
  apply(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: T): Change<T>[]
}

export function mirror<T extends KubeObject>(): Mirror<T> {
  const known = new Map<string, T>()

  const put = (object: T): Change<T>[] => {
    const before = known.get(keyOf(object))
    known.set(keyOf(object), object)
    if (before === undefined) return [{ type: 'added', object }]
    if (!isSame(before, object))
      return [
        { type: 'deleted', object: before },
        { type: 'added', object },
      ]
    const unchanged = before.metadata?.resourceVersion === object.metadata?.resourceVersion
    return unchanged ? [] : [{ type: 'modified', object }]
  }

  return {
    replace: (items) => {
      const present = new Set(items.map(keyOf))
      const gone = [...known].filter(([key]) => !present.has(key))
      for (const [key] of gone) known.delete(key)
      return [
        ...gone.map(([, object]): Change<T> => ({ type: 'deleted', object })),
        ...items.flatMap((object) => put(object)),
      ]
    },
    apply: (type, object) => {
      if (type !== 'DELETED') return put(object)
      const before = known.get(keyOf(object))
      if (before === undefined || !isSame(before, object)) return []
      known.delete(keyOf(object))
      return [{ type: 'deleted', object }]
    },
  }
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`
}

/** A name can be given again to another object: only the uid tells. */
function isSame(a: KubeObject, b: KubeObject): boolean {
  return a.metadata?.uid === b.metadata?.uid
}
