import { namesOf } from './path.ts'
import type { Path } from './tree.ts'

/**
 * The paths whose state may have changed, by name. A path covers what lies below it only where it is not a
 * directory on both sides and in the base: there, what lies below is in the scope by itself if it changed.
 */
export type Scope = 'all' | ScopeNode
export interface ScopeNode extends Map<string, ScopeNode> {}

export function scopeOf(paths: Iterable<Path>): ScopeNode {
  const root: ScopeNode = new Map()
  for (const path of paths) {
    let node = root
    for (const name of namesOf(path)) {
      let next = node.get(name)
      if (next === undefined) {
        next = new Map()
        node.set(name, next)
      }
      node = next
    }
  }
  return root
}
