import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Change, mirror } from './mirror.ts'
import type { KubeObject } from './resource.ts'

function object(name: string, uid: number, version: number): KubeObject {
  return { metadata: { name, namespace: 'mine', uid: String(uid), resourceVersion: String(version) } }
}

const objects = fc
  .uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'))
  .chain((names) =>
    fc.tuple(...names.map((name) => fc.tuple(fc.constant(name), fc.integer({ min: 1, max: 2 }), fc.nat(2)))),
  )
  .map((list) => list.map(([name, uid, version]) => object(name, uid, version)))

/** Carries changes out, and insists that each one makes sense. */
function carryOut(state: Map<string, KubeObject>, changes: readonly Change<KubeObject>[]): void {
  for (const { type, object: changed } of changes) {
    const name = changed.metadata?.name ?? ''
    expect(state.has(name)).toBe(type !== 'added')
    if (type === 'modified') {
      expect(state.get(name)?.metadata?.uid).toBe(changed.metadata?.uid)
      expect(state.get(name)).not.toEqual(changed)
    }
    if (type === 'deleted') state.delete(name)
    else state.set(name, changed)
  }
}

test('the changes between any two lists turn the one into the other, and none is idle', () => {
  fc.assert(
    fc.property(objects, objects, (before, after) => {
      const known = mirror<KubeObject>()
      const state = new Map<string, KubeObject>()
      carryOut(state, known.replace(before))
      carryOut(state, known.replace(after))
      expect([...state.values()]).toEqual(expect.arrayContaining(after))
      expect(state.size).toBe(after.length)
    }),
  )
})

describe('an event', () => {
  test('of what is known already changes nothing', () => {
    const known = mirror<KubeObject>()
    known.replace([object('a', 1, 1)])
    expect(known.apply('ADDED', object('a', 1, 1))).toEqual([])
    expect(known.apply('MODIFIED', object('a', 1, 1))).toEqual([])
    expect(known.apply('DELETED', object('b', 1, 1))).toEqual([])
    expect(known.apply('DELETED', object('a', 2, 1))).toEqual([])
  })

  test('is told as what it is to whoever knows what we know', () => {
    const known = mirror<KubeObject>()
    known.replace([object('a', 1, 1)])
    expect(known.apply('ADDED', object('a', 1, 2))).toEqual([{ type: 'modified', object: object('a', 1, 2) }])
    expect(known.apply('MODIFIED', object('b', 1, 3))).toEqual([{ type: 'added', object: object('b', 1, 3) }])
    expect(known.apply('DELETED', object('b', 1, 4))).toEqual([
      { type: 'deleted', object: object('b', 1, 4) },
    ])
  })

  test('of a new object under an old name is a deletion and an addition', () => {
    const known = mirror<KubeObject>()
    known.replace([object('a', 1, 1)])
    expect(known.apply('MODIFIED', object('a', 2, 2))).toEqual([
      { type: 'deleted', object: object('a', 1, 1) },
      { type: 'added', object: object('a', 2, 2) },
    ])
  })
})
