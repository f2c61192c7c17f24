import { expect, test } from 'vitest'
import { patchTypes } from './support/client.ts'
import { at, type Fields, ownershipOf, text, versionOf } from './support/json.ts'
import { client, expectRefusal, status, useNamespace } from './support/suite.ts'

const space = useNamespace()
const map = (name: string, data: Fields) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
})
const mapPath = (name: string) => `${space.path('configmaps')}/${name}`
const applyMap = (name: string, manager: string, data: Fields) =>
  client.apply(mapPath(name), manager, map(name, data))
const tryMap = (name: string, query: string, data: Fields) =>
  client.ask(`${mapPath(name)}?${query}`, { method: 'PATCH', type: patchTypes.apply, body: map(name, data) })

test('an apply makes what is not there, and its manager owns what it said', async () => {
  const { code, body } = await tryMap('made', 'fieldManager=one', { a: '1' })
  expect(code).toBe(201)
  expect(at(body, 'metadata', 'managedFields')).toEqual([
    {
      manager: 'one',
      operation: 'Apply',
      apiVersion: 'v1',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:data': { 'f:a': {} } },
    },
  ])
})

test('the same apply again changes nothing', async () => {
  const made = await applyMap('same', 'one', { a: '1' })
  const { code, body } = await tryMap('same', 'fieldManager=one', { a: '1' })
  expect(code).toBe(200)
  expect(versionOf(body)).toBe(versionOf(made))
})

test('what a manager no longer says goes, if nobody else owns it', async () => {
  await applyMap('less', 'one', { a: '1', b: '2', c: '3' })
  await applyMap('less', 'two', { b: '2' })
  const after = await applyMap('less', 'one', { a: '1' })
  expect(after.data).toEqual({ a: '1', b: '2' })
  expect(ownershipOf(after)).toEqual({
    'one Apply': { 'f:data': { 'f:a': {} } },
    'two Apply': { 'f:data': { 'f:b': {} } },
  })
})

test('two managers that say the same share a field', async () => {
  await applyMap('shared', 'one', { a: '1' })
  const after = await applyMap('shared', 'two', { a: '1' })
  expect(ownershipOf(after)).toEqual({
    'one Apply': { 'f:data': { 'f:a': {} } },
    'two Apply': { 'f:data': { 'f:a': {} } },
  })
})

test('a manager that leaves takes along only what is its own', async () => {
  await applyMap('left', 'one', { a: '1' })
  await applyMap('left', 'two', { b: '2' })
  const after = await applyMap('left', 'one', {})
  expect(after.data).toEqual({ b: '2' })
  expect(Object.keys(ownershipOf(after))).not.toContain('two Update')
})

