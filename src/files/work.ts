import { Blockades } from './blockades.ts'
import type { Problem } from './operation.ts'
import { parentOf } from './path.ts'
import { ScopeBuilder } from './scope.ts'
import { Setbacks } from './setbacks.ts'
import type { Side } from './side.ts'
import type { Locked } from './spot.ts'
import type { Digest, Path, Stamp } from './tree.ts'

/**
 * What is to be looked at and what is under way. A path is *locked* while anything holds it: the lane that carries
 * out its operations, a question to a replica about it, or a setback until its time has come. Nothing is planned at
 * a locked path, or below it, so plans may overlap in time but never in paths; what changed there meanwhile is
 * looked at when the lock goes.
 */
export class Work {
  readonly scope = new ScopeBuilder()
  readonly setbacks = new Setbacks(() => performance.now())
  readonly blockades = new Blockades(() => performance.now())
  /** Digests that were asked for and not used up yet. */
  readonly digests: Readonly<Record<Side, Map<Path, { readonly stamp: Stamp; readonly digest: Digest }>>> = {
    local: new Map(),
    remote: new Map(),
  }
  /** Questions to replicas that are under way. */
  asking = 0
  /** How many hold a path. */
  private readonly holders = new Map<Path, number>()

  get locked(): Locked {
    return this.holders
  }

  hold(path: Path): void {
    this.holders.set(path, (this.holders.get(path) ?? 0) + 1)
  }

  letGo(path: Path): void {
    const left = (this.holders.get(path) ?? 0) - 1
    if (left > 0) {
      this.holders.set(path, left)
      return
    }
    this.holders.delete(path)
    this.scope.addAll(path)
  }

  /** Something at a path changed on a side while it was worked on. */
  moved(side: Side, path: Path): void {
    if (!this.setbacks.isWaiting(path)) this.hold(path)
    this.setbacks.moved(side, path)
  }

  failed(side: Side, problem: Problem): void {
    if (!this.setbacks.isWaiting(problem.path)) this.hold(problem.path)
    this.setbacks.failed(side, problem)
  }

  succeeded(path: Path): void {
    if (this.setbacks.isWaiting(path)) this.letGo(path)
    this.setbacks.succeeded(path)
    this.digests.local.delete(path)
    this.digests.remote.delete(path)
  }

  /** Unlocks the paths whose time to be tried again has come. */
  retryDue(): void {
    for (const path of this.blockades.takeDue()) this.scope.addAll(path)
    for (const path of this.setbacks.takeDue()) this.letGo(path)
  }

  /** Whether a path or a directory it is in is locked. */
  isLocked(path: Path): boolean {
    for (let at = path; at !== ''; at = parentOf(at)) if (this.holders.has(at)) return true
    return false
  }
}
