import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deployment, schemaOfKind } from './apply/examples.ts'
import type { KubeObject } from './object.ts'
import { strategicPatch } from './strategic.ts'

const schema = schemaOfKind('apps/v1', 'Deployment')
const podSpec = (spec: unknown) => deployment({ template: { spec } })
const patched = (spec: unknown, patch: unknown) =>
  strategicPatch(podSpec(spec), { spec: { template: { spec: patch } } }, schema)
const containers = (...names: string[]) => names.map((name) => ({ name }))

test('items with a merge key are merged; the others stand where they stood to them', () => {
  const before = { containers: [{ name: 'a', image: 'a:1' }, { name: 'b' }] }
  const patch = { containers: [{ name: 'c' }, { name: 'a', image: 'a:2', env: [{ name: 'X', value: '1' }] }] }
  const a = { name: 'a', image: 'a:2', env: [{ name: 'X', value: '1' }] }
  expect(patched(before, patch)).toEqual(podSpec({ containers: [{ name: 'c' }, a, { name: 'b' }] }))
})

test('lists without a merge strategy are replaced', () => {
  expect(patched({ tolerations: [{ key: 'a' }] }, { tolerations: [{ key: 'b' }] })).toEqual(
    podSpec({ tolerations: [{ key: 'b' }] }),
  )
})

test('null removes', () => {
  expect(
    patched({ nodeSelector: { a: '1' }, containers: [] }, { nodeSelector: null, hostname: null }),
  ).toEqual(podSpec({ containers: [] }))
})

test('$patch deletes an item, replaces a list or a map', () => {
  const before = { containers: containers('a', 'b'), nodeSelector: { a: '1' } }
  expect(patched(before, { containers: [{ name: 'a', $patch: 'delete' }] })).toEqual(
    podSpec({ containers: containers('b'), nodeSelector: { a: '1' } }),
  )
  expect(patched(before, { containers: [{ name: 'z' }, { $patch: 'replace' }] })).toEqual(
    podSpec({ containers: containers('z'), nodeSelector: { a: '1' } }),
  )
  expect(patched(before, { nodeSelector: { $patch: 'replace', b: '2' } })).toEqual(
    podSpec({ containers: containers('a', 'b'), nodeSelector: { b: '2' } }),
  )
})

test('$setElementOrder orders what the patch knows; the others stay before what they stood before', () => {
  const before = { containers: containers('a', 'b', 'c', 'd') }
  const order = containers('d', 'b')
  expect(patched(before, { '$setElementOrder/containers': order })).toEqual(
    podSpec({ containers: containers('a', 'c', 'd', 'b') }),
  )
})

test('$retainKeys leaves the fields it lists', () => {
  const before = deployment({ strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } })
  const patch = { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } }
  expect(strategicPatch(before, patch, schema)).toEqual(deployment({ strategy: { type: 'Recreate' } }))
})

test('sets of plain values are joined, $deleteFromPrimitiveList takes from them', () => {
  const before: KubeObject = { ...deployment({}), metadata: { name: 'web', finalizers: ['a/1', 'a/2'] } }
  const finalizers = (patch: unknown) =>
    strategicPatch(before, { metadata: patch }, schema).metadata.finalizers
  expect(finalizers({ finalizers: ['a/3', 'a/1'] })).toEqual(['a/3', 'a/1', 'a/2'])
  expect(finalizers({ '$deleteFromPrimitiveList/finalizers': ['a/1'] })).toEqual(['a/2'])
})

describe('refused is', () => {
  test.each([
    [
      'an item without its merge key',
      { containers: [{ image: 'x' }] },
      500,
      'map: map[image:x] does not contain declared merge key: name',
    ],
    [
      'a directive that there is not',
      { containers: [{ name: 'a', $patch: 'zap' }] },
      500,
      'unknown patch type: zap in map: map[$patch:zap name:a]',
    ],
  ])('%s', (_, patch, code, message) => {
    expect(() => patched({ containers: containers('a') }, patch)).toThrow(
      expect.objectContaining({ code, message }),
    )
  })

  test('what is no object', () => {
    expect(() => strategicPatch(deployment({}), [1], schema)).toThrow(
      expect.objectContaining({
        code: 400,
        message: 'json: cannot unmarshal array into Go value of type map[string]interface {}',
      }),
    )
  })
})

const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd').map(String))

test('an empty patch changes nothing, and an object is a patch of itself', () => {
  fc.assert(
    fc.property(names, (live) => {
      const spec = { containers: containers(...live), nodeSelector: { a: '1' } }
      expect(patched(spec, {})).toEqual(podSpec(spec))
      expect(patched(spec, spec)).toEqual(podSpec(spec))
    }),
  )
})

test('a patch as kubectl makes it, with the whole order and what is deleted, leads to just what was wanted', () => {
  fc.assert(
    fc.property(names, names, (live, wanted) => {
      const gone = live.filter((name) => !wanted.includes(name)).map((name) => ({ name, $patch: 'delete' }))
      const patch = {
        '$setElementOrder/containers': containers(...wanted),
        containers: [...containers(...wanted), ...gone],
      }
      expect(patched({ containers: containers(...live) }, patch)).toEqual(
        podSpec({ containers: containers(...wanted) }),
      )
    }),
  )
})