test('another value for a field of another manager is a conflict that names both', async () => {
  await applyMap('fought', 'one', { a: '1', b: '2' })
  const one = await tryMap('fought', 'fieldManager=two', { a: '2' })
  expectRefusal(
    one,
    status(409, 'Conflict', 'Apply failed with 1 conflict: conflict with "one": .data.a', {
      causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.data.a' }],
    }),
  )
  const both = await tryMap('fought', 'fieldManager=two', { a: '2', b: '3' })
  expectRefusal(
    both,
    status(409, 'Conflict', 'Apply failed with 2 conflicts: conflicts with "one":\n- .data.a\n- .data.b', {
      causes: [
        { reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.data.a' },
        { reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.data.b' },
      ],
    }),
  )
  expect((await client.get(mapPath('fought'))).data).toEqual({ a: '1', b: '2' })
})

test('conflicts with several managers are told manager by manager', async () => {
  await applyMap('crowd', 'one', { a: '1' })
  await applyMap('crowd', 'two', { b: '1' })
  const { body } = await tryMap('crowd', 'fieldManager=three', { a: '2', b: '2' })
  expect(text(body, 'message')).toBe(
    'Apply failed with 2 conflicts: conflicts with "one":\n- .data.a\nconflicts with "two":\n- .data.b',
  )
})

test('a conflict with an update tells its version', async () => {
  await client.create(`${space.path('configmaps')}?fieldManager=writer`, map('written', { a: '1' }))
  const { body } = await tryMap('written', 'fieldManager=one', { a: '2' })
  expect(text(body, 'message')).toMatch(
    /^Apply failed with 1 conflict: conflict with "writer" using v1: \.data\.a$/,
  )
  expect(at(body, 'details', 'causes', 0)).toEqual({
    reason: 'FieldManagerConflict',
    message: 'conflict with "writer" using v1',
    field: '.data.a',
  })
})

test('force takes a field over', async () => {
  await applyMap('forced', 'one', { a: '1', b: '2' })
  const { code, body } = await tryMap('forced', 'fieldManager=two&force=true', { a: '2' })
  expect(code).toBe(200)
  expect(at(body, 'data')).toEqual({ a: '2', b: '2' })
  expect(ownershipOf(body)).toEqual({
    'one Apply': { 'f:data': { 'f:b': {} } },
    'two Apply': { 'f:data': { 'f:a': {} } },
  })
})

test('an update takes over what it changes', async () => {
  await applyMap('edited', 'one', { a: '1', b: '2' })
  const after = await client.patch(`${mapPath('edited')}?fieldManager=editor`, 'merge', { data: { a: '2' } })
  expect(ownershipOf(after)).toEqual({
    'one Apply': { 'f:data': { 'f:b': {} } },
    'editor Update': { 'f:data': { 'f:a': {} } },
  })
})

test('a creation owns all it said, as an Update', async () => {
  const body = { ...map('owned', { a: '1' }), metadata: { name: 'owned', labels: { x: 'y' } } }
  const made = await client.create(`${space.path('configmaps')}?fieldManager=maker`, body)
  expect(ownershipOf(made)).toEqual({
    'maker Update': {
      'f:data': { '.': {}, 'f:a': {} },
      'f:metadata': { 'f:labels': { '.': {}, 'f:x': {} } },
    },
  })
})

test('without a fieldManager an update is recorded under the program’s name', async () => {
  const headers = { 'user-agent': 'tester/v1.2 (linux)' }
  const { body } = await client.ask(space.path('configmaps'), {
    method: 'POST',
    headers,
    body: map('agent', { a: '1' }),
  })
  expect(Object.keys(ownershipOf(body))).toEqual(['tester Update'])
})

test('managedFields can be emptied', async () => {
  await applyMap('emptied', 'one', { a: '1' })
  const after = await client.patch(mapPath('emptied'), 'merge', { metadata: { managedFields: [{}] } })
  expect(after.metadata.managedFields).toBeUndefined()
})

test('an apply needs a fieldManager', async () => {
  const answer = await tryMap('nobody', 'force=false', { a: '1' })
  expectRefusal(
    answer,
    status(
      422,
      'Invalid',
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
      {
        group: 'meta.k8s.io',
        kind: 'PatchOptions',
        causes: [
          {
            reason: 'FieldValueRequired',
            message: 'Required value: is required for apply patch',
            field: 'fieldManager',
          },
        ],
      },
    ),
  )
})

test('an apply must not bring managedFields', async () => {
  const body = { ...map('brought', {}), metadata: { name: 'brought', managedFields: [{}] } }
  const answer = await client.ask(`${mapPath('brought')}?fieldManager=one`, {
    method: 'PATCH',
    type: patchTypes.apply,
    body,
  })
  expectRefusal(answer, status(400, 'BadRequest', 'metadata.managedFields must be nil'))
})

test('an apply says its apiVersion and kind', async () => {
  const body = { metadata: { name: 'untyped' } }
  const answer = await client.ask(`${mapPath('untyped')}?fieldManager=one`, {
    method: 'PATCH',
    type: patchTypes.apply,
    body,
  })
  expect(answer).toMatchObject({ code: 400, body: { reason: 'BadRequest' } })
})
