import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { applyDelta, countEntries, diffTrees, nodeAt, walk } from './delta.ts'
import { smallTree } from './testing/arbitrary.ts'
import type { Entry, Node, Stamp } from './tree.ts'

const stamp = (mtimeMs: number): Stamp => ({ mtimeMs, ctimeMs: mtimeMs, ino: 1, size: 0, mode: 0 })
const file = (mtimeMs = 0): Entry => ({ kind: 'file', executable: false, stamp: stamp(mtimeMs) })
const directory = (mtimeMs = 0): Entry => ({ kind: 'directory', stamp: stamp(mtimeMs) })

const anyTime = fc.nat(2)
const anyTree = smallTree(
  fc.oneof(
    anyTime.map(file),
    anyTime.map((time): Entry => ({ kind: 'symlink', target: 'x', stamp: stamp(time) })),
    fc.constant<Entry>({ kind: 'opaque', reason: 'a socket' }),
  ),
  anyTime.map(directory),
)

const tree: Node = {
  entry: directory(),
  children: new Map([
    ['one', { entry: directory(), children: new Map([['x', { entry: file() }]]) }],
    ['two', { entry: directory(), children: new Map([['y', { entry: file() }]]) }],
  ]),
}

describe('applyDelta', () => {
  test('turns one tree into any other by their difference', () => {
    fc.assert(
      fc.property(anyTree, anyTree, (before, after) => {
        expect(applyDelta(before, diffTrees(before, after))).toEqual(after)
      }),
    )
  })

  test('makes a root, and takes it away', () => {
    const made = applyDelta<Entry>(undefined, [
      ['', directory()],
      ['x', file()],
    ])
    expect(made).toEqual({ entry: directory(), children: new Map([['x', { entry: file() }]]) })
    expect(applyDelta(made, [['', null]])).toBeUndefined()
  })

  test('shares what it does not touch, and leaves the tree it was given as it was', () => {
    const after = applyDelta(tree, [
      ['one/x', file(1)],
      ['one/z', file(1)],
    ])
    expect(after?.children?.get('two')).toBe(tree.children?.get('two'))
    expect(nodeAt(tree, 'one/x')?.entry).toEqual(file())
    expect(nodeAt(tree, 'one/z')).toBeUndefined()
  })

  test('keeps what is in a directory of which only the entry changes', () => {
    const after = applyDelta(tree, [['one', directory(5)]])
    expect(nodeAt(after, 'one')?.entry).toEqual(directory(5))
    expect(nodeAt(after, 'one')?.children).toBe(nodeAt(tree, 'one')?.children)
  })

  test('starts anew where a directory went and came within one delta', () => {
    const after = applyDelta(tree, [
      ['one/late', file()],
      ['one', null],
      ['one', directory(1)],
      ['one/z', file()],
    ])
    expect([...(nodeAt(after, 'one')?.children?.keys() ?? [])]).toEqual(['z'])
  })

  test('refuses a path whose directory is not there', () => {
    expect(() => applyDelta(tree, [['three/x', file()]])).toThrow(RangeError)
    expect(() => applyDelta(tree, [['one/x/y', file()]])).toThrow(RangeError)
    expect(() => applyDelta<Entry>(undefined, [['x', file()]])).toThrow(RangeError)
  })
})

describe('diffTrees', () => {
  test('says nothing of equal trees, and of a removed directory only that', () => {
    expect(diffTrees(tree, structuredClone(tree))).toEqual([])
    expect(diffTrees(tree, applyDelta(tree, [['one', null]]))).toEqual([['one', null]])
  })

  test('tells parents before children', () => {
    fc.assert(
      fc.property(anyTree, (after) => {
        const told = new Set<string>()
        for (const [path, entry] of diffTrees(undefined, after)) {
          if (path !== '') expect(told).toContain(path.includes('/') ? path.replace(/\/[^/]*$/, '') : '')
          if (entry?.kind === 'directory') told.add(path)
        }
      }),
    )
  })
})

describe('countEntries', () => {
  test('counts what walk visits, the root not counted', () => {
    fc.assert(
      fc.property(anyTree, anyTree, (before, after) => {
        expect(countEntries(before)).toBe([...walk(before)].length)
        // Counts of shared directories are remembered: they must stay right in the next tree.
        const next = applyDelta(before, diffTrees(before, after))
        expect(countEntries(next)).toBe([...walk(after)].length)
      }),
    )
    expect(countEntries(undefined)).toBe(0)
  })
})
