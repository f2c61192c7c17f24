import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { operate } from '../operate.ts'
import { equal, isList, isMap, type Json, type JsonMap } from '../value.ts'
import { compare, describePath } from './compare.ts'
import { itemsOf, type Shape, unknownShape } from './shape.ts'
import { operationsFor } from './take.ts'

/** Containers by name, ports by number and protocol, finalizers as a set, commands as one thing. */
const shape: Shape = fields({
  containers: listBy(
    ['name'],
    {},
    fields({ ports: listBy(['port', 'protocol'], { protocol: 'TCP' }, unknownShape) }),
  ),
  finalizers: { ...unknownShape, list: { by: 'value' } },
  selector: { ...unknownShape, isAtomic: true },
})

function fields(known: Record<string, Shape>): Shape {
  return { ...unknownShape, field: (name) => known[name] ?? unknownShape }
}

function listBy(keys: string[], defaults: JsonMap, item: Shape): Shape {
  return { ...unknownShape, list: { by: 'keys', keys, defaults }, item: () => item }
}

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

const scalar = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom('x', 'y'), fc.boolean())
const port = fc.record(
  { port: fc.integer({ min: 1, max: 3 }), protocol: fc.constantFrom('TCP', 'UDP'), name: scalar },
  { requiredKeys: ['port'] },
)
const container = fc.record(
  {
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    image: scalar,
    command: fc.array(scalar, { maxLength: 5 }),
    ports: fc.uniqueArray(port, { maxLength: 3, selector: (p) => `${p.port}${p.protocol ?? 'TCP'}` }),
  },
  { requiredKeys: ['name'], noNullPrototype: true },
)
const object: fc.Arbitrary<Json> = fc.record(
  {
    containers: fc.uniqueArray(container, { maxLength: 4, selector: ({ name }) => name }),
    finalizers: fc.uniqueArray(fc.constantFrom('p', 'q', 'r'), { maxLength: 3 }),
    selector: fc.dictionary(fc.constantFrom('k', 'l'), scalar, { noNullPrototype: true }),
    args: fc.array(scalar, { maxLength: 6 }),
    labels: fc.dictionary(fc.constantFrom('k', 'l', 'm'), scalar, { noNullPrototype: true }),
  },
  { requiredKeys: [], noNullPrototype: true },
) as fc.Arbitrary<Json>

/** With lists that have an identity in a fixed order, for comparing where order means nothing. */
function sorted(value: Json | undefined, of: Shape): Json {
  if (isMap(value))
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, sorted(v, of.field(k))]))
  if (!isList(value)) return value ?? null
  const items = itemsOf(value, of.list)
  if (items === undefined) return value
  return [...items].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => sorted(item.value, of.item()))
}

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
