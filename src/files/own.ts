import type { BaseEntry } from './base/base.ts'
import { directoriesIn } from './packed.ts'
import { holdsAgreed } from './settled-leaves.ts'
import type { Side } from './side.ts'
import type { Entry, Node, TreeNode } from './tree.ts'

type Base = TreeNode<BaseEntry> | undefined

/** Of directories, which trees share: each is counted once, until it or the base changes. It keeps no base in memory. */
const counts = new WeakMap<object, { readonly base: WeakRef<object> | undefined; readonly count: number }>()

/**
 * How many entries of a side were never agreed on, or are not as they were then: what this side has for itself, at least
 * for now. What cannot be told, and what is missing, does not count.
 */
export function countOwn(side: Side, base: Base, tree: Node | undefined): number {
  if (tree === undefined) return 0
  const children = tree.children
  if (children === undefined) return 0
  const before = base?.children
  const known = counts.get(children)
  const isKnown = known?.base?.deref() === before && (known?.base === undefined) === (before === undefined)
  if (known !== undefined && isKnown) return known.count
  let count = 0
  const unlike = holdsAgreed(side, before, children) ? directoriesIn(children) : children
  for (const [name, node] of unlike) {
    const agreed = before?.get(name)
    count += (isOwn(side, agreed?.entry, node.entry) ? 1 : 0) + countOwn(side, agreed, node)
  }
  counts.set(children, { base: before && new WeakRef(before), count })
  return count
}

function isOwn(side: Side, base: BaseEntry | undefined, entry: Entry): boolean {
  if (entry.kind === 'opaque') return false
  if (base?.kind === 'file' && entry.kind === 'file') {
    const { size, mtimeMs } = base[side]
    // What has a new owner only, or a new name for a while, has the same content.
    return size !== entry.stamp.size || mtimeMs !== entry.stamp.mtimeMs
  }
  if (base?.kind === 'symlink' && entry.kind === 'symlink') return base.target !== entry.target
  return base?.kind !== entry.kind
}
