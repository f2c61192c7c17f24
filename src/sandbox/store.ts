import { expired } from './failure.ts'
import { type KubeObject, refOf } from './object.ts'

/** One commit: what an object became. A DELETED one carries the object's last state, at the deletion's revision. */
export interface Change {
  readonly revision: number
  /** What the object is filed under, as `storageKey` has it. */
  readonly resource: string
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: KubeObject
  /** What it was before; undefined for ADDED. */
  readonly previous: KubeObject | undefined
}

type Ref = { readonly namespace?: string | undefined; readonly name: string }

/** Commits that are remembered for watches and for lists in pages; older ones are answered with 410. */
const maxHistory = 10_000

/**
 * Objects by resource, one revision for every commit, and the history between. Everything is synchronous:
 * between a read and a write in one turn of the event loop nobody else comes. Listeners are called in the
 * order of the commits, within the commit's own call.
 */
export class Store {
  #revision = 1
  /** The oldest revision that a watch may start from. */
  #compacted = 1
  readonly #objects = new Map<string, Map<string, KubeObject>>()
  #history: Change[] = []
  readonly #listeners = new Set<(change: Change) => void>()
  readonly #compactions = new Set<() => void>()

  get revision(): number {
    return this.#revision
  }

  get(resource: string, ref: Ref): KubeObject | undefined {
    return this.#objects.get(resource)?.get(refOf(ref))
  }

  /** All of a resource, or those of a namespace, ordered by namespace and name. */
  list(resource: string, namespace?: string): KubeObject[] {
    return sorted([...(this.#objects.get(resource)?.values() ?? [])], namespace)
  }

  /** The same as it was at an earlier revision. Throws 410 when that is no longer known. */
  listAt(resource: string, revision: number, namespace?: string): KubeObject[] {
    const objects = new Map(this.#objects.get(resource))
    for (const change of this.since(revision, resource).reverse()) {
      const key = refOf(change.object.metadata)
      if (change.previous === undefined) objects.delete(key)
      else objects.set(key, change.previous)
    }
    return sorted([...objects.values()], namespace)
  }

  /** Creates or replaces; the object gets the commit's revision. */
  put(resource: string, object: KubeObject): KubeObject {
    const objects = this.#objectsOf(resource)
    const key = refOf(object.metadata)
    const previous = objects.get(key)
    const stored = this.#stamped(object)
    objects.set(key, stored)
    this.#commit({ resource, type: previous === undefined ? 'ADDED' : 'MODIFIED', object: stored, previous })
    return stored
  }

  /** Removes an object that is there; returns its last state. */
  remove(resource: string, ref: Ref): KubeObject | undefined {
    const objects = this.#objectsOf(resource)
    const previous = objects.get(refOf(ref))
    if (previous === undefined) return undefined
    objects.delete(refOf(ref))
    const object = this.#stamped(previous)
    this.#commit({ resource, type: 'DELETED', object, previous })
    return object
  }

  /** Commits after a revision, oldest first. Throws 410 when some of them are forgotten. */
  since(revision: number, resource: string): Change[] {
    if (revision < this.#compacted) {
      throw expired(`too old resource version: ${revision} (${this.#compacted})`)
    }
    return this.#history.filter((change) => change.revision > revision && change.resource === resource)
  }

  /** Forgets the history, as a server does after some minutes: watches from before get a 410. */
  compact(): void {
    this.#history = []
    this.#compacted = this.#revision
    for (const listener of [...this.#compactions]) listener()
  }

  /** Hears of each `compact` until the function that comes back is called. */
  onCompact(listener: () => void): () => void {
    this.#compactions.add(listener)
    return () => this.#compactions.delete(listener)
  }

  /** Hears of every commit until the function that comes back is called. */
  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #objectsOf(resource: string): Map<string, KubeObject> {
    const objects = this.#objects.get(resource) ?? new Map<string, KubeObject>()
    this.#objects.set(resource, objects)
    return objects
  }

  #stamped(object: KubeObject): KubeObject {
    this.#revision += 1
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#revision) } }
  }

  #commit(change: Omit<Change, 'revision'>): void {
    const made = { ...change, revision: this.#revision }
    this.#history.push(made)
    if (this.#history.length > maxHistory * 2) {
      this.#history = this.#history.slice(-maxHistory)
      this.#compacted = (this.#history[0]?.revision ?? this.#revision + 1) - 1
    }
    for (const listener of [...this.#listeners]) listener(made)
  }
}

function sorted(objects: KubeObject[], namespace: string | undefined): KubeObject[] {
  const wanted =
    namespace === undefined ? objects : objects.filter(({ metadata }) => metadata.namespace === namespace)
  return wanted.sort((a, b) => (refOf(a.metadata) < refOf(b.metadata) ? -1 : 1))
}
