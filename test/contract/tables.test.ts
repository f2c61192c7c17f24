import { beforeAll, expect, test } from 'vitest'
import { at, list, text } from './support/json.ts'
import { client, useNamespace } from './support/suite.ts'

const space = useNamespace()
const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'
const table = async (path: string) => (await client.ask(path, { headers: { accept } })).body
const columns = (found: unknown) => list(found, 'columnDefinitions').map((one) => text(one, 'name'))

beforeAll(async () => {
  await client.create(space.path('configmaps'), {
    metadata: { name: 'a', labels: { suite: 'tables' } },
    data: { x: '', y: '' },
  })
})

test('a list as a table has columns, a row an item, and each object’s metadata', async () => {
  const found = await table(`${space.path('configmaps')}?labelSelector=suite%3Dtables`)
  expect(found).toMatchObject({
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion: expect.any(String) },
  })
  expect(columns(found)).toEqual(['Name', 'Data', 'Age'])
  expect(at(found, 'columnDefinitions', 0)).toMatchObject({ type: 'string', format: 'name', priority: 0 })
  expect(list(found, 'rows')).toHaveLength(1)
  expect(at(found, 'rows', 0, 'cells')).toEqual(['a', 2, expect.stringMatching(/^\d+[smh]/)])
  expect(at(found, 'rows', 0, 'object')).toMatchObject({
    kind: 'PartialObjectMetadata',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { name: 'a', labels: { suite: 'tables' } },
  })
})

test('one object as a table is one row', async () => {
  const found = await table(`${space.path('configmaps')}/a`)
  expect(at(found, 'rows', 0, 'cells', 0)).toBe('a')
  expect(list(found, 'rows')).toHaveLength(1)
})

test('includeObject chooses what a row carries', async () => {
  const path = `${space.path('configmaps')}/a?includeObject=`
  expect(at(await table(`${path}None`), 'rows', 0, 'object')).toBeNull()
  expect(at(await table(`${path}Object`), 'rows', 0, 'object', 'data')).toEqual({ x: '', y: '' })
})

test('an empty list is a table without rows', async () => {
  const found = await table(`${space.path('configmaps')}?labelSelector=suite%3Dnone`)
  expect(list(found, 'rows')).toEqual([])
})

test('what a table cannot be made of comes as it is', async () => {
  const { body } = await client.ask('/apis/apps/v1', { headers: { accept } })
  expect(body).toMatchObject({ kind: 'APIResourceList' })
})

test.each([
  [
    'pods',
    'v1',
    ['Name', 'Ready', 'Status', 'Restarts', 'Age', 'IP', 'Node', 'Nominated Node', 'Readiness Gates'],
  ],
  ['services', 'v1', ['Name', 'Type', 'Cluster-IP', 'External-IP', 'Port(s)', 'Age', 'Selector']],
  [
    'deployments',
    'apps/v1',
    ['Name', 'Ready', 'Up-to-date', 'Available', 'Age', 'Containers', 'Images', 'Selector'],
  ],
  [
    'replicasets',
    'apps/v1',
    ['Name', 'Desired', 'Current', 'Ready', 'Age', 'Containers', 'Images', 'Selector'],
  ],
  [
    'daemonsets',
    'apps/v1',
    [
      'Name',
      'Desired',
      'Current',
      'Ready',
      'Up-to-date',
      'Available',
      'Node Selector',
      'Age',
      'Containers',
      'Images',
      'Selector',
    ],
  ],
])('the columns of %s', async (plural, group, expected) => {
  expect(columns(await table(space.path(plural, group)))).toEqual(expected)
})
