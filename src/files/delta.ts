import { directoriesIn } from './packed.ts'
import { joinPath, namesOf } from './path.ts'
import type { Delta, DeltaItem, Entry, Path, Stamp, Tree, TreeNode } from './tree.ts'

type Children<E> = Map<string, TreeNode<E>>

/** Changes to a tree of whatever entries; see `Delta` for what an item means. */
type DeltaOf<E> = readonly (readonly [path: Path, entry: E | null])[]

/**
 * The tree after a delta. The given one is not touched: directories without changes are shared, and one with
 * changes is copied once for the whole delta. Throws RangeError if the directory of an item is not there.
 */
export function applyDelta<E extends { readonly kind: string }>(
  tree: TreeNode<E> | undefined,
  delta: DeltaOf<E>,
): TreeNode<E> | undefined {
  const patch = new Patch<E>(tree)
  for (const [path, entry] of delta) patch.set(path, entry)
  return patch.root
}

class Patch<E extends { readonly kind: string }> {
  root: TreeNode<E> | undefined
  /** The maps made for this delta, which alone may be written to, by themselves. */
  private readonly own = new Map<unknown, Children<E>>()
  /** The directory of the item before: most items are neighbours. */
  private last: { readonly directory: Path; readonly children: Children<E> } | undefined

  constructor(root: TreeNode<E> | undefined) {
    this.root = root
  }

  set(path: Path, entry: E | null): void {
    if (path === '') {
      this.root = this.replace(this.root, entry)
      return
    }
    const slash = path.lastIndexOf('/')
    const children = this.open(slash < 0 ? '' : path.slice(0, slash))
    const name = path.slice(slash + 1)
    const before = children.get(name)
    const node = this.replace(before, entry)
    if (node === undefined) children.delete(name)
    else children.set(before === undefined ? detached(name) : name, node)
  }

  private replace(before: TreeNode<E> | undefined, entry: E | null): TreeNode<E> | undefined {
    if (before?.children !== undefined) {
      if (entry?.kind === 'directory') return { entry, children: before.children }
      // The directory of the item before may be one of those that go now.
      this.last = undefined
    }
    if (entry === null) return undefined
    return entry.kind === 'directory' ? { entry, children: this.created(new Map()) } : { entry }
  }

  /** A directory's children to write to, every directory on the way made writable. */
  private open(directory: Path): Children<E> {
    if (this.last?.directory === directory) return this.last.children
    const root = this.writable(this.root)
    if (root === undefined) throw new RangeError('a delta has paths in a root that is not there')
    this.root = root.node
    let children = root.children
    for (const name of namesOf(directory)) {
      const next = this.writable(children.get(name))
      if (next === undefined)
        throw new RangeError(`a delta has paths in "${directory}", which is no directory`)
      children.set(name, next.node)
      children = next.children
    }
    this.last = { directory, children }
    return children
  }

  private writable(node: TreeNode<E> | undefined): { node: TreeNode<E>; children: Children<E> } | undefined {
    if (node?.children === undefined) return undefined
    const own = this.own.get(node.children)
    if (own !== undefined) return { node, children: own }
    const children = this.created(new Map(node.children))
    return { node: { entry: node.entry, children }, children }
  }

  private created(children: Children<E>): Children<E> {
    this.own.set(children, children)
    return children
  }
}

/** V8 copies parts of a string up to this length. */
const COPIED = 12

/** V8 keeps a longer part of a string as a reference to the whole: every path would stay for its last name. */
function detached(name: string): string {
  return name.length <= COPIED ? name : Buffer.from(name, 'utf16le').toString('utf16le')
}

/** What is at a path, with all below it; undefined if there is nothing. */
export function nodeAt<E>(tree: TreeNode<E> | undefined, path: Path): TreeNode<E> | undefined {
  let node = tree
  for (const name of namesOf(path)) node = node?.children?.get(name)
  return node
}

/** Every entry below the root with its path, parents before children. */
export function* walk<E>(tree: TreeNode<E> | undefined, directory: Path = ''): Generator<[Path, E]> {
  for (const [name, node] of tree?.children ?? []) {
    const path = joinPath(directory, name)
    yield [path, node.entry]
    if (node.children !== undefined) yield* walk(node, path)
  }
}

const counts = new WeakMap<object, number>()

/** How many entries there are below the root. Counted once for each directory, since trees share them. */
export function countEntries(tree: TreeNode<unknown> | undefined): number {
  const children = tree?.children
  if (children === undefined) return 0
  const known = counts.get(children)
  if (known !== undefined) return known
  let count = children.size
  for (const node of directoriesIn(children).values()) count += countEntries(node)
  counts.set(children, count)
  return count
}

/** The delta that turns one tree into another; costs nothing for directories they share. */
export function diffTrees(before: Tree, after: Tree): Delta {
  const delta: DeltaItem[] = []
  diffNodes('', before, after, delta)
  return delta
}

function diffNodes(path: Path, before: Tree, after: Tree, delta: DeltaItem[]): void {
  if (before === after) return
  if (after === undefined) {
    delta.push([path, null])
    return
  }
  if (before === undefined || !sameEntry(before.entry, after.entry)) delta.push([path, after.entry])
  if (after.children === undefined || before?.children === after.children) return
  for (const name of before?.children?.keys() ?? []) {
    if (!after.children.has(name)) delta.push([joinPath(path, name), null])
  }
  for (const [name, node] of after.children) {
    diffNodes(joinPath(path, name), before?.children?.get(name), node, delta)
  }
}

export function sameStamp(a: Stamp, b: Stamp): boolean {
  return (
    a === b ||
    (a.ctimeMs === b.ctimeMs &&
      a.mtimeMs === b.mtimeMs &&
      a.ino === b.ino &&
      a.size === b.size &&
      a.mode === b.mode)
  )
}

/** Whether two entries say the same, what is known of their content included. */
export function sameEntry(a: Entry, b: Entry): boolean {
  if (a === b) return true
  if (a.kind === 'opaque') return b.kind === 'opaque' && a.reason === b.reason
  if (b.kind === 'opaque' || !sameStamp(a.stamp, b.stamp)) return false
  if (a.kind === 'symlink') return b.kind === 'symlink' && a.target === b.target
  if (a.kind === 'directory') {
    return b.kind === 'directory' && a.hasIgnored === b.hasIgnored && a.isMount === b.isMount
  }
  return b.kind === 'file' && a.executable === b.executable && a.digest === b.digest
}
