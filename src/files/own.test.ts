import { expect, test } from 'vitest'
import type { BaseEntry, BaseTree } from './base/base.ts'
import { emptyBase } from './base/base.ts'
import { applyDelta } from './delta.ts'
import { countOwn } from './own.ts'
import type { Entry, Stamp, Tree } from './tree.ts'

const stamp = (mtimeMs: number): Stamp => ({ mtimeMs, ctimeMs: 1, ino: 1, size: 1, mode: 0o100644 })
const file = (mtimeMs: number): Entry => ({ kind: 'file', executable: false, stamp: stamp(mtimeMs) })
const directory: Entry = { kind: 'directory', stamp: stamp(0) }
const agreed = (mtimeMs: number): BaseEntry => ({
  ...{ kind: 'file', digest: 'd', executable: false },
  ...{ local: stamp(0), remote: stamp(mtimeMs) },
})

function base(entries: Readonly<Record<string, BaseEntry>>): BaseTree {
  return applyDelta<BaseEntry>(emptyBase, Object.entries(entries)) ?? emptyBase
}

function tree(entries: Readonly<Record<string, Entry>>): Tree {
  return applyDelta<Entry>({ entry: directory, children: new Map() }, Object.entries(entries))
}

const folder: BaseEntry = { kind: 'directory' }

test('what both agreed on, and what is missing, is nobody’s own', () => {
  const both = base({ d: folder, 'd/a': agreed(1), b: agreed(1) })
  expect(countOwn('remote', both, tree({ d: directory, 'd/a': file(1) }))).toBe(0)
})

test('what is new, changed or of another kind is', () => {
  const both = base({ d: folder, 'd/a': agreed(1), b: agreed(1) })
  const now = tree({ d: directory, 'd/a': file(2), b: directory, 'b/c': file(1), e: file(1) })
  expect(countOwn('remote', both, now)).toBe(4)
})

test('a new owner or place on disk is no change, and what cannot be read is nobody’s', () => {
  const both = base({ a: agreed(1), b: agreed(1) })
  const entry: Entry = { kind: 'file', executable: false, stamp: { ...stamp(1), ctimeMs: 9, ino: 9 } }
  expect(countOwn('remote', both, tree({ a: entry, b: { kind: 'opaque', reason: 'no' } }))).toBe(0)
})

test('it is counted anew when either changes', () => {
  const now = tree({ d: directory, 'd/a': file(1) })
  expect(countOwn('remote', emptyBase, now)).toBe(2)
  const both = base({ d: folder, 'd/a': agreed(1) })
  expect(countOwn('remote', both, now)).toBe(0)
  expect(countOwn('remote', both, applyDelta(now, [['d/b', file(1)]]))).toBe(1)
})
