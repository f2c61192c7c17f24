import { beforeAll, expect, test } from 'vitest'
import { at, versionOf } from './support/json.ts'
import { client, expectRefusal, status, useNamespace } from './support/suite.ts'

const space = useNamespace()
const path = () => `${space.path('deployments', 'apps/v1')}/app`
const labels = { app: 'app' }
const spec = {
  replicas: 0,
  paused: true,
  selector: { matchLabels: labels },
  template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'a' }] } },
}

beforeAll(async () => {
  await client.create(space.path('deployments', 'apps/v1'), {
    metadata: { name: 'app' },
    spec,
    status: { replicas: 7 },
  })
})

test('a status is not taken from a creation', async () => {
  expect(at(await client.get(path()), 'status', 'replicas')).toBeUndefined()
})

test('a status is written through its subresource, and only it', async () => {
  const conditions = [{ type: 'Example', status: 'True', reason: 'R', message: 'm' }]
  const before = await client.get(path())
  const written = await client.patch(`${path()}/status`, 'merge', {
    metadata: { labels: { from: 'status' } },
    spec: { paused: false },
    status: { conditions },
  })
  expect(at(written, 'status', 'conditions')).toEqual(
    expect.arrayContaining([expect.objectContaining(conditions[0])]),
  )
  expect(at(written, 'spec', 'paused')).toBe(true)
  expect(written.metadata.generation).toBe(before.metadata.generation)
  const after = await client.patch(path(), 'merge', { status: { conditions: [] } })
  expect(JSON.stringify(after.status)).toContain('Example')
})

test('a status’ writer is recorded with the subresource', async () => {
  await client.patch(`${path()}/status?fieldManager=teller`, 'merge', {
    status: { conditions: [{ type: 'Other', status: 'True', reason: 'R', message: 'm' }] },
  })
  const found = await client.get(path())
  const entries = at(found, 'metadata', 'managedFields')
  expect(entries).toContainEqual(expect.objectContaining({ manager: 'teller', operation: 'Update' }))
})

test('the generation counts changes of the spec, and of nothing else', async () => {
  const before = await client.get(path())
  const labelled = await client.patch(path(), 'merge', { metadata: { labels: { a: 'b' } } })
  expect(labelled.metadata.generation).toBe(before.metadata.generation)
  const changed = await client.patch(path(), 'merge', { spec: { minReadySeconds: 1 } })
  expect(changed.metadata.generation).toBe(Number(before.metadata.generation) + 1)
})

test('scale tells replicas and selector', async () => {
  expect(await client.get(`${path()}/scale`)).toEqual({
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: expect.objectContaining({ name: 'app', namespace: space.name, uid: expect.any(String) }),
    spec: {},
    status: { replicas: 0, selector: 'app=app' },
  })
})

test('scale changes replicas, by update and by patch', async () => {
  const scale = await client.get(`${path()}/scale`)
  const put = await client.put(`${path()}/scale`, { ...scale, spec: { replicas: 2 } })
  expect(put).toMatchObject({ kind: 'Scale', spec: { replicas: 2 } })
  expect(at(await client.get(path()), 'spec', 'replicas')).toBe(2)
  const patched = await client.patch(`${path()}/scale`, 'merge', { spec: { replicas: 0 } })
  expect(patched).toMatchObject({ kind: 'Scale', spec: {} })
  expect(at(await client.get(path()), 'spec', 'replicas')).toBe(0)
})

test('scale can conflict', async () => {
  const old = await client.get(`${path()}/scale`)
  await client.patch(path(), 'merge', { metadata: { labels: { moved: versionOf(old) } } })
  const answer = await client.ask(`${path()}/scale`, {
    method: 'PUT',
    body: { ...old, spec: { replicas: 1 } },
  })
  expectRefusal(
    answer,
    status(
      409,
      'Conflict',
      'Operation cannot be fulfilled on deployments.apps "app": the object has been modified; please apply your changes to the latest version and try again',
      { name: 'app', group: 'apps', kind: 'deployments' },
    ),
  )
})

test('a subresource that is none is a 404', async () => {
  const answer = await client.ask(`${path()}/nothing`)
  expectRefusal(answer, status(404, 'NotFound', 'the server could not find the requested resource', {}))
})
