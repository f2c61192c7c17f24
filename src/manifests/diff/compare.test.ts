import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { operate } from '../operate.ts'
import { equal } from '../value.ts'
import { compare, describePath } from './compare.ts'
import { operationsFor } from './take.ts'
import { object, shape, sorted } from './testing/objects.ts'

describe('fields', () => {
  test('each difference says whose it is', () => {
    const base = { a: 1, b: 1, c: 1, d: 1, e: 1 }
    const local = { a: 2, b: 1, c: 3, d: 5, f: 1 }
    const remote = { a: 1, b: 2, c: 4, d: 5, e: 1 }
    const said = compare({ base, local, remote }, shape).map(({ path, whose }) => [describePath(path), whose])
    expect(said).toEqual([
      ['a', 'local'],
      ['b', 'remote'],
      ['c', 'both'],
      ['f', 'local'],
      ['e', 'local'],
    ])
  })

  test('without a base nobody knows', () => {
    expect(compare({ base: undefined, local: { a: 1 }, remote: { a: 2 } }, shape)).toMatchObject([
      { whose: 'unknown' },
    ])
  })

  test('list items are told apart by their keys, with the defaults of the schema', () => {
    const local = { containers: [{ name: 'web', image: 'a', ports: [{ port: 80, name: 'x' }] }] }
    const remote = {
      containers: [
        { name: 'sidecar', image: 's' },
        { name: 'web', image: 'b', ports: [{ port: 80, protocol: 'TCP', name: 'y' }] },
      ],
    }
    const said = compare({ base: local, local, remote }, shape).map(({ path }) => describePath(path))
    expect(said).toEqual([
      'containers[name=web].image',
      'containers[name=web].ports[port=80,protocol=TCP].name',
      'containers[name=web].ports[port=80,protocol=TCP].protocol',
      'containers[name=sidecar]',
    ])
  })

  test('another order of items that have keys is no difference', () => {
    const [a, b] = [{ name: 'a' }, { name: 'b' }]
    expect(
      compare({ base: undefined, local: { containers: [a, b] }, remote: { containers: [b, a] } }, shape),
    ).toEqual([])
  })
})

describe('for any three states', () => {
  test('taking every difference from the other side makes the sides equal', () => {
    fc.assert(
      fc.property(object, object, object, (base, local, remote) => {
        const wishes = compare({ base, local, remote }, shape).map(({ path, remote: value }) => ({
          path,
          value,
          like: remote,
        }))
        const made = operate(local, operationsFor(local, wishes, shape))
        expect(sorted(made, shape)).toEqual(sorted(remote, shape))
      }),
    )
  })

  test('taking each its own way round makes both sides equal, and keeps what only one side changed', () => {
    fc.assert(
      fc.property(object, object, object, (base, local, remote) => {
        const differences = compare({ base, local, remote }, shape)
        const here = differences
          .filter(({ whose }) => whose !== 'local')
          .map(({ path, remote: value }) => ({ path, value, like: remote }))
        const there = differences
          .filter(({ whose }) => whose === 'local')
          .map(({ path, local: value }) => ({ path, value, like: local }))
        const a = operate(local, operationsFor(local, here, shape))
        const b = operate(remote, operationsFor(remote, there, shape))
        expect(sorted(a, shape)).toEqual(sorted(b, shape))
        expect(compare({ base: a, local: a, remote: b }, shape)).toEqual([])
      }),
    )
  })

  test('nothing changed by one side leaves only the other side’s', () => {
    fc.assert(
      fc.property(object, object, (base, remote) => {
        const all = compare({ base, local: base, remote }, shape)
        expect(all.every(({ whose }) => whose === 'remote')).toBe(true)
        expect(all.length === 0).toBe(equal(sorted(base, shape), sorted(remote, shape)))
      }),
    )
  })
})
