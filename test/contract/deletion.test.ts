import { expect, test } from 'vitest'
import { differing } from './support/differences.ts'
import { at, type Fields, nameOf, type Thing, uidOf } from './support/json.ts'
import {
  client,
  expectRefusal,
  makeNamespace,
  needing,
  pathOf,
  status,
  useNamespace,
} from './support/suite.ts'
import { became, gone } from './support/watch.ts'

const space = useNamespace()
const maps = () => space.path('configmaps')
const make = (name: string, metadata: Fields = {}) =>
  client.create(maps(), { metadata: { name, ...metadata } })
const ownedBy = (owner: Thing, more: Fields = {}) => ({
  ownerReferences: [
    { apiVersion: 'v1', kind: 'ConfigMap', name: owner.metadata.name, uid: uidOf(owner), ...more },
  ],
})

test('a finalizer holds an object until it is taken off', async () => {
  await make('held', { finalizers: ['example.com/hold'] })
  const { code, body } = await client.delete(`${maps()}/held`)
  expect(code).toBe(200)
  expect(body).toMatchObject({
    kind: 'ConfigMap',
    metadata: {
      deletionTimestamp: expect.any(String),
      deletionGracePeriodSeconds: 0,
      finalizers: ['example.com/hold'],
    },
  })
  const stays = await client.patch(`${maps()}/held`, 'merge', { data: { still: 'editable' } })
  expect(stays.data).toEqual({ still: 'editable' })
  await client.patch(`${maps()}/held`, 'merge', { metadata: { finalizers: [] } })
  expect((await client.ask(`${maps()}/held`)).code).toBe(404)
})

test('while an object is being deleted no finalizer is added', async () => {
  await make('late', { finalizers: ['example.com/hold'] })
  await client.delete(`${maps()}/late`)
  const body = { metadata: { finalizers: ['example.com/hold', 'example.com/more'] } }
  const answer = await client.ask(`${maps()}/late`, {
    method: 'PATCH',
    type: 'application/merge-patch+json',
    body,
  })
  const message =
    'Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/more"}'
  expect(answer).toMatchObject({
    code: 422,
    body: {
      reason: 'Invalid',
      message: `ConfigMap "late" is invalid: metadata.finalizers: ${message}`,
      details: {
        name: 'late',
        kind: 'ConfigMap',
        causes: expect.arrayContaining([
          { reason: 'FieldValueForbidden', message, field: 'metadata.finalizers' },
        ]),
      },
    },
  })
  await client.patch(`${maps()}/late`, 'merge', { metadata: { finalizers: null } })
})

const controlled = needing('controllers')

controlled('dependents go after their owner, in the background', async () => {
  const owner = await make('owner-b')
  await make('dependent-b', ownedBy(owner))
  await client.delete(`${maps()}/owner-b`, { propagationPolicy: 'Background' })
  expect((await client.ask(`${maps()}/owner-b`)).code).toBe(404)
  await gone(client, { collection: maps(), name: 'dependent-b' })
})

controlled('an owner goes after its dependents, in the foreground', async () => {
  const owner = await make('owner-f')
  await make('dependent-f', {
    ...ownedBy(owner, { blockOwnerDeletion: true }),
    finalizers: ['example.com/hold'],
  })
  await client.delete(`${maps()}/owner-f`, { propagationPolicy: 'Foreground' })
  const waiting = await client.get(`${maps()}/owner-f`)
  expect(waiting.metadata).toMatchObject({
    deletionTimestamp: expect.any(String),
    finalizers: ['foregroundDeletion'],
  })
  const isDeleted = ({ metadata }: Thing) => metadata.deletionTimestamp !== undefined
  await became(client, { collection: maps(), name: 'dependent-f' }, isDeleted)
  expect((await client.ask(`${maps()}/owner-f`)).code).toBe(200)
  await client.patch(`${maps()}/dependent-f`, 'merge', { metadata: { finalizers: null } })
  await gone(client, { collection: maps(), name: 'owner-f' })
})

controlled('orphans stay, without their owner', async () => {
  const owner = await make('owner-o')
  await make('dependent-o', ownedBy(owner))
  await client.delete(`${maps()}/owner-o`, { propagationPolicy: 'Orphan' })
  await gone(client, { collection: maps(), name: 'owner-o' })
  const isOrphan = ({ metadata }: Thing) => metadata.ownerReferences === undefined
  expect(await became(client, { collection: maps(), name: 'dependent-o' }, isOrphan)).toBeDefined()
})

controlled('who has another owner left stays', async () => {
  const first = await make('first')
  const second = await make('second')
  const references = [...ownedBy(first).ownerReferences, ...ownedBy(second).ownerReferences]
  await make('of-two', { ownerReferences: references })
  await client.delete(`${maps()}/first`, { propagationPolicy: 'Background' })
  const hasOne = ({ metadata }: Thing) => at(metadata, 'ownerReferences', 1) === undefined
  const left = await became(client, { collection: maps(), name: 'of-two' }, hasOne)
  expect(at(left, 'metadata', 'ownerReferences', 0, 'name')).toBe('second')
})

test('a propagation policy that is none is refused', async () => {
  await make('refused')
  const answer = await client.ask(`${maps()}/refused`, {
    method: 'DELETE',
    body: { propagationPolicy: 'Some' },
  })
  expect(answer).toMatchObject({ code: 422, body: { reason: 'Invalid', details: { kind: 'DeleteOptions' } } })
})

test('a new namespace is active and carries its name as a label', async () => {
  const found = await client.create('/api/v1/namespaces?dryRun=All', {
    metadata: { generateName: 'contract-' },
  })
  expect(found).toMatchObject({
    metadata: differing.namespaceMetadata(nameOf(found)),
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  })
})

controlled('a namespace has its ServiceAccount and the authorities’ certificates', async () => {
  await became(client, { collection: space.path('serviceaccounts'), name: 'default' }, () => true)
  const roots = await became(client, { collection: maps(), name: 'kube-root-ca.crt' }, () => true)
  expect(at(roots, 'data', 'ca.crt')).toMatch(/^-----BEGIN CERTIFICATE-----/)
})

controlled('a namespace takes along what is in it, and waits for finalizers', async () => {
  const name = await makeNamespace()
  const inside = pathOf(name, 'configmaps', 'v1')
  const namespaces = { collection: '/api/v1/namespaces', name }
  await client.create(inside, { metadata: { name: 'held', finalizers: ['example.com/hold'] } })
  await client.create(inside, { metadata: { name: 'free' } })
  const { body } = await client.delete(`/api/v1/namespaces/${name}`)
  expect(body).toMatchObject({
    status: { phase: 'Terminating' },
    metadata: { deletionTimestamp: expect.any(String) },
  })
  expectRefusal(
    await client.ask(inside, { method: 'POST', body: { metadata: { name: 'late' } } }),
    status(
      403,
      'Forbidden',
      `configmaps "late" is forbidden: unable to create new content in namespace ${name} because it is being terminated`,
      {
        name: 'late',
        kind: 'configmaps',
        causes: [
          {
            reason: 'NamespaceTerminating',
            message: `namespace ${name} is being terminated`,
            field: 'metadata.namespace',
          },
        ],
      },
    ),
  )
  await gone(client, { collection: inside, name: 'free' })
  expect((await client.get(`/api/v1/namespaces/${name}`)).status).toMatchObject({ phase: 'Terminating' })
  await client.patch(`${inside}/held`, 'merge', { metadata: { finalizers: null } })
  await gone(client, namespaces)
})
