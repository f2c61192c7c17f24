import { expect, test } from 'vitest'
import { patchTypes } from './support/client.ts'
import { at, versionOf } from './support/json.ts'
import { client, expectRefusal, status, useNamespace } from './support/suite.ts'

const space = useNamespace()
const maps = () => space.path('configmaps')
const make = (name: string, data: Record<string, string>) =>
  client.create(maps(), { metadata: { name }, data })
const image = 'docker.io/kubesync-test/plain:1'

const deployment = async (name: string) => {
  const labels = { app: name }
  const containers = [
    {
      name: 'one',
      image,
      env: [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
      ],
      ports: [{ containerPort: 80 }],
    },
    { name: 'two', image },
  ]
  const spec = {
    replicas: 0,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers } },
  }
  await client.create(space.path('deployments', 'apps/v1'), { metadata: { name }, spec })
  return `${space.path('deployments', 'apps/v1')}/${name}`
}
const pod = (containersEtc: object) => ({ spec: { template: { spec: containersEtc } } })
const containers = (found: unknown) => at(found, 'spec', 'template', 'spec', 'containers')

test('a JSON patch does its operations in order', async () => {
  await make('json', { a: '1', b: '2' })
  const patched = await client.patch(`${maps()}/json`, 'json', [
    { op: 'test', path: '/data/a', value: '1' },
    { op: 'replace', path: '/data/a', value: '3' },
    { op: 'move', from: '/data/b', path: '/data/c' },
    { op: 'copy', from: '/data/c', path: '/data/d' },
    { op: 'add', path: '/metadata/labels', value: { 'with/slash': 'x' } },
    { op: 'remove', path: '/metadata/labels/with~1slash' },
  ])
  expect(patched.data).toEqual({ a: '3', c: '2', d: '2' })
  expect(patched.metadata.labels).toBeUndefined()
})

test('a JSON patch whose test fails changes nothing and is a 422', async () => {
  await make('tested', { a: '1' })
  const body = [
    { op: 'replace', path: '/data/a', value: '2' },
    { op: 'test', path: '/data/a', value: '1' },
  ]
  const answer = await client.ask(`${maps()}/tested`, { method: 'PATCH', type: patchTypes.json, body })
  expectRefusal(
    answer,
    status(422, 'Invalid', 'the server rejected our request due to an error in our request', {}),
  )
  expect((await client.get(`${maps()}/tested`)).data).toEqual({ a: '1' })
})

test.each([
  ['of something that is not there', [{ op: 'remove', path: '/data/none' }], 422, 'Invalid'],
  ['that is no list', { op: 'remove' }, 400, 'BadRequest'],
])('a JSON patch %s is refused', async (what, body, code, reason) => {
  const name = `refused-${what.length}`
  await make(name, {})
  const answer = await client.ask(`${maps()}/${name}`, { method: 'PATCH', type: patchTypes.json, body })
  expect(answer).toMatchObject({ code, body: { reason, status: 'Failure' } })
})

test('a merge patch sets, removes with null, and replaces lists', async () => {
  await make('merge', { a: '1', b: '2' })
  const finalizers = ['example.com/one', 'example.com/two']
  const path = `${maps()}/merge`
  await client.patch(path, 'merge', { metadata: { finalizers } })
  const patched = await client.patch(path, 'merge', {
    metadata: { finalizers: ['example.com/two'] },
    data: { a: null, c: '3' },
  })
  expect(patched.data).toEqual({ b: '2', c: '3' })
  expect(patched.metadata.finalizers).toEqual(['example.com/two'])
  await client.patch(path, 'merge', { metadata: { finalizers: null } })
})

test('a patch that changes nothing makes no new version', async () => {
  const made = await make('calm', { a: '1' })
  const patched = await client.patch(`${maps()}/calm`, 'merge', { data: { a: '1' } })
  expect(versionOf(patched)).toBe(versionOf(made))
})

test('a patch can be bound to a version', async () => {
  const made = await make('bound', {})
  await client.patch(`${maps()}/bound`, 'merge', { data: { a: '1' } })
  const body = { metadata: { resourceVersion: versionOf(made) }, data: { a: '2' } }
  const answer = await client.ask(`${maps()}/bound`, { method: 'PATCH', type: patchTypes.merge, body })
  expectRefusal(
    answer,
    status(
      409,
      'Conflict',
      'Operation cannot be fulfilled on configmaps "bound": the object has been modified; please apply your changes to the latest version and try again',
      { name: 'bound', kind: 'configmaps' },
    ),
  )
})

test('a patch may not change the name', async () => {
  await make('named', {})
  const body = { metadata: { name: 'other' } }
  const answer = await client.ask(`${maps()}/named`, { method: 'PATCH', type: patchTypes.merge, body })
  expectRefusal(
    answer,
    status(400, 'BadRequest', 'the name of the object (other) does not match the name on the URL (named)'),
  )
})

test('a strategic patch merges lists by their key', async () => {
  const path = await deployment('strategic')
  const patched = await client.patch(
    path,
    'strategic',
    pod({ containers: [{ name: 'one', env: [{ name: 'B', value: '3' }] }] }),
  )
  expect(containers(patched)).toMatchObject([
    {
      name: 'one',
      image,
      env: [
        { name: 'A', value: '1' },
        { name: 'B', value: '3' },
      ],
    },
    { name: 'two', image },
  ])
  expect(patched.metadata.generation).toBe(2)
})

test('a strategic patch removes an item with $patch: delete', async () => {
  const path = await deployment('removal')
  const patched = await client.patch(
    path,
    'strategic',
    pod({ containers: [{ name: 'two', $patch: 'delete' }] }),
  )
  expect(containers(patched)).toMatchObject([{ name: 'one' }])
  expect(containers(patched)).toHaveLength(1)
})

test('a strategic patch replaces a whole list with $patch: replace', async () => {
  const path = await deployment('whole')
  const patched = await client.patch(
    path,
    'strategic',
    pod({ containers: [{ name: 'three', image }, { $patch: 'replace' }] }),
  )
  expect(containers(patched)).toMatchObject([{ name: 'three' }])
  expect(containers(patched)).toHaveLength(1)
})

test('a strategic patch orders a list with $setElementOrder', async () => {
  const path = await deployment('order')
  const patched = await client.patch(
    path,
    'strategic',
    pod({
      '$setElementOrder/containers': [{ name: 'three' }, { name: 'two' }, { name: 'one' }],
      containers: [{ name: 'three', image }],
    }),
  )
  expect(containers(patched)).toMatchObject([{ name: 'three' }, { name: 'two' }, { name: 'one' }])
})

test('a strategic patch keeps only some keys with $retainKeys', async () => {
  const path = await deployment('retain')
  const patched = await client.patch(path, 'strategic', {
    spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } },
  })
  expect(at(patched, 'spec', 'strategy')).toEqual({ type: 'Recreate' })
})

test('a strategic patch removes a primitive with $deleteFromPrimitiveList', async () => {
  await client.create(maps(), { metadata: { name: 'held', finalizers: ['example.com/a', 'example.com/b'] } })
  const path = `${maps()}/held`
  const patched = await client.patch(path, 'strategic', {
    metadata: { '$deleteFromPrimitiveList/finalizers': ['example.com/a'] },
  })
  expect(patched.metadata.finalizers).toEqual(['example.com/b'])
  await client.patch(path, 'merge', { metadata: { finalizers: null } })
})
