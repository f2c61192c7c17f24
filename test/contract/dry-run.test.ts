import { expect, test } from 'vitest'
import { at, nameOf, uidOf, versionOf } from './support/json.ts'
import { client, useNamespace } from './support/suite.ts'

const space = useNamespace()
const maps = () => space.path('configmaps')
const make = (name: string) => client.create(maps(), { metadata: { name }, data: { a: '1' } })

test('a dry creation answers with the object, defaulted, and keeps nothing', async () => {
  const path = space.path('services')
  const body = { metadata: { name: 'dry' }, spec: { ports: [{ port: 80 }] } }
  const made = await client.create(`${path}?dryRun=All`, body)
  expect(uidOf(made)).toMatch(/-/)
  expect(made.metadata.resourceVersion).toBeUndefined()
  expect(at(made, 'spec', 'ports')).toEqual([{ port: 80, protocol: 'TCP', targetPort: 80 }])
  expect((await client.ask(`${path}/dry`)).code).toBe(404)
})

test('a dry creation is refused as a wet one', async () => {
  await make('taken')
  const body = { metadata: { name: 'taken' } }
  expect(await client.ask(`${maps()}?dryRun=All`, { method: 'POST', body })).toMatchObject({ code: 409 })
})

test('a dry update, patch, apply and deletion change nothing', async () => {
  const made = await make('still')
  const path = `${maps()}/still?dryRun=All`
  const updated = await client.put(path, { metadata: { name: 'still' }, data: { a: '2' } })
  expect(updated.data).toEqual({ a: '2' })
  const patched = await client.patch(path, 'merge', { data: { b: '2' } })
  expect(patched.data).toEqual({ a: '1', b: '2' })
  const applied = await client.patch(`${path}&fieldManager=dry`, 'apply', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'still' },
    data: { c: '3' },
  })
  expect(applied.data).toEqual({ a: '1', c: '3' })
  expect((await client.delete(path)).code).toBe(200)
  expect(await client.get(`${maps()}/still`)).toEqual(made)
  expect(versionOf(updated)).toBe(versionOf(made))
})

test('a dry creation can generate a name', async () => {
  const made = await client.create(`${maps()}?dryRun=All`, { metadata: { generateName: 'dry-' } })
  expect(nameOf(made)).toMatch(/^dry-.{5}$/)
})
