import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compare, describePath } from '../diff/compare.ts'
import type { Shape } from '../diff/shape.ts'
import type { Wish } from '../diff/take.ts'
import { operate } from '../operate.ts'
import { isMap, type Json, type JsonMap } from '../value.ts'
import { changeOutcome, inverseOf, planChange } from './change.ts'
import { type Facts, planResource } from './make.ts'
import { fieldAt } from './outcome.ts'
import type { FieldDifference } from './plan.ts'

/** Lists are told apart by their items' names. */
const shape: Shape = {
  isAtomic: false,
  list: { by: 'keys', keys: ['name'], defaults: {} },
  field: () => shape,
  item: () => shape,
}

interface Given {
  readonly base?: JsonMap
  readonly local?: JsonMap
  readonly remote?: JsonMap
  readonly managedFields?: JsonMap[]
}

/** Both sides agreed on `base`; the cluster has a default beyond the file. */
function facts({ base, local, remote, managedFields = [] }: Given): Facts {
  const clean = remote && { ...remote, byDefault: 1 }
  return {
    identity: { group: '', kind: 'ConfigMap', namespace: 'a', name: 'b' },
    apiVersion: 'v1',
    place: { file: 'b.yaml' },
    agreed: base && { file: base, live: { ...base, byDefault: 1 } },
    wasPushed: false,
    local,
    live: clean && {
      clean,
      object: { ...clean, metadata: { managedFields, resourceVersion: '7' } },
    },
    bare: remote,
    shape,
  }
}

const to = (path: Wish['path'], value: Json | undefined): Wish => ({ path, value, like: undefined })

/** What file and cluster hold after a change. */
function changed(given: Given, wishes: readonly Wish[]) {
  const { file, apply } = changeOutcome(facts(given), wishes)
  const operations = file !== undefined && 'operations' in file ? file.operations : []
  return { file: given.local && operate(given.local, operations), cluster: apply?.object ?? given.remote }
}

describe('a change', () => {
  test('is made on both sides, and what else differs between them stays as each has it', () => {
    const given = {
      base: { image: '1', mine: 1, theirs: 1 },
      local: { image: '1', mine: 2, theirs: 1 },
      remote: { image: '1', mine: 1, theirs: 2 },
    }
    expect(changed(given, [to(['image'], '2')])).toEqual({
      file: { image: '2', mine: 2, theirs: 1 },
      cluster: { image: '2', mine: 1, theirs: 2 },
    })
  })

  test('is not written where it is already', () => {
    const given = { local: { a: 2, b: 1 }, remote: { a: 1, b: 2 } }
    const wishes = [to(['a'], 2)]
    expect(changeOutcome(facts(given), wishes)).toMatchObject({
      file: undefined,
      apply: { object: { a: 2, b: 2 } },
    })
    expect(changeOutcome(facts(given), [to(['b'], 2)])).toMatchObject({ apply: undefined, file: {} })
    expect(planChange(facts({ local: { a: 2 }, remote: { a: 2 } }), wishes).state).toBe('same')
  })

  test('says of each field what file and cluster have, and what both are to have', () => {
    const { state, differences } = planChange(facts({ local: { a: 1 }, remote: { a: 2 } }), [to(['a'], 3)])
    expect([state, differences]).toMatchObject([
      'changed',
      [{ id: 'a', local: 1, remote: 2, wanted: { value: 3 }, isHeld: false }],
    ])
  })

  test('tells who else holds a field that it would take', () => {
    const managedFields = [{ manager: 'hpa', operation: 'Update', fieldsV1: { 'f:a': {} } }]
    const given = facts({ local: { a: 1 }, remote: { a: 2 }, managedFields })
    expect(planChange(given, [to(['a'], 3)]).differences).toMatchObject([{ isHeld: true, manager: 'hpa' }])
    expect(changeOutcome(given, [to(['a'], 3)]).apply?.force).toBe(true)
    // The cluster has it: nothing is taken.
    expect(planChange(given, [to(['a'], 2)]).differences).toMatchObject([{ isHeld: false }])
  })

  test('of an object that one side does not have changes the other, and says so', () => {
    const wishes = [to(['a'], 2)]
    expect(changed({ remote: { a: 1 } }, wishes)).toEqual({ file: undefined, cluster: { a: 2 } })
    expect(planChange(facts({ remote: { a: 1 } }), wishes).notes).toEqual([
      'no file here has it: only the cluster is changed',
    ])
    expect(changed({ local: { a: 1 } }, wishes)).toEqual({ file: { a: 2 }, cluster: undefined })
    expect(planChange(facts({ local: { a: 1 } }), wishes).notes).toEqual([
      'the cluster does not have it: only the file is changed',
    ])
    expect(planChange(facts({}), wishes).state).toBe('refused')
  })

  test('adds what is missing with the maps and items around it', () => {
    const item = { by: 'keys', keys: { name: 'x' } } as const
    const given = { local: { l: [{ name: 'x' }] }, remote: { l: [{ name: 'y' }, { name: 'x', v: 1 }] } }
    expect(changed(given, [to(['l', item, 'v', 'w'], 1)])).toEqual({
      file: { l: [{ name: 'x', v: { w: 1 } }] },
      cluster: { l: [{ name: 'y' }, { name: 'x', v: { w: 1 } }] },
    })
  })

  test('may be for one side alone', () => {
    const given = { local: { a: 1, b: 1 }, remote: { a: 1, b: 2 } }
    const wished = [{ ...to(['a'], 2), side: 'file' } as const, { ...to(['b'], 1), side: 'cluster' } as const]
    expect(changed(given, wished)).toEqual({ file: { a: 2, b: 1 }, cluster: { a: 1, b: 1 } })
    const { differences } = planChange(facts(given), wished)
    expect(differences.map(({ id }) => id)).toEqual(['a (file)', 'b (cluster)'])
  })

  test('creates what neither side has, in one file and in the cluster, if all of it is wished for first', () => {
    const wishes: Wish[] = [
      { path: [], value: { spec: { a: 1 } }, like: undefined },
      { path: ['spec', 'b'], value: 2, like: undefined },
    ]
    expect(planChange(facts({}), wishes)).toMatchObject({ state: 'only-local', notes: [] })
    const object = { spec: { a: 1, b: 2 } }
    const { apply, file, agreed } = changeOutcome(facts({}), wishes)
    expect([apply?.object, file]).toEqual([object, { create: object }])
    expect(agreed({ ...object, c: 3 })).toEqual({ file: object, live: { ...object, c: 3 } })
    expect(planChange(facts({}), wishes.slice(1)).state).toBe('refused')
    expect(changeOutcome({ ...facts({}), place: { file: '' } }, wishes).file).toBeUndefined()
  })

  test('takes a field away', () => {
    const given = { local: { a: 1, b: 1 }, remote: { a: 1, b: 2 } }
    expect(changed(given, [to(['a'], undefined)])).toEqual({ file: { b: 1 }, cluster: { b: 2 } })
  })
})

