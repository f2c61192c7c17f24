import { expect, test } from 'vitest'
import { nameOf, uidOf, versionOf } from './support/json.ts'
import { client, expectRefusal, status, useNamespace } from './support/suite.ts'

const space = useNamespace()
const maps = () => space.path('configmaps')
const map = (name: string, data?: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  ...(data === undefined ? {} : { data }),
})

test('a created object has what the server adds, and comes back with 201', async () => {
  const { code, body } = await client.ask(maps(), { method: 'POST', body: map('made', { a: '1' }) })
  expect(code).toBe(201)
  expect(body).toEqual({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: 'made',
      namespace: space.name,
      uid: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      resourceVersion: expect.stringMatching(/^\d+$/),
      creationTimestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      managedFields: expect.any(Array),
    },
    data: { a: '1' },
  })
  expect(await client.get(`${maps()}/made`)).toEqual(body)
})

test('what the server sets cannot be chosen', async () => {
  const metadata = { name: 'chosen', uid: 'mine', creationTimestamp: '2001-01-01T00:00:00Z' }
  const made = await client.create(maps(), { ...map('chosen'), metadata })
  expect(uidOf(made)).not.toBe('mine')
  expect(made.metadata.creationTimestamp).not.toBe('2001-01-01T00:00:00Z')
})

test('generateName adds five characters, each time others', async () => {
  const body = { metadata: { generateName: 'made-' } }
  const first = await client.create(maps(), body)
  const second = await client.create(maps(), body)
  expect(nameOf(first)).toMatch(/^made-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
  expect(first.metadata.generateName).toBe('made-')
  expect(nameOf(second)).not.toBe(nameOf(first))
})

test('a name is taken once', async () => {
  await client.create(maps(), map('taken'))
  expectRefusal(
    await client.ask(maps(), { method: 'POST', body: map('taken') }),
    status(409, 'AlreadyExists', 'configmaps "taken" already exists', { name: 'taken', kind: 'configmaps' }),
  )
})

test('what is not there is a 404, for every verb', async () => {
  const expected = status(404, 'NotFound', 'configmaps "nobody" not found', {
    name: 'nobody',
    kind: 'configmaps',
  })
  expectRefusal(await client.ask(`${maps()}/nobody`), expected)
  expectRefusal(await client.ask(`${maps()}/nobody`, { method: 'DELETE' }), expected)
  expectRefusal(
    await client.ask(`${maps()}/nobody`, {
      method: 'PUT',
      body: { ...map('nobody'), metadata: { name: 'nobody', resourceVersion: '1' } },
    }),
    expected,
  )
  const type = 'application/merge-patch+json'
  expectRefusal(await client.ask(`${maps()}/nobody`, { method: 'PATCH', type, body: {} }), expected)
})

test('a group is named in messages and details', async () => {
  expectRefusal(
    await client.ask(`${space.path('deployments', 'apps/v1')}/nobody`),
    status(404, 'NotFound', 'deployments.apps "nobody" not found', {
      name: 'nobody',
      group: 'apps',
      kind: 'deployments',
    }),
  )
})

test('an update replaces all but what the server sets', async () => {
  const made = await client.create(maps(), map('updated', { a: '1' }))
  const updated = await client.put(`${maps()}/updated`, map('updated', { b: '2' }))
  expect(updated.data).toEqual({ b: '2' })
  expect(uidOf(updated)).toBe(uidOf(made))
  expect(updated.metadata.creationTimestamp).toBe(made.metadata.creationTimestamp)
  expect(Number(versionOf(updated))).toBeGreaterThan(Number(versionOf(made)))
})

test('an update that changes nothing makes no new version', async () => {
  const made = await client.create(maps(), map('same', { a: '1' }))
  const updated = await client.put(`${maps()}/same`, made)
  expect(versionOf(updated)).toBe(versionOf(made))
})

test('an update of what is not there makes it, without a resourceVersion and where that is allowed', async () => {
  const path = space.path('leases', 'coordination.k8s.io/v1')
  const { code } = await client.ask(`${path}/put`, { method: 'PUT', body: { metadata: { name: 'put' } } })
  expect(code).toBe(201)
})

test('an update from an old version is a conflict', async () => {
  const made = await client.create(maps(), map('raced'))
  await client.put(`${maps()}/raced`, map('raced', { a: '1' }))
  expectRefusal(
    await client.ask(`${maps()}/raced`, { method: 'PUT', body: made }),
    status(
      409,
      'Conflict',
      'Operation cannot be fulfilled on configmaps "raced": the object has been modified; please apply your changes to the latest version and try again',
      { name: 'raced', kind: 'configmaps' },
    ),
  )
})

test('an update of another uid is a conflict', async () => {
  const made = await client.create(maps(), map('again'))
  const other = { ...made, metadata: { ...made.metadata, uid: 'other', resourceVersion: undefined } }
  expectRefusal(
    await client.ask(`${maps()}/again`, { method: 'PUT', body: other }),
    status(
      409,
      'Conflict',
      expect.stringMatching(
        `^Operation cannot be fulfilled on configmaps "again": .*Precondition failed: UID in precondition: other, UID in object meta: ${uidOf(made)}$`,
      ),
      { name: 'again', kind: 'configmaps' },
    ),
  )
})

test('a deletion answers with a Status that names what went', async () => {
  const made = await client.create(maps(), map('ended'))
  const { code, body } = await client.delete(`${maps()}/ended`)
  expect(code).toBe(200)
  expect(body).toEqual({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name: 'ended', kind: 'configmaps', uid: uidOf(made) },
  })
  expect((await client.ask(`${maps()}/ended`)).code).toBe(404)
})

