import { describe, expect, test } from 'vitest'
import type { BaseEntry } from './base/base.ts'
import { emptyBase } from './base/base.ts'
import { applyDelta } from './delta.ts'
import type { Operation } from './operation.ts'
import type { Plan } from './plan.ts'
import { newDraft } from './plan.ts'
import { DeletionBursts, planTrouble, RecentRemovals, rootTrouble } from './safety.ts'
import type { Side } from './side.ts'
import type { Entry, Tree } from './tree.ts'

const stamp = { mtimeMs: 0, ctimeMs: 0, ino: 1, size: 0, mode: 0 }
const directory: Entry = { kind: 'directory', stamp }
const file: Entry = { kind: 'file', executable: false, stamp }

/** A tree of so many files. */
function treeOf(count: number): Tree {
  return applyDelta<Entry>(undefined, [['', directory], ...names(count).map((name) => [name, file] as const)])
}

function baseOf(count: number) {
  return (
    applyDelta<BaseEntry>(
      emptyBase,
      names(count).map((name) => [name, { kind: 'directory' }]),
    ) ?? emptyBase
  )
}

const names = (count: number) => Array.from({ length: count }, (_, i) => `f${i}`)

function removing(side: Side, count: number): Plan {
  const operations = names(count).map((path): Operation => ({ op: 'remove', path, expect: stamp }))
  return { ...newDraft(), [side]: operations }
}

describe('a root', () => {
  test('must be there and be a directory', () => {
    const one = treeOf(1)
    expect(rootTrouble({ local: one, remote: one })).toBeUndefined()
    expect(rootTrouble({ local: undefined, remote: one })).toBe('the local folder is not there')
    expect(rootTrouble({ local: one, remote: { entry: file } })).toBe(
      'the remote folder is no directory any more',
    )
  })
})

describe('a plan', () => {
  const none = { local: 0, remote: 0 }
  const trouble = (deleted: number, of: number, removedBefore = none) =>
    planTrouble({
      plan: removing('local', deleted),
      trees: { local: treeOf(of), remote: treeOf(of - deleted) },
      base: baseOf(of),
      firstContact: 'over',
      removedBefore,
    })

  test('may delete half of a side, and not more', () => {
    expect(trouble(50, 100)).toBeUndefined()
    expect(trouble(51, 100)).toBe('51 of 100 entries on local would be deleted')
  })

  test('may delete most of what is little', () => {
    expect(trouble(19, 20)).toBeUndefined()
    expect(trouble(20, 21)).toBe('20 of 21 entries on local would be deleted')
  })

  test('counts what was deleted just before', () => {
    expect(trouble(30, 60, { local: 40, remote: 0 })).toBe('70 of 100 entries on local would be deleted')
  })

  test('does not follow a side that was emptied', () => {
    expect(trouble(2, 2)).toBe('the remote folder is empty, where both sides had 2 entries')
    expect(trouble(1, 1)).toBeUndefined()
  })

  test('of a mirror does not follow a side that is empty from the start', () => {
    const mirrored = (count: number) =>
      planTrouble({
        plan: removing('remote', count),
        trees: { local: treeOf(0), remote: treeOf(count) },
        ...{ base: emptyBase, firstContact: 'local', removedBefore: none },
      })
    expect(mirrored(2)).toBe('the local folder is empty, and all 2 entries on remote would go')
    expect(mirrored(1)).toBeUndefined()
  })

  test.each(['seed', 'merge'] as const)(
    'deletes nothing on local for what a new container lacks (%s)',
    (firstContact) => {
      const lacking = (base = emptyBase) =>
        planTrouble({
          plan: removing('local', 1),
          trees: { local: treeOf(10), remote: treeOf(9) },
          ...{ base, firstContact, removedBefore: none },
        })
      expect(lacking()).toBe(
        'the remote folder is new, and 1 entry on local that it does not have would be deleted',
      )
      expect(lacking(baseOf(10))).toBeUndefined()
    },
  )

  test('may do anything else', () => {
    const trees = { local: treeOf(100), remote: treeOf(0) }
    expect(
      planTrouble({ plan: newDraft(), trees, base: baseOf(100), firstContact: 'over', removedBefore: none }),
    ).toBeUndefined()
  })
})

test('removals are remembered for ten seconds, or until a person says that they were meant', () => {
  let now = 0
  const removals = new RecentRemovals(() => now)
  removals.add(removing('local', 3))
  now += 6_000
  removals.add(removing('remote', 4))
  expect(removals.counts).toEqual({ local: 3, remote: 4 })
  now += 6_000
  expect(removals.counts).toEqual({ local: 0, remote: 4 })
  removals.forget()
  expect(removals.counts).toEqual({ local: 0, remote: 0 })
})

describe('many deletions', () => {
  const none = { local: 0, remote: 0 }
  let now = 0
  const bursts = () => {
    now = 0
    return new DeletionBursts(() => now, 500)
  }

  test('wait until no more come, and are then planned as a whole', () => {
    const held = bursts()
    expect(held.settled(removing('local', 10), none)).toMatchObject({ plan: { local: [] }, held: names(10) })
    now = 400
    expect(held.settled(removing('local', 40), none).held).toHaveLength(40)
    expect(held.nextAt).toBe(900)
    now = 899
    expect(held.settled(removing('local', 40), none).held).toHaveLength(40)
    now = 900
    expect(held.settled(removing('local', 40), none)).toMatchObject({ held: [], plan: removing('local', 40) })
    expect(held.nextAt).toBeUndefined()
  })

  test('on the laptop even one waits, for it may be the first of many', () => {
    const held = bursts()
    expect(held.settled(removing('local', 1), none).held).toHaveLength(1)
    now = 500
    expect(held.settled(removing('local', 1), none).held).toEqual([])
  })

  test('in the container a few go at once, unless others went a moment before', () => {
    expect(bursts().settled(removing('remote', 4), none).held).toEqual([])
    expect(bursts().settled(removing('remote', 4), { local: 0, remote: 1 }).held).toHaveLength(4)
  })

  test('hold nothing else back but what takes the place of what is deleted', () => {
    const put = (path: string): Operation => ({
      ...{ op: 'put', path, expect: 'absent', executable: false, source: { stamp } },
    })
    const { local } = removing('local', 10)
    const plan = { ...newDraft(), local: [...local, put('f1'), put('f2/x'), put('new')], remote: [put('f3')] }
    expect(bursts().settled(plan, none).plan).toMatchObject({
      local: [{ path: 'new' }],
      remote: [{ path: 'f3' }],
    })
  })
})
