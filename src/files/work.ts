import { parentOf } from './path.ts'
import { ScopeBuilder } from './scope.ts'
import { Setbacks } from './setbacks.ts'
import type { Side } from './side.ts'
import type { Digest, Path, Stamp } from './tree.ts'

/**
 * What is to be looked at and what is under way. A path is *locked* from when something is planned for it until
 * that has come to an end and the replica's tree shows it. Nothing is planned at a locked path, or below it, so
 * plans may overlap in time but never in paths; what changed there meanwhile is looked at when the lock goes.
 */
export class Work {
  readonly scope = new ScopeBuilder()
  readonly locked = new Set<Path>()
  readonly setbacks = new Setbacks(() => performance.now())
  /** Digests that were asked for and not used up yet. */
  readonly digests: Readonly<Record<Side, Map<Path, { readonly stamp: Stamp; readonly digest: Digest }>>> = {
    local: new Map(),
    remote: new Map(),
  }
  /** Questions to replicas that are under way. */
  asking = 0

  lock(paths: Iterable<Path>): void {
    for (const path of paths) this.locked.add(path)
  }

  /** A path that waits to be tried again stays locked until then. */
  release(path: Path): void {
    if (this.setbacks.isWaiting(path)) return
    this.locked.delete(path)
    this.scope.addAll(path)
  }

  /** Unlocks the paths whose time to be tried again has come. */
  retryDue(): void {
    for (const path of this.setbacks.takeDue()) this.release(path)
  }

  /** Whether a path or a directory it is in is locked. */
  isLocked(path: Path): boolean {
    for (let at = path; at !== ''; at = parentOf(at)) if (this.locked.has(at)) return true
    return false
  }

  forgetDigests(path: Path): void {
    this.digests.local.delete(path)
    this.digests.remote.delete(path)
  }
}