const key = fc.constantFrom('a', 'b', 'c')
const scalar = fc.integer({ min: 0, max: 3 })
const inner = fc.dictionary(key, scalar)
const items = fc
  .uniqueArray(fc.tuple(key, inner), { selector: ([name]) => name, maxLength: 3 })
  .map((all) => all.map(([name, more]): JsonMap => ({ ...more, name })))
const object = fc
  .record({ m: inner, l: items, s: scalar }, { requiredKeys: [] })
  .map((value): JsonMap => ({ ...value }))
const path = fc.oneof(
  fc.constant<Wish['path']>(['s']),
  key.map((name): Wish['path'] => ['m', name]),
  fc.tuple(key, key).map(([name, field]): Wish['path'] => ['l', { by: 'keys', keys: { name } }, field]),
)
const wishes = fc.uniqueArray(
  fc.tuple(path, fc.option(scalar, { nil: undefined })).map(([at, value]) => to(at, value)),
  { selector: (wish) => describePath(wish.path), maxLength: 3 },
)

/** The ids of the smallest fields in which two values differ. */
const between = (a: Json, b: Json) =>
  compare({ base: undefined, local: a, remote: b }, shape).map((one) => describePath(one.path))

/** With items in the order of their names, which alone tells them apart. */
function unordered(value: Json | undefined): Json | undefined {
  if (!isMap(value) || !Array.isArray(value.l)) return value
  const sorted = [...value.l].sort((a: JsonMap, b: JsonMap) => (String(a.name) < String(b.name) ? -1 : 1))
  return { ...value, l: sorted }
}

describe('whatever is wished for', () => {
  test('is what both sides have afterwards, and nothing else moved on either', () => {
    const property = fc.property(object, object, object, wishes, (base, local, remote, wished) => {
      const { file, cluster } = changed({ base, local, remote }, wished)
      if (!isMap(file) || !isMap(cluster)) throw new Error('a side holds a map')
      for (const { path, value } of wished) {
        expect([fieldAt(file, path, shape), fieldAt(cluster, path, shape)]).toEqual([value, value])
      }
      const names = wished.map((wish) => describePath(wish.path))
      for (const moved of [...between(local, file), ...between(remote, cluster)]) {
        // A field that is wished for, or the map or the item that it had to be put into.
        expect(names.some((name) => name.startsWith(moved))).toBe(true)
      }
    })
    fc.assert(property, { numRuns: 1000 })
  })

  test('is taken back by its inverse, on each side to what that had', () => {
    const property = fc.property(object, object, wishes, (local, remote, wished) => {
      const { file, cluster } = changed({ local, remote }, wished)
      if (!isMap(file) || !isMap(cluster)) throw new Error('a side holds a map')
      const back = changed({ local: file, remote: cluster }, inverseOf(facts({ local, remote }), wished))
      expect([back.file, back.cluster].map(unordered)).toEqual([local, remote].map(unordered))
    })
    fc.assert(property, { numRuns: 1000 })
  })

  test('what else differed is told afterwards as it was before', () => {
    const property = fc.property(object, object, object, wishes, (base, local, remote, wished) => {
      const given = facts({ base, local, remote })
      const { file, cluster } = changed({ base, local, remote }, wished)
      if (!isMap(file) || !isMap(cluster)) throw new Error('a side holds a map')
      const agreed = changeOutcome(given, wished).agreed({ ...cluster, byDefault: 1 })
      const told = (one: Facts) => planResource(one).differences
      const before = told(given)
      const now = told({ ...facts({ base, local: file, remote: cluster }), agreed })
      const names = wished.map((wish) => describePath(wish.path))
      // What was told as a whole may be told by its parts, where a part of it is what was wished for.
      const isIn = (all: readonly FieldDifference[], one: FieldDifference) =>
        all.some(({ id, whose }) => {
          const isWhole = one.id.startsWith(id) && names.some((name) => name.startsWith(id))
          return id === one.id ? whose === one.whose : isWhole
        })
      const isOther = ({ id }: FieldDifference) =>
        names.every((name) => !name.startsWith(id) && !id.startsWith(name))
      expect(now.filter((one) => isOther(one) && !isIn(before, one))).toEqual([])
      expect(before.filter((one) => isOther(one) && !isIn(now, one))).toEqual([])
    })
    fc.assert(property, { numRuns: 1000 })
  })
})
