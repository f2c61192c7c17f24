import { KubesyncError } from '../../errors.ts'
import type { FirstContact } from '../mode.ts'
import type { ReplicaInfo } from '../replica/replica.ts'
import type { Side } from '../side.ts'
import type { Identity } from './image.ts'
import type { BaseStore } from './store.ts'

export interface Binding {
  /** Whatever tells one container from the next, as pod UID and container id do. */
  readonly container: string
  readonly local: ReplicaInfo
  readonly remote: ReplicaInfo
  /** Whether the container stands in for another one that was in sync with this local folder. */
  readonly isSuccessor: boolean
  /** What is to happen to what differs when a spec begins; where something was lost since, that waits (`merge`, the default). */
  readonly firstContact?: FirstContact
}

/**
 * Binds a base to a container and its folders. A base that holds for another is dropped: what is missing in a new
 * container was not deleted. Its folder is seeded from local if it stands on the container's own layer, which
 * is new with it; what a volume holds may be newer than local, so there the two are merged. Throws
 * `NO_SUCH_DIRECTORY`, and leaves the base alone, while a folder is not there: it may come back as it was, and then
 * what was agreed on still holds.
 */
export function bindBase(store: BaseStore, binding: Binding): void {
  const { container, local, remote, isSuccessor, firstContact = 'merge' } = binding
  refuseMissing('local', local)
  refuseMissing('remote', remote)
  const identity: Identity = {
    container,
    // A base that was copied to another machine is none there.
    localRoot: `${rootOf(local)} ${local.storage.id}`,
    remoteRoot: rootOf(remote),
    storage: `${remote.storage.kind} ${remote.storage.id}`,
  }
  if (store.identity !== undefined && isSame(store.identity, identity)) return
  // A container that was synced before, whose folder is another one now or whose base is damaged, is not new.
  const isNew = store.identity?.container !== container && store.setAside === undefined
  const isFirst = store.identity === undefined && isNew && !isSuccessor
  const isFresh = isSuccessor && isNew && remote.storage.kind === 'container'
  store.reset(identity, isFirst ? firstContact : isFresh ? 'seed' : 'merge')
}

function refuseMissing(side: Side, { root }: ReplicaInfo): void {
  if (root.dev !== 0 || root.ino !== 0) return
  throw new KubesyncError('NO_SUCH_DIRECTORY', `the ${side} folder is not there`, {
    hint: 'put it back; nothing is deleted meanwhile',
  })
}

function rootOf({ root }: ReplicaInfo): string {
  return `${root.dev}:${root.ino}`
}

function isSame(a: Identity, b: Identity): boolean {
  return (
    (a.container === b.container || lastsLonger(a)) &&
    a.localRoot === b.localRoot &&
    a.remoteRoot === b.remoteRoot &&
    a.storage === b.storage
  )
}

/**
 * Whether the folder is the same in the next container of a pod, whose base this is: it is on a volume, and the volume is
 * none in memory, which another one may take the place of under the same number when the machine starts again.
 */
function lastsLonger({ storage }: Identity): boolean {
  return storage.startsWith('volume ') && !/^volume (tmpfs|ramfs|mount) /.test(storage)
}
