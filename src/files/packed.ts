import { ByteReader, ByteWriter } from '../wire/bytes.ts'
import type { TreeNode } from './tree.ts'

/** How an entry is written. */
export interface EntryCodec<E> {
  write(writer: ByteWriter, entry: E): void
  read(reader: ByteReader): E
  /** Moves past an entry that has nothing below it. Throws WireError for anything else. */
  skipLeaf(reader: ByteReader): void
}

/** What is in a directory but for directories: each with its name, in the order of names, as bytes. */
export interface Leaves {
  readonly count: number
  readonly bytes: Buffer
}

type Children<E> = ReadonlyMap<string, TreeNode<E>>

/** Directories that were looked into last stay unpacked: whoever looks for one name mostly looks for more. */
const UNPACKED = 16
const unpacked = new Map<object, Children<unknown>>()

/**
 * The children of a directory, those without children as bytes: a tenth of what they are as objects, which matters for
 * the trees of a folder that mostly nobody changes. To whoever reads it, a Map.
 */
export class PackedChildren<E> implements Children<E> {
  readonly leaves: Leaves
  readonly directories: Children<E>
  private readonly codec: EntryCodec<E>

  constructor(leaves: Leaves, directories: Children<E>, codec: EntryCodec<E>) {
    this.leaves = leaves
    this.directories = directories
    this.codec = codec
  }

  get size() {
    return this.leaves.count + this.directories.size
  }

  /** The same, with what is below it packed. */
  repacked(): Children<E> {
    const directories = packAll(this.directories, this.codec)
    return directories === this.directories ? this : new PackedChildren(this.leaves, directories, this.codec)
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
    for (const [name, entry] of readLeaves(this.leaves, this.codec)) whole.set(name, { entry })
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
  const packed = children instanceof PackedChildren ? children.repacked() : pack(children, codec)
  return packed === children ? node : { entry, children: packed }
}

function packAll<E>(nodes: Children<E>, codec: EntryCodec<E>): Children<E> {
  const packed = new Map<string, TreeNode<E>>()
  let isSame = true
  for (const [name, node] of nodes) {
    const now = packTree(node, codec)
    packed.set(name, now)
    isSame &&= now === node
  }
  return isSame ? nodes : packed
}

function pack<E>(children: Children<E>, codec: EntryCodec<E>): PackedChildren<E> {
  const { leaves, directories } = parted(children)
  return new PackedChildren(packLeaves(leaves, codec), packAll(directories, codec), codec)
}

/** What is in a directory, directories apart. */
function parted<E>(children: Children<E>): { leaves: Map<string, E>; directories: Map<string, TreeNode<E>> } {
  const leaves = new Map<string, E>()
  const directories = new Map<string, TreeNode<E>>()
  for (const [name, node] of children) {
    if (node.children === undefined) leaves.set(name, node.entry)
    else directories.set(name, node)
  }
  return { leaves, directories }
}

export function packLeaves<E>(leaves: ReadonlyMap<string, E>, codec: EntryCodec<E>): Leaves {
  // Larger than what Node cuts from memory that others keep.
  const writer = new ByteWriter(Math.max(Buffer.poolSize, 64 * leaves.size))
  writeLeaves(writer, leaves, codec)
  // A copy is as long as it has to be, and small ones share their memory.
  return { count: leaves.size, bytes: Buffer.from(writer.take()) }
}

/** Writes what `Leaves` are. */
export function writeLeaves<E>(
  writer: ByteWriter,
  leaves: ReadonlyMap<string, E>,
  codec: EntryCodec<E>,
): void {
  for (const [name, entry] of inOrder(leaves)) codec.write(writer.string(name), entry)
}

function inOrder<E>(leaves: ReadonlyMap<string, E>): Iterable<[string, E]> {
  let last: string | undefined
  for (const name of leaves.keys()) {
    if (last !== undefined && name < last) return [...leaves].sort(([a], [b]) => (a < b ? -1 : 1))
    last = name
  }
  return leaves
}

export function* readLeaves<E>({ bytes }: Leaves, codec: EntryCodec<E>): Generator<[string, E]> {
  const reader = new ByteReader(bytes)
  while (reader.remaining > 0) yield [reader.string(), codec.read(reader)]
}

/** What is in a directory but for directories. */
export function leavesIn<E>(children: Children<E>, codec: EntryCodec<E>): Leaves {
  return children instanceof PackedChildren ? children.leaves : packLeaves(parted(children).leaves, codec)
}

/** The children that have children; of a packed directory without unpacking it. */
export function directoriesIn<E>(children: Children<E>): Children<E> {
  return children instanceof PackedChildren ? children.directories : parted(children).directories
}
