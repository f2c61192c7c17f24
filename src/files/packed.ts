import { ByteReader, ByteWriter } from '../wire/bytes.ts'
import { MAPPED } from './mapped.ts'
import type { TreeNode } from './tree.ts'
import { forgetUnpacked, unpackedOnce } from './unpacked.ts'

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
  /** The same bytes may come to be elsewhere, see `Packer`. */
  readonly bytes: Buffer
}

type Children<E> = ReadonlyMap<string, TreeNode<E>>

const NOTHING = Buffer.alloc(0)
const noDirectories = new Map<string, never>()

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
    this.directories = directories.size === 0 ? noDirectories : directories
    this.codec = codec
  }

  get size() {
    return this.leaves.count + this.directories.size
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
    return unpackedOnce(this, () => {
      const whole = new Map<string, TreeNode<E>>()
      for (const [name, entry] of readLeaves(this.leaves, this.codec)) whole.set(name, { entry })
      for (const [name, node] of this.directories) whole.set(name, node)
      return whole
    })
  }
}

/**
 * Packs the leaves of many directories into one piece of memory, and moves there what is packed already: small pieces
 * would leave holes when they go, and large ones that others share would stay for the least of what is in them.
 */
export class Packer<E> {
  private readonly codec: EntryCodec<E>
  private readonly writer = new ByteWriter(MAPPED)
  private readonly places: {
    readonly leaves: { bytes: Buffer }
    readonly start: number
    readonly end: number
  }[] = []

  constructor(codec: EntryCodec<E>) {
    this.codec = codec
  }

  /** Not to be read before `finish`. */
  pack(leaves: ReadonlyMap<string, E>): Leaves {
    return this.placed({ count: leaves.size, bytes: NOTHING }, () =>
      writeLeaves(this.writer, leaves, this.codec),
    )
  }

  move(leaves: Leaves): Leaves {
    return this.placed(leaves, () => this.writer.raw(leaves.bytes))
  }

  finish(): void {
    const bytes = this.writer.take()
    for (const { leaves, start, end } of this.places) leaves.bytes = bytes.subarray(start, end)
    forgetUnpacked()
  }

  private placed(leaves: Leaves, write: () => void): Leaves {
    const start = this.writer.length
    write()
    this.places.push({ leaves, start, end: this.writer.length })
    return leaves
  }
}

/** The same tree in less memory; what is packed already is shared. */
export function packTree<E>(tree: TreeNode<E>, codec: EntryCodec<E>): TreeNode<E> {
  const packer = new Packer(codec)
  const packed = packNode(tree, packer, codec)
  packer.finish()
  return packed
}

function packNode<E>(node: TreeNode<E>, packer: Packer<E>, codec: EntryCodec<E>): TreeNode<E> {
  const { entry, children } = node
  if (children === undefined) return node
  if (children instanceof PackedChildren) {
    packer.move(children.leaves)
    const below = packAll(children.directories, packer, codec)
    if (below === children.directories) return node
    return { entry, children: new PackedChildren(children.leaves, below, codec) }
  }
  const leaves = packer.pack(leavesOf(children))
  return {
    entry,
    children: new PackedChildren(leaves, packAll(directoriesIn(children), packer, codec), codec),
  }
}

function packAll<E>(nodes: Children<E>, packer: Packer<E>, codec: EntryCodec<E>): Children<E> {
  if (nodes.size === 0) return nodes
  const packed = new Map<string, TreeNode<E>>()
  let isSame = true
  for (const [name, node] of nodes) {
    const now = packNode(node, packer, codec)
    packed.set(name, now)
    isSame &&= now === node
  }
  return isSame ? nodes : packed
}

function leavesOf<E>(children: Children<E>): Map<string, E> {
  const leaves = new Map<string, E>()
  for (const [name, node] of children) if (node.children === undefined) leaves.set(name, node.entry)
  return leaves
}

export function packLeaves<E>(leaves: ReadonlyMap<string, E>, codec: EntryCodec<E>): Leaves {
  // Larger than what Node cuts from memory that others keep.
  const writer = new ByteWriter(Math.max(Buffer.poolSize, 64 * leaves.size))
  writeLeaves(writer, leaves, codec)
  // A copy is as long as it has to be, and small ones share their memory.
  return { count: leaves.size, bytes: Buffer.from(writer.take()) }
}

/** Writes what `Leaves` are. */
function writeLeaves<E>(writer: ByteWriter, leaves: ReadonlyMap<string, E>, codec: EntryCodec<E>): void {
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
  return children instanceof PackedChildren ? children.leaves : packLeaves(leavesOf(children), codec)
}

/** The children that have children; of a packed directory without unpacking it. */
export function directoriesIn<E>(children: Children<E>): Children<E> {
  if (children instanceof PackedChildren) return children.directories
  const directories = new Map<string, TreeNode<E>>()
  for (const [name, node] of children) if (node.children !== undefined) directories.set(name, node)
  return directories
}
