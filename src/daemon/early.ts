import type { Pod } from './pods.ts'

/** Containers that an agent saw before the API server told of them, each in the place of another one. */
export interface Early {
  /** Pods with these containers in them, until the server knows. */
  apply(pods: readonly Pod[]): readonly Pod[]
  add(place: Replacement): void
  remove(id: string): void
}

export interface Replacement {
  readonly podUid: string
  readonly container: string
  /** The container that ended, and the one in its place. */
  readonly old: string
  readonly id: string
}

export function newEarly(): Early {
  const known = new Map<string, Replacement>()
  return {
    add: (one) => void known.set(one.id, one),
    remove: (id) => void known.delete(id),
    apply(pods) {
      if (known.size === 0) return pods
      return pods.map((pod) => ({
        ...pod,
        containers: pod.containers.map((container) => {
          const one = [...known.values()].find(
            ({ podUid, container: name }) => podUid === pod.uid && name === container.name,
          )
          const isBehind = container.runningId === undefined || container.runningId === one?.old
          return one === undefined || !isBehind ? container : { ...container, runningId: one.id, reason: '' }
        }),
      }))
    },
  }
}
