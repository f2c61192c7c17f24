import { WireError } from '../../wire/error.ts'
import { entryCodec } from '../entry-codec.ts'
import { type Leaves, Packer, readLeaves } from '../packed.ts'
import type { Entry } from '../tree.ts'
import { unpackedOnce } from '../unpacked.ts'
import type { Leaf } from './entry.ts'
import type { Folder } from './holding.ts'

type Child = Folder | Leaf

/** What is in a folder, by name. What nobody changes can be packed; the first change unpacks it again. */
export class Children {
  private all: Map<string, Child> | Packed = new Map()

  /** Packs several, the more at once the better. */
  static pack(several: Iterable<Children>): void {
    const packer = new Packer<Entry>(entryCodec)
    const packed = Array.from(several, (one) => [one, packedBy(packer, one.all)] as const)
    packer.finish()
    for (const [one, all] of packed) one.all = all
  }

  get size(): number {
    return this.all.size
  }

  /** Those that have children, without unpacking the others. */
  *folders(): Generator<Folder> {
    const candidates = this.all instanceof Packed ? this.all.folders : this.all
    for (const child of candidates.values()) if (!('kind' in child)) yield child
  }

  get(name: string): Child | undefined {
    return this.all.get(name)
  }

  has(name: string): boolean {
    return this.get(name) !== undefined
  }

  keys(): Iterable<string> {
    return this.whole.keys()
  }

  [Symbol.iterator](): Iterator<[string, Child]> {
    return this.whole.entries()
  }

  set(name: string, child: Child): void {
    this.unpack().set(name, child)
  }

  delete(name: string): void {
    this.unpack().delete(name)
  }

  private get whole(): ReadonlyMap<string, Child> {
    return this.all instanceof Packed ? this.all.whole : this.all
  }

  private unpack(): Map<string, Child> {
    if (this.all instanceof Packed) this.all = new Map(this.all.whole)
    return this.all
  }
}

/** All but the folders as bytes, see `packed.ts`. */
class Packed {
  readonly leaves: Leaves
  readonly folders: ReadonlyMap<string, Folder>

  constructor(leaves: Leaves, folders: ReadonlyMap<string, Folder>) {
    this.leaves = leaves
    this.folders = folders
  }

  get size(): number {
    return this.leaves.count + this.folders.size
  }

  get(name: string): Child | undefined {
    return this.folders.get(name) ?? this.whole.get(name)
  }

  get whole(): ReadonlyMap<string, Child> {
    return unpackedOnce(this, () => {
      const whole = new Map<string, Child>(this.folders)
      for (const [name, entry] of readLeaves(this.leaves, entryCodec)) {
        if (entry.kind === 'directory') throw new WireError('a directory among leaves')
        whole.set(name, entry)
      }
      return whole
    })
  }
}

const noFolders: ReadonlyMap<string, Folder> = new Map()

function packedBy(packer: Packer<Entry>, all: Map<string, Child> | Packed): Packed {
  if (all instanceof Packed) {
    packer.move(all.leaves)
    return all
  }
  const leaves = new Map<string, Leaf>()
  const folders = new Map<string, Folder>()
  for (const [name, child] of all) {
    if ('kind' in child) leaves.set(name, child)
    else folders.set(name, child)
  }
  return new Packed(packer.pack(leaves), folders.size === 0 ? noFolders : folders)
}

/** A directory, if there is one, and all below it. */
export function foldersFrom(top: Folder | undefined): Folder[] {
  const folders = top === undefined ? [] : [top]
  // The list grows while it is gone through.
  for (const folder of folders) folders.push(...folder.children.folders())
  return folders
}
