import { describe, expect, test } from 'vitest'
import { readSchemas, schemasOfKind, shapeOf } from './schema.ts'

const pod = {
  type: 'object',
  properties: {
    spec: { allOf: [{ $ref: '#/components/schemas/PodSpec' }], default: {} },
    metadata: { type: 'object', additionalProperties: { type: 'string' } },
  },
  'x-kubernetes-group-version-kind': [{ group: '', version: 'v1', kind: 'Pod' }],
}
const schemas = readSchemas({
  components: {
    schemas: {
      Pod: pod,
      PodSpec: {
        properties: {
          containers: {
            type: 'array',
            items: { allOf: [{ $ref: '#/components/schemas/Container' }] },
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['name'],
          },
          old: {
            type: 'array',
            items: { type: 'object' },
            'x-kubernetes-patch-strategy': 'merge,retainKeys',
            'x-kubernetes-patch-merge-key': 'name',
          },
          names: { type: 'array', items: { type: 'string' }, 'x-kubernetes-patch-strategy': 'merge' },
          selector: { $ref: '#/components/schemas/Selector' },
          args: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'atomic' },
        },
      },
      Container: {
        properties: {
          ports: {
            type: 'array',
            items: { $ref: '#/components/schemas/Port' },
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['containerPort', 'protocol'],
          },
        },
      },
      Port: {
        properties: { containerPort: { type: 'integer' }, protocol: { type: 'string', default: 'TCP' } },
      },
      Selector: { type: 'object', 'x-kubernetes-map-type': 'atomic' },
      Loop: {
        $ref: '#/components/schemas/Loop',
        'x-kubernetes-group-version-kind': [{ group: 'a', version: 'v1', kind: 'Loop' }],
      },
    },
  },
})

describe('how a kind is compared', () => {
  const spec = shapeOf(schemas, 'v1', 'Pod')?.field('spec')

  test('lists by their keys, through references, with defaults', () => {
    expect(spec?.field('containers').list).toEqual({ by: 'keys', keys: ['name'], defaults: {} })
    expect(spec?.field('containers').item().field('ports').list).toEqual({
      by: 'keys',
      keys: ['containerPort', 'protocol'],
      defaults: { protocol: 'TCP' },
    })
  })

  test('by the patch strategy where that is all there is', () => {
    expect(spec?.field('old').list).toEqual({ by: 'keys', keys: ['name'], defaults: {} })
    expect(spec?.field('names').list).toEqual({ by: 'value' })
  })

  test('as one thing what the schema calls atomic, or does not know', () => {
    expect(spec?.field('selector').isAtomic).toBe(true)
    expect(spec?.field('args').list).toEqual({ by: 'none' })
    expect(spec?.field('nope').field('deeper').list).toEqual({ by: 'none' })
  })

  test('the same from an OpenAPI v2 document', () => {
    const old = readSchemas({
      definitions: {
        Pod: { ...pod, properties: { spec: { $ref: '#/definitions/S' } } },
        S: schemas.Selector,
      },
    })
    expect(shapeOf(old, 'v1', 'Pod')?.field('spec').isAtomic).toBe(true)
  })

  test('an unknown kind has no shape, and a circle of references no end', () => {
    expect(shapeOf(schemas, 'apps/v1', 'Pod')).toBeUndefined()
    expect(shapeOf(schemas, 'a/v1', 'Loop')?.field('x').list).toEqual({ by: 'none' })
  })

  test('what is no OpenAPI document is refused', () => {
    expect(() => readSchemas({ components: 1 })).toThrow()
  })
})

test('what a kind refers to is enough to compare it', () => {
  const few = schemasOfKind(schemas, 'v1', 'Pod')
  expect(Object.keys(few).sort()).toEqual(['Container', 'Pod', 'PodSpec', 'Port', 'Selector'])
  const ports = shapeOf(few, 'v1', 'Pod')?.field('spec').field('containers').item().field('ports')
  expect(ports?.list).toMatchObject({ keys: ['containerPort', 'protocol'], defaults: { protocol: 'TCP' } })
})