test('a deletion can be bound to a uid and a version', async () => {
  const made = await client.create(maps(), map('bound'))
  const attempt = (preconditions: Record<string, string>) =>
    client.ask(`${maps()}/bound`, { method: 'DELETE', body: { preconditions } })
  expectRefusal(
    await attempt({ uid: 'other' }),
    status(
      409,
      'Conflict',
      `Operation cannot be fulfilled on ConfigMap "bound": the UID in the precondition (other) does not match the UID in record (${uidOf(made)}). The object might have been deleted and then recreated`,
      { name: 'bound', kind: 'ConfigMap' },
    ),
  )
  expectRefusal(
    await attempt({ resourceVersion: '1' }),
    status(
      409,
      'Conflict',
      `Operation cannot be fulfilled on ConfigMap "bound": the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (${versionOf(made)}). The object might have been modified`,
      { name: 'bound', kind: 'ConfigMap' },
    ),
  )
  expect((await attempt({ uid: uidOf(made), resourceVersion: versionOf(made) })).code).toBe(200)
})

test('a Secret takes text and gives it back as base64', async () => {
  const made = await client.create(space.path('secrets'), {
    metadata: { name: 's' },
    stringData: { a: 'hello' },
  })
  expect(made).toMatchObject({ data: { a: 'aGVsbG8=' }, type: 'Opaque' })
  expect(made.stringData).toBeUndefined()
})

test('an immutable ConfigMap stays as it is', async () => {
  await client.create(maps(), { ...map('fixed', { a: '1' }), immutable: true })
  const answer = await client.ask(`${maps()}/fixed`, {
    method: 'PUT',
    body: { ...map('fixed', { a: '2' }), immutable: true },
  })
  const message = 'Forbidden: field is immutable when `immutable` is set'
  expectRefusal(
    answer,
    status(422, 'Invalid', `ConfigMap "fixed" is invalid: data: ${message}`, {
      name: 'fixed',
      kind: 'ConfigMap',
      causes: [{ reason: 'FieldValueForbidden', message, field: 'data' }],
    }),
  )
})
