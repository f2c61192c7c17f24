/**
 * Whole trees on their way, or in a file: directory by directory, each with what is in it as bytes. Whoever reads a tree
 * has it packed, and makes no object of what nobody asks for.
 */
import type { ByteReader, ByteWriter } from '../wire/bytes.ts'
import { WireError } from '../wire/error.ts'
import { entryCodec, PathReader, PathWriter, readFlag } from './entry-codec.ts'
import {
  directoriesIn,
  type EntryCodec,
  type Leaves,
  leavesIn,
  PackedChildren,
  packLeaves,
  readLeaves,
} from './packed.ts'
import { badName, badPath, joinPath, MAX_PATH, nameOf, parentOf } from './path.ts'
import type { Delta, Entry, Path, TreeNode } from './tree.ts'

/** A directory, or something that is in one which was told of before. */
export interface FolderPart<E> {
  readonly path: Path
  /** Absent if the directory itself was told of before. */
  readonly entry: E | undefined
  readonly leaves: Leaves
}

/** Bytes of the smallest part: a path, a flag, and a kind or a leaf. */
const MIN_PART = 5
const ANY_NAME = 'a'

export function writeFolders<E>(
  writer: ByteWriter,
  parts: readonly FolderPart<E>[],
  codec: EntryCodec<E>,
): void {
  const paths = new PathWriter(writer.varint(parts.length))
  for (const { path, entry, leaves } of parts) {
    paths.write(path)
    writer.u8(entry === undefined ? 0 : 1)
    if (entry !== undefined) codec.write(writer, entry)
    writer.varint(leaves.count).raw(leaves.bytes)
  }
}

/**
 * The leaves share their memory with what is read. Throws WireError for what was not written so.
 * @param most more parts than so many are refused
 */
export function readFolders<E extends { readonly kind: string }>(
  reader: ByteReader,
  codec: EntryCodec<E>,
  most = Number.POSITIVE_INFINITY,
): FolderPart<E>[] {
  const parts: FolderPart<E>[] = []
  const count = reader.count(MIN_PART)
  if (count > most) throw new WireError(`${count} directories at once`)
  const paths = new PathReader(reader)
  for (let i = 0; i < count; i++) {
    const path = paths.read()
    const entry = readFlag(reader) ? codec.read(reader) : undefined
    if (entry !== undefined && entry.kind !== 'directory')
      throw new WireError(`${entry.kind} with names in it`)
    const leaves = reader.varint()
    const reason = leaves > 0 ? badPath(joinPath(path, ANY_NAME)) : undefined
    if (reason !== undefined) throw new WireError(reason)
    const longest = MAX_PATH - path.length - 1
    const bytes = reader.span(() => skipLeaves(reader, leaves, { codec, longest }))
    parts.push({ path, entry, leaves: { count: leaves, bytes } })
  }
  return parts
}

interface Below<E> {
  readonly codec: EntryCodec<E>
  /** UTF-16 units that a name may have there. */
  readonly longest: number
}

function skipLeaves<E>(reader: ByteReader, count: number, { codec, longest }: Below<E>): void {
  let last = ''
  for (let i = 0; i < count; i++) {
    const name = reader.string()
    const reason = name.length > longest ? 'a path is too long' : badName(name)
    if (reason !== undefined) throw new WireError(reason)
    if (name <= last) throw new WireError('names are not in their order')
    last = name
    codec.skipLeaf(reader)
  }
}

/** The directories of a tree, parents before children. */
export function* foldersIn<E>(
  node: TreeNode<E>,
  codec: EntryCodec<E>,
  path: Path = '',
): Generator<FolderPart<E>> {
  const { entry, children = new Map<string, TreeNode<E>>() } = node
  yield { path, entry, leaves: leavesIn(children, codec) }
  for (const [name, below] of directoriesIn(children)) yield* foldersIn(below, codec, joinPath(path, name))
}

/** The items that the parts stand for, parents before children. */
export function* itemsOf<E>(parts: readonly FolderPart<E>[], codec: EntryCodec<E>): Generator<[Path, E]> {
  for (const { path, entry, leaves } of parts) {
    if (entry !== undefined) yield [path, entry]
    for (const [name, leaf] of readLeaves(leaves, codec)) yield [joinPath(path, name), leaf]
  }
}

/**
 * The directories that a delta of a tree that is new tells of, with what is in them; undefined if something goes again, or
 * becomes another thing: parts cannot say that.
 */
export function foldersOf(delta: Delta): FolderPart<Entry>[] | undefined {
  const folders = new Map<Path, { entry: Entry | undefined; readonly leaves: Map<string, Entry> }>()
  const at = (path: Path) => {
    const known = folders.get(path) ?? { entry: undefined, leaves: new Map<string, Entry>() }
    folders.set(path, known)
    return known
  }
  for (const [path, entry] of delta) {
    if (entry === null) return undefined
    if (entry.kind !== 'directory') at(parentOf(path)).leaves.set(nameOf(path), entry)
    else at(path).entry = entry
  }
  // What became another thing, or is in something that did: only an order can say that.
  for (const folder of folders.keys()) {
    for (let path = folder; path !== ''; path = parentOf(path)) {
      if (folders.get(parentOf(path))?.leaves.has(nameOf(path))) return undefined
    }
  }
  return Array.from(folders, ([path, { entry, leaves }]) => ({
    ...{ path, entry },
    leaves: packLeaves(leaves, entryCodec),
  }))
}

interface Building<E> {
  entry: E
  readonly parts: Leaves[]
  readonly below: Map<string, Building<E>>
}

/**
 * The tree that the parts make. Returns undefined if something is told of as two things, of which only the order
 * of items says which it became. Throws WireError where a directory is missing.
 */
export function treeOf<E>(parts: readonly FolderPart<E>[], codec: EntryCodec<E>): TreeNode<E> | undefined {
  const all = new Map<Path, Building<E>>()
  for (const { path, entry, leaves } of parts) {
    const known = all.get(path)
    if (known !== undefined) {
      if (entry !== undefined) known.entry = entry
      if (leaves.count > 0) known.parts.push(leaves)
      continue
    }
    if (entry === undefined) throw new WireError(`"${path}" was never told of`)
    const building: Building<E> = { entry, parts: [leaves], below: new Map() }
    all.set(path, building)
    if (path === '') continue
    const parent = all.get(parentOf(path))
    if (parent === undefined) throw new WireError(`"${path}" has no directory`)
    parent.below.set(nameOf(path), building)
  }
  const root = all.get('')
  if (root === undefined) throw new WireError('a tree without a root')
  return built(root, codec)
}

function built<E>({ entry, parts, below }: Building<E>, codec: EntryCodec<E>): TreeNode<E> | undefined {
  const leaves = joined(parts, codec)
  if (leaves.count > 0 && below.size > 0) {
    for (const [name] of readLeaves(leaves, codec)) if (below.has(name)) return undefined
  }
  const directories = new Map<string, TreeNode<E>>()
  for (const [name, building] of below) {
    const node = built(building, codec)
    if (node === undefined) return undefined
    directories.set(name, node)
  }
  return { entry, children: new PackedChildren(leaves, directories, codec) }
}

function joined<E>(parts: readonly Leaves[], codec: EntryCodec<E>): Leaves {
  const [first] = parts
  if (first !== undefined && parts.length === 1) return first
  return packLeaves(new Map(parts.flatMap((part) => [...readLeaves(part, codec)])), codec)
}
