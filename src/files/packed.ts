import { ByteReader, ByteWriter } from '../wire/bytes.ts'
import type { TreeNode } from './tree.ts'

/** How an entry is written; what it reads was written in this process. */
export interface EntryCodec<E> {
  write(writer: ByteWriter, entry: E): void
  read(reader: ByteReader): E
}

type Children<E> = ReadonlyMap<string, TreeNode<E>>

/** Directories that were looked into last stay unpacked: whoever looks for one name mostly looks for more. */
const UNPACKED = 16
const unpacked = new Map<object, Children<unknown>>()

/**
 * The children of a directory, those without children as bytes: a tenth of what they are as objects, which matters for
 * the trees of a folder that mostly nobody changes. To whoever reads it, a Map.
 */
class PackedChildren<E> implements Children<E> {
  readonly size: number
  readonly directories: Children<E>
  private readonly leaves: Buffer
  private readonly codec: EntryCodec<E>

  constructor(children: Children<E>, codec: EntryCodec<E>) {
    this.size = children.size
    this.codec = codec
    const directories = new Map<string, TreeNode<E>>()
    // Larger than what Node cuts from memory that others keep.
    const writer = new ByteWriter(Math.max(Buffer.poolSize, 64 * children.size))
    for (const [name, node] of children) {
      if (node.children !== undefined) directories.set(name, packTree(node, codec))
      else codec.write(writer.string(name), node.entry)
    }
    this.directories = directories
    // A copy is as long as it has to be, and small ones share their memory.
    this.leaves = Buffer.from(writer.take())
  }

  /** The same, with what is below it packed. */
  repacked(): Children<E> {
    const isPacked = [...this.directories.values()].every((node) => packTree(node, this.codec) === node)
    return isPacked ? this : new PackedChildren(this, this.codec)
  }

  get(name: string) {
    return this.directories.get(name) ?? this.whole.get(name)
  }

  has(name: string) {
    return this.get(name) !== undefined
  }

  keys() {
    return this.whole.keys()
  }

  values() {
    return this.whole.values()
  }

  entries() {
    return this.whole.entries()
  }

  forEach(action: (node: TreeNode<E>, name: string, map: Children<E>) => void) {
    for (const [name, node] of this.whole) action(node, name, this)
  }

  [Symbol.iterator]() {
    return this.whole.entries()
  }

  private get whole(): Children<E> {
    const known = unpacked.get(this)
    // Only this object puts anything there by this key.
    if (known !== undefined) return known as Children<E>
    const whole = new Map<string, TreeNode<E>>()
    const reader = new ByteReader(this.leaves)
    while (reader.remaining > 0) whole.set(reader.string(), { entry: this.codec.read(reader) })
    for (const [name, node] of this.directories) whole.set(name, node)
    const [oldest] = unpacked.size >= UNPACKED ? unpacked.keys() : []
    if (oldest !== undefined) unpacked.delete(oldest)
    unpacked.set(this, whole)
    return whole
  }
}

/** The same tree in less memory; what is packed already is shared. */
export function packTree<E>(node: TreeNode<E>, codec: EntryCodec<E>): TreeNode<E> {
  const { entry, children } = node
  if (children === undefined) return node
  const packed =
    children instanceof PackedChildren ? children.repacked() : new PackedChildren(children, codec)
  return packed === children ? node : { entry, children: packed }
}

/** The children that have children; of a packed directory without unpacking it. */
export function* directoriesIn<E>(children: Children<E>): Generator<TreeNode<E>> {
  if (children instanceof PackedChildren) yield* children.directories.values()
  else for (const node of children.values()) if (node.children !== undefined) yield node
}
