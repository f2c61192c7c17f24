import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ApiFailure } from './failure.ts'
import type { KubeObject } from './object.ts'
import { jsonPatch, mergePatch } from './patch.ts'

const configMap = (data: unknown): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'c' },
  data,
})

describe('a JSON patch', () => {
  test('does what its operations say, one after the other', () => {
    const patch = [
      { op: 'test', path: '/data/a', value: '1' },
      { op: 'add', path: '/data/list/-', value: 'z' },
      { op: 'move', from: '/data/a', path: '/data/b~1c' },
      { op: 'copy', from: '/data/list/0', path: '/data/first' },
      { op: 'remove', path: '/data/list/1' },
    ]
    expect(jsonPatch(configMap({ a: '1', list: ['x', 'y'] }), patch)).toEqual(
      configMap({ 'b/c': '1', list: ['x', 'z'], first: 'x' }),
    )
  })

  test('leaves the object it is given as it is', () => {
    const object = configMap({ a: '1' })
    jsonPatch(object, [{ op: 'remove', path: '/data/a' }])
    expect(object).toEqual(configMap({ a: '1' }))
  })

  test('makes the field that it is to replace, as a real server does', () => {
    expect(jsonPatch(configMap({}), [{ op: 'replace', path: '/data/a', value: '1' }])).toEqual(
      configMap({ a: '1' }),
    )
  })

  test.each([
    { op: 'remove', path: '/data/none' },
    { op: 'test', path: '/data/a', value: '2' },
    { op: 'add', path: '/none/a', value: '1' },
    { op: 'replace', path: '/data/list/7', value: '1' },
    { op: 'dance', path: '/data/a' },
    { op: 'add', path: 'data' },
    { op: 'replace', path: '', value: 'text' },
  ])('that cannot be carried out is refused: %j', (operation) => {
    const refused = expect(() => jsonPatch(configMap({ a: '1', list: [] }), [operation]))
    refused.toThrow(
      expect.objectContaining({
        code: 422,
        reason: 'Invalid',
        message: 'the server rejected our request due to an error in our request',
      }),
    )
  })

  test.each([
    [
      { op: 'add' },
      'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
    ],
    [[1], 'error decoding patch: json: cannot unmarshal number into Go value of type handlers.jsonPatchOp'],
  ])('is a list of operations: %j', (patch, message) => {
    expect(() => jsonPatch(configMap({}), patch)).toThrow(expect.objectContaining({ code: 400, message }))
  })
})

/** RFC 7386, section 2, word by word. */
function mergePatchOfRfc(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const isMap = typeof target === 'object' && target !== null && !Array.isArray(target)
  const result: Record<string, unknown> = isMap ? { ...target } : {}
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name]
    else result[name] = mergePatchOfRfc(result[name], value)
  }
  return result
}

describe('a merge patch', () => {
  const json = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 3 }, fc.constantFrom(null, 1, 'x', [1]), tie('object')),
    object: fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { noNullPrototype: true }),
  })).object

  test('is merged as RFC 7386 says', () => {
    fc.assert(
      fc.property(json, json, (data, patch) => {
        const object = configMap(data)
        expect(mergePatch(object, { data: patch })).toEqual(mergePatchOfRfc(object, { data: patch }))
      }),
    )
  })

  test('is an object', () => {
    expect(() => mergePatch(configMap({}), ['a'])).toThrow(ApiFailure)
    expect(() => mergePatch(configMap({}), 'a')).toThrow(
      'error decoding patch: json: cannot unmarshal string into Go value of type map[string]interface {}',
    )
  })
})
