import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteReader, ByteWriter } from '../wire/bytes.ts'
import { WireError } from '../wire/error.ts'
import { applyDelta, countEntries, walk } from './delta.ts'
import { entryCodec } from './entry-codec.ts'
import {
  type FolderPart,
  foldersIn,
  foldersOf,
  itemsOf,
  readFolders,
  treeOf,
  writeFolders,
} from './folders.ts'
import { anyEntry, anyStamp, smallTree } from './testing/arbitrary.ts'
import type { Delta, DeltaItem, Entry, Node, Path, Tree } from './tree.ts'

const anyLeaf = anyEntry.filter(({ kind }) => kind !== 'directory')
const anyDirectory: fc.Arbitrary<Entry> = fc.record({
  kind: fc.constant('directory' as const),
  stamp: anyStamp,
})
const anyTree = smallTree(anyLeaf, anyDirectory)

const asMap = (tree: Tree): ReadonlyMap<Path, Entry> => new Map(walk(tree))

function sent(parts: readonly FolderPart<Entry>[]): FolderPart<Entry>[] {
  const writer = new ByteWriter()
  writeFolders(writer, parts, entryCodec)
  const reader = new ByteReader(writer.take())
  const received = readFolders(reader, entryCodec)
  reader.end()
  return received
}

/** Everything there is, as a replica that starts tells of it: now and then of a thing twice, as of a change meanwhile. */
function deltaOf(tree: Node, again: readonly number[]): Delta {
  const items: DeltaItem[] = [['', tree.entry], ...walk(tree)]
  const files = items.filter(([, entry]) => entry?.kind !== 'directory')
  const repeated = again.flatMap((at): Delta => {
    const [path] = files[at % Math.max(1, files.length)] ?? []
    return path === undefined ? [] : [[path, { kind: 'opaque', reason: `now ${at}` }]]
  })
  return [...items, ...repeated]
}

test('a tree arrives as it was sent', () => {
  fc.assert(
    fc.property(anyTree, (tree) => {
      const received = treeOf(sent([...foldersIn(tree, entryCodec)]), entryCodec)
      expect(received?.entry).toEqual(tree.entry)
      expect(asMap(received)).toEqual(asMap(tree))
      expect(countEntries(received)).toBe(countEntries(tree))
    }),
  )
})

test('what is told of in several parts is the tree that all of it makes, one after the other', () => {
  fc.assert(
    fc.property(anyTree, fc.array(fc.nat(100), { maxLength: 3 }), fc.nat(10), (tree, again, cut) => {
      const delta = deltaOf(tree, again)
      const parts = [delta.slice(0, cut), delta.slice(cut)].map((part) => foldersOf(part))
      if (parts.includes(undefined)) return
      const all = parts.flatMap((part) => sent(part ?? []))
      const wanted = asMap(applyDelta(undefined, delta))
      expect(asMap(applyDelta(undefined, [...itemsOf(all, entryCodec)]))).toEqual(wanted)
      const made = treeOf(all, entryCodec)
      expect(asMap(made)).toEqual(wanted)
      expect(countEntries(made)).toBe(wanted.size)
    }),
  )
})

describe('what parts cannot say, or only by their order', () => {
  const stamp = { mtimeMs: 1, ctimeMs: 1, ino: 1, size: 0, mode: 0 }
  const directory: Entry = { kind: 'directory', stamp }
  const file: Entry = { kind: 'file', executable: false, stamp }
  const parts = (...deltas: Delta[]) => deltas.flatMap((delta) => foldersOf(delta) ?? [])

  test('that something is gone', () => {
    expect(
      foldersOf([
        ['', directory],
        ['a', null],
      ]),
    ).toBeUndefined()
  })

  test('that a name became another thing', () => {
    expect(
      foldersOf([
        ['', directory],
        ['a', file],
        ['a', directory],
      ]),
    ).toBeUndefined()
    expect(
      foldersOf([
        ['', directory],
        ['a', directory],
        ['a', file],
      ]),
    ).toBeUndefined()
    expect(
      foldersOf([
        ['a/b/x', file],
        ['a', file],
      ]),
    ).toBeUndefined()
    expect(
      treeOf(
        parts(
          [
            ['', directory],
            ['a', file],
          ],
          [['a', directory]],
        ),
        entryCodec,
      ),
    ).toBeUndefined()
    expect(
      treeOf(
        parts(
          [
            ['', directory],
            ['a', directory],
          ],
          [['a', file]],
        ),
        entryCodec,
      ),
    ).toBeUndefined()
  })
})

describe('what comes in wrong', () => {
  test('is refused, and does no harm', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          treeOf(readFolders(new ByteReader(bytes), entryCodec), entryCodec)
        } catch (error) {
          expect(error).toBeInstanceOf(WireError)
        }
      }),
      { numRuns: 2000 },
    )
  })

  test.each(['', '.', '..', 'a/b', 'a\0b'])('is the name %j', (name) => {
    const writer = new ByteWriter()
    const stamp = { mtimeMs: 1, ctimeMs: 1, ino: 1, size: 0, mode: 0 }
    writer.varint(1).varint(0).string('').u8(1)
    entryCodec.write(writer, { kind: 'directory', stamp })
    entryCodec.write(writer.varint(1).string(name), { kind: 'file', executable: false, stamp })
    expect(() => readFolders(new ByteReader(writer.take()), entryCodec)).toThrow(WireError)
  })

  test('is a file with names in it', () => {
    const stamp = { mtimeMs: 1, ctimeMs: 1, ino: 1, size: 0, mode: 0 }
    const entry: Entry = { kind: 'file', executable: false, stamp }
    const leaves = { count: 0, bytes: Buffer.alloc(0) }
    expect(() => sent([{ path: '', entry, leaves }])).toThrow(WireError)
  })

  test('is more at once than anybody sends', () => {
    const leaves = { count: 1, bytes: Buffer.from('\u0001a\u0004\0') }
    const part: FolderPart<Entry> = { path: '', entry: undefined, leaves }
    const writer = new ByteWriter()
    writeFolders(writer, [part, part, part], entryCodec)
    expect(() => readFolders(new ByteReader(writer.take()), entryCodec, 2)).toThrow('at once')
  })

  test('is a name that comes twice', () => {
    const leaves = (name: string) => ({
      count: 2,
      bytes: Buffer.from(`\u0001${name}\u0004\0\u0001a\u0004\0`),
    })
    const part = (name: string): FolderPart<Entry> => ({ path: '', entry: undefined, leaves: leaves(name) })
    expect(sent([part('A')])).toHaveLength(1)
    expect(() => sent([part('a')])).toThrow(WireError)
  })
})
