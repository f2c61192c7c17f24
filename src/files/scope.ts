import { namesOf } from './path.ts'
import type { Path } from './tree.ts'

/**
 * The paths whose state may have changed, by name. A path that leads to `all` covers everything below it; any
 * other covers what lies below only where it is not a directory on both sides and in the base: there, what
 * changed below is in the scope by itself.
 */
export type Scope = 'all' | ScopeNode
export interface ScopeNode extends Map<string, Scope> {}

/** Collects paths until they are reconciled. */
export class ScopeBuilder {
  private root: Scope = new Map()

  get scope(): Scope {
    return this.root
  }

  get isEmpty(): boolean {
    return this.root !== 'all' && this.root.size === 0
  }

  add(path: Path): void {
    this.insert(path, false)
  }

  /** Adds a path and everything below it. */
  addAll(path: Path): void {
    this.insert(path, true)
  }

  clear(): void {
    this.root = new Map()
  }

  private insert(path: Path, all: boolean): void {
    const names = namesOf(path)
    const last = names.pop()
    if (last === undefined) {
      if (all) this.root = 'all'
      return
    }
    let node = this.root
    for (const name of names) {
      if (node === 'all') return
      let next = node.get(name)
      if (next === undefined) {
        next = new Map()
        node.set(name, next)
      }
      node = next
    }
    if (node === 'all') return
    if (all) node.set(last, 'all')
    else if (!node.has(last)) node.set(last, new Map())
  }
}
