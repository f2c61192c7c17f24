import { describe, expect, test } from 'vitest'
import type { ItemStep } from '../diff/shape.ts'
import type { JsonMap } from '../value.ts'
import { handedOver, ownersOf } from './owners.ts'

const web: ItemStep = { by: 'keys', keys: { name: 'web' } }
const image = ['spec', 'containers', web, 'image'] as const
const inWeb = (fields: JsonMap) => ({ 'f:spec': { 'f:containers': { 'k:{"name":"web"}': fields } } })

function live(...entries: [manager: string, operation: string, fieldsV1: JsonMap][]): JsonMap {
  const managedFields = entries.map(([manager, operation, fieldsV1]) => ({ manager, operation, fieldsV1 }))
  return { apiVersion: 'v1', kind: 'Pod', metadata: { managedFields } }
}

const names = (object: JsonMap, path: readonly (string | ItemStep)[]) =>
  ownersOf(object, [path]).map(({ manager }) => manager)

describe('who owns a field', () => {
  test('is found through list keys, in what is around it, and in what it holds', () => {
    const object = live(
      ['field', 'Update', inWeb({ 'f:image': {} })],
      ['whole', 'Apply', { 'f:spec': {} }],
      ['other', 'Update', inWeb({ '.': {}, 'f:name': {} })],
    )
    expect(names(object, image)).toEqual(['field', 'whole'])
    expect(names(object, ['spec', 'containers', web])).toEqual(['field', 'whole', 'other'])
    expect(names(object, ['status'])).toEqual([])
  })
})

describe('a field that is handed over', () => {
  test('is ours alone afterwards, and nothing else changes hands', () => {
    const object = live(['kubectl-edit', 'Update', inWeb({ 'f:image': {}, 'f:name': {} })])
    expect(handedOver(object, [image])).toMatchObject([
      { manager: 'kubectl-edit', fieldsV1: inWeb({ 'f:name': {} }) },
      { manager: 'kubesync', operation: 'Apply', apiVersion: 'v1', fieldsV1: inWeb({ 'f:image': {} }) },
    ])
  })

  test('leaves no empty entry behind, which would own everything', () => {
    const object = live(
      ['kubectl-edit', 'Update', inWeb({ 'f:image': {} })],
      ['kubesync', 'Apply', { 'f:metadata': { 'f:labels': { 'f:a': {} } } }],
    )
    const [only, ...more] = handedOver(object, [image])
    expect(more).toEqual([])
    expect(only).toMatchObject({
      manager: 'kubesync',
      fieldsV1: { 'f:metadata': { 'f:labels': { 'f:a': {} } }, ...inWeb({ 'f:image': {} }) },
    })
  })
})
