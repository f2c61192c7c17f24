import { describe, expect, test } from 'vitest'
import { type Shape, unknownShape } from '../diff/shape.ts'
import type { JsonMap } from '../value.ts'
import { complete } from './complete.ts'

/** `env` is a list of named items, in which `from` is one thing, as `fieldRef` is to Kubernetes. */
const item: Shape = {
  ...unknownShape,
  field: (name) => (name === 'from' ? { ...unknownShape, isAtomic: true } : unknownShape),
}
const env: Shape = {
  ...unknownShape,
  list: { by: 'keys', keys: ['name'], defaults: {} },
  item: () => item,
}
const shape: Shape = { ...unknownShape, field: (name) => (name === 'env' ? env : unknownShape) }
const step = (name: string) => ({ by: 'keys' as const, keys: { name } })

const live: JsonMap = {
  env: [
    { name: 'node', from: { version: 'v1', path: 'spec.nodeName' } },
    { name: 'more', value: 'x', extra: 'of the server' },
  ],
  rules: [{ port: 80, protocol: 'TCP' }],
}

describe('what is applied', () => {
  test('has what the server filled in, in values that are one thing to it', () => {
    const object = { env: [{ name: 'node', from: { path: 'spec.nodeName' } }], rules: [{ port: 80 }] }
    expect(complete(object, { live, shape }, [])).toEqual({
      env: [{ name: 'node', from: { version: 'v1', path: 'spec.nodeName' } }],
      rules: [{ port: 80, protocol: 'TCP' }],
    })
  })

  test('has nothing else of the server’s, and nothing of what is to be another', () => {
    const object = {
      env: [
        { name: 'node', from: { path: 'spec.podName' } },
        { name: 'more', value: 'x' },
      ],
      rules: [{ port: 80 }, { port: 81 }],
    }
    expect(complete(object, { live, shape }, [])).toEqual(object)
    expect(complete(object, { live: undefined, shape }, [])).toEqual(object)
  })

  test.each([
    ['the value itself', ['env', step('node'), 'from']],
    ['something in it', ['env', step('node'), 'from', 'version']],
    ['what it is in', ['env']],
  ])('leaves out what is to go: %s', (_, path) => {
    const object = { env: [{ name: 'node', from: { path: 'spec.nodeName' } }] }
    expect(complete(object, { live, shape }, [path])).toEqual(object)
  })
})
