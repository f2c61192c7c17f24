import type { BaseEntry, BaseTree } from './base/base.ts'
import { joinPath } from './path.ts'
import type { Digest, Path } from './tree.ts'

/** Which content is where in a base. */
export class Stock {
  private tree: BaseTree | undefined
  /** How many files there are of each size. */
  private readonly sizes = new Map<number, number>()
  /** Mostly there is one. */
  private readonly paths = new Map<Digest, Path | readonly Path[]>()

  /** Costs as much as the directories hold in which anything changed since the last time. */
  update(tree: BaseTree): void {
    this.compare('', this.tree, tree)
    this.tree = tree
  }

  has(size: number): boolean {
    return this.sizes.has(size)
  }

  /** Where there are files with this content. */
  find(digest: Digest): readonly Path[] {
    const found = this.paths.get(digest) ?? []
    return typeof found === 'string' ? [found] : found
  }

  private compare(path: Path, before: BaseTree | undefined, after: BaseTree | undefined): void {
    if (before === after) return
    if (before !== undefined && before.entry !== after?.entry) this.remove(path, before.entry)
    if (after !== undefined && before?.entry !== after.entry) this.add(path, after.entry)
    if (before?.children === after?.children) return
    for (const [name, node] of before?.children ?? []) {
      this.compare(joinPath(path, name), node, after?.children?.get(name))
    }
    for (const [name, node] of after?.children ?? []) {
      if (before?.children?.has(name) !== true) this.compare(joinPath(path, name), undefined, node)
    }
  }

  private add(path: Path, entry: BaseEntry): void {
    if (entry.kind !== 'file') return
    const { digest, local } = entry
    this.sizes.set(local.size, (this.sizes.get(local.size) ?? 0) + 1)
    const others = this.find(digest)
    this.paths.set(digest, others.length === 0 ? path : [...others, path])
  }

  private remove(path: Path, entry: BaseEntry): void {
    if (entry.kind !== 'file') return
    const { digest, local } = entry
    const left = (this.sizes.get(local.size) ?? 0) - 1
    if (left > 0) this.sizes.set(local.size, left)
    else this.sizes.delete(local.size)
    const others = this.find(digest).filter((one) => one !== path)
    const [first] = others
    if (first === undefined) this.paths.delete(digest)
    else this.paths.set(digest, others.length === 1 ? first : others)
  }
}
