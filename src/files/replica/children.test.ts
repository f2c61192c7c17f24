import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { DirectoryEntry } from '../tree.ts'
import { Children, foldersFrom } from './children.ts'
import type { Leaf } from './entry.ts'
import { Folder } from './holding.ts'

const stamp = { mtimeMs: 1.5, ctimeMs: 2.5, ino: 2 ** 53, size: 3, mode: 0o100644 }
const directory: DirectoryEntry = { kind: 'directory', stamp }
const leaf = fc.constantFrom<Leaf>(
  { kind: 'file', executable: true, stamp },
  { kind: 'file', executable: false, stamp, digest: '\u00ff'.repeat(32) },
  { kind: 'symlink', target: 'ünïcode', stamp },
  { kind: 'opaque', reason: 'it is a socket' },
)
const child = fc.oneof(
  leaf,
  fc.string().map((path) => new Folder(path, directory, 1)),
)
const name = fc.constantFrom('a', 'b', 'ü', '__proto__', 'a name that is longer than any other')
const step = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), name, child }),
  fc.record({ kind: fc.constant('delete' as const), name }),
  fc.record({ kind: fc.constant('pack' as const) }),
)

test('what is in a folder is the same, packed or not, and folders stay the objects that they are', () => {
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const [children, other, expected] = [new Children(), new Children(), new Map<string, Folder | Leaf>()]
      other.set('other', { kind: 'opaque', reason: 'it is in another folder' })
      for (const taken of steps) {
        if (taken.kind === 'set') {
          children.set(taken.name, taken.child)
          expected.set(taken.name, taken.child)
        } else if (taken.kind === 'delete') {
          children.delete(taken.name)
          expected.delete(taken.name)
        } else Children.pack([other, children])
        expect(new Map(children)).toEqual(expected)
        expect(children.size).toBe(expected.size)
        for (const [key, value] of expected) {
          expect(children.has(key)).toBe(true)
          if (value instanceof Folder) expect(children.get(key)).toBe(value)
        }
        expect(new Set(children.folders())).toEqual(
          new Set([...expected.values()].filter((value) => value instanceof Folder)),
        )
        expect([...other.keys()]).toEqual(['other'])
      }
    }),
  )
})

test('all folders of a tree are found, packed or not', () => {
  const top = new Folder('', directory, 1)
  const middle = new Folder('a', directory, 1)
  const below = new Folder('a/b', directory, 1)
  top.children.set('a', middle)
  middle.children.set('b', below)
  const all = foldersFrom(top)
  expect(all).toEqual([top, middle, below])
  Children.pack(all.map(({ children }) => children))
  expect(foldersFrom(top)).toEqual([top, middle, below])
  expect(foldersFrom(undefined)).toEqual([])
})
