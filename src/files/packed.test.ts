import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { applyDelta, countEntries, nodeAt, walk } from './delta.ts'
import { entryCodec } from './entry-codec.ts'
import { packTree } from './packed.ts'
import type { Delta, DeltaItem, Entry, Path, Tree } from './tree.ts'

const stamp = { mtimeMs: 1.5, ctimeMs: 2.5, ino: 2 ** 53, size: 3, mode: 0o100644 }
const root: DeltaItem = ['', { kind: 'directory', stamp }]
const leaf = fc.constantFrom<Entry>(
  { kind: 'file', executable: true, stamp },
  { kind: 'file', executable: false, stamp, digest: '\u00ff'.repeat(32) },
  { kind: 'symlink', target: 'ünïcode', stamp },
  { kind: 'opaque', reason: 'it is a socket' },
)

/** Trees with up to three directories within each other. */
const anyTree = fc
  .array(
    fc.tuple(fc.array(fc.constantFrom('a', 'b', 'ü'), { maxLength: 3 }), fc.string({ minLength: 1 }), leaf),
  )
  .map((files): Tree => {
    const delta: DeltaItem[] = [root]
    for (const [names, file, entry] of files) {
      names.forEach((_, i) => {
        delta.push([names.slice(0, i + 1).join('/'), { kind: 'directory', stamp }])
      })
      delta.push([[...names, `file ${file.replaceAll('/', '_')}`].join('/'), entry])
    }
    return applyDelta(undefined, delta)
  })

const asMap = (tree: Tree): ReadonlyMap<Path, Entry> => new Map(walk(tree))

describe('a packed tree', () => {
  test('is to whoever reads it what it was, name by name and as a whole', () => {
    fc.assert(
      fc.property(anyTree, (tree) => {
        if (tree === undefined) return
        const packed = packTree(tree, entryCodec)
        expect(asMap(packed)).toEqual(asMap(tree))
        expect(countEntries(packed)).toBe(countEntries(tree))
        for (const [path, entry] of walk(tree)) expect(nodeAt(packed, path)?.entry).toEqual(entry)
        expect(nodeAt(packed, 'not there')).toBeUndefined()
      }),
    )
  })

  test('takes changes as it would have, and is packed again at the cost of what changed', () => {
    fc.assert(
      fc.property(anyTree, (tree) => {
        if (tree === undefined) return
        const delta: Delta = [
          ['a', { kind: 'directory', stamp }],
          ['a/new', { kind: 'opaque', reason: '' }],
          ['b', null],
        ]
        const packed = packTree(tree, entryCodec)
        const changed = applyDelta(packed, delta)
        expect(asMap(changed)).toEqual(asMap(applyDelta(tree, delta)))
        if (changed === undefined) return
        const again = packTree(changed, entryCodec)
        expect(asMap(again)).toEqual(asMap(changed))
        expect(nodeAt(again, 'ü')).toBe(nodeAt(packed, 'ü'))
        expect(packTree(again, entryCodec)).toBe(again)
        // What they share has moved by now.
        expect(asMap(packed)).toEqual(asMap(tree))
        expect(asMap(again)).toEqual(asMap(changed))
      }),
    )
  })
})
