import fc from 'fast-check'
import { expect, test } from 'vitest'
import { applyDelta, walk } from '../delta.ts'
import { foldersOf } from '../folders.ts'
import { anyEntry, anyStamp, smallTree } from '../testing/arbitrary.ts'
import type { Delta, DeltaItem, Entry, Node, Path, Tree } from '../tree.ts'
import { View } from './view.ts'

const anyDirectory: fc.Arbitrary<Entry> = fc.record({
  kind: fc.constant('directory' as const),
  stamp: anyStamp,
})
const anyTree = smallTree(
  anyEntry.filter(({ kind }) => kind !== 'directory'),
  anyDirectory,
)

const asMap = (tree: Tree): ReadonlyMap<Path, Entry> => new Map(walk(tree))

/** Something that happens to a path while the first snapshot is under way; what makes no sense there is left out. */
const anyChange = fc.tuple(fc.nat(100), fc.option(fc.oneof(anyEntry, anyDirectory), { nil: null }))

/** Everything in a tree, and then what became of some of it. */
function told(tree: Node, changes: readonly (readonly [at: number, entry: Entry | null])[]): Delta {
  const items: DeltaItem[] = [['', tree.entry], ...walk(tree)]
  const paths = items.slice(1).map(([path]) => path)
  for (const [at, entry] of changes) {
    const path = paths[at % Math.max(1, paths.length)]
    const before = applyDelta(undefined, items)
    const isThere = path !== undefined && asMap(before).has(path)
    // As a replica says it: a directory in the place of another comes after that went.
    if (isThere) items.push(...(entry?.kind === 'directory' ? ([[path, null]] as const) : []), [path, entry])
  }
  return items
}

test('a first snapshot in parts is the tree that all of it makes, whatever happens meanwhile', () => {
  fc.assert(
    fc.property(
      anyTree,
      fc.array(anyChange, { maxLength: 4 }),
      fc.array(fc.nat(30), { maxLength: 3 }),
      (tree, changes, cuts) => {
        const delta = told(tree, changes)
        const ends = [...cuts.map((cut) => Math.min(cut, delta.length)).sort((a, b) => a - b), delta.length]
        const view = new View()
        for (const [i, end] of ends.entries()) {
          const part = delta.slice(ends[i - 1] ?? 0, end)
          const isLast = i === ends.length - 1
          const folders = foldersOf(part)
          view.add(
            folders === undefined
              ? { kind: 'delta', isLast, delta: part }
              : { kind: 'folders', isLast, folders },
          )
          expect(view.tree === undefined).toBe(!isLast)
        }
        const wanted = applyDelta(undefined, delta)
        expect(view.tree?.entry).toEqual(wanted?.entry)
        expect(asMap(view.tree)).toEqual(asMap(wanted))
      },
    ),
    { numRuns: 300 },
  )
})
