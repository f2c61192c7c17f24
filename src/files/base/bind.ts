import type { ReplicaInfo } from '../replica/replica.ts'
import type { Identity } from './image.ts'
import type { BaseStore } from './store.ts'

export interface Binding {
  /** Whatever tells one container from the next, as pod UID and container id do. */
  readonly container: string
  readonly local: ReplicaInfo
  readonly remote: ReplicaInfo
  /** Whether the container stands in for another one that was in sync with this local folder. */
  readonly isSuccessor: boolean
}

/**
 * Binds a base to a container and its folders. A base that holds for another is dropped: what is missing in a new
 * container was not deleted. Its folder is seeded from local if it stands on the container's own layer, which
 * is new with it; what a volume holds may be newer than local, so there the two are merged.
 */
export function bindBase(store: BaseStore, { container, local, remote, isSuccessor }: Binding): void {
  const identity: Identity = {
    container,
    localRoot: rootOf(local),
    remoteRoot: rootOf(remote),
    storage: `${remote.storage.kind} ${remote.storage.id}`,
  }
  if (store.identity !== undefined && isSame(store.identity, identity)) return
  // A container that was synced before, whose folder is another one now or whose base is damaged, is not new.
  const isNew = store.identity?.container !== container && store.setAside === undefined
  store.reset(identity, isSuccessor && isNew && remote.storage.kind === 'container' ? 'seed' : 'merge')
}

function rootOf({ root }: ReplicaInfo): string {
  return `${root.dev}:${root.ino}`
}

function isSame(a: Identity, b: Identity): boolean {
  return (
    a.container === b.container &&
    a.localRoot === b.localRoot &&
    a.remoteRoot === b.remoteRoot &&
    a.storage === b.storage
  )
}
