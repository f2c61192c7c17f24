import { beforeAll, expect, test } from 'vitest'
import { at, names, text, uidOf, versionOf } from './support/json.ts'
import { client, expectRefusal, status, useNamespace } from './support/suite.ts'

const space = useNamespace()
const maps = () => space.path('configmaps')
const listed = (query: string) => client.get(`${maps()}?${query}`)

const labelled = {
  one: { tier: 'web', env: 'prod' },
  two: { tier: 'web', env: 'test' },
  three: { tier: 'db', env: 'prod' },
  four: { env: 'prod' },
}

beforeAll(async () => {
  for (const [name, labels] of Object.entries(labelled)) {
    await client.create(maps(), { metadata: { name, labels: { ...labels, suite: 'lists' } } })
  }
})

test('a list is ordered by name and tells its version', async () => {
  const found = await listed('labelSelector=suite%3Dlists')
  expect(found).toMatchObject({ kind: 'ConfigMapList', apiVersion: 'v1' })
  expect(names(found)).toEqual(['four', 'one', 'three', 'two'])
  expect(Number(versionOf(found))).toBeGreaterThan(0)
  expect(at(found, 'items', 0, 'kind')).toBeUndefined()
})

test.each([
  ['tier=web', ['one', 'two']],
  ['tier==web', ['one', 'two']],
  ['tier!=web', ['four', 'three']],
  ['tier in (web,db)', ['one', 'three', 'two']],
  ['tier notin (web)', ['four', 'three']],
  ['tier', ['one', 'three', 'two']],
  ['!tier', ['four']],
  ['tier=web,env=prod', ['one']],
  ['tier in (web),env!=prod', ['two']],
])('labels: %s', async (selector, expected) => {
  const query = `labelSelector=${encodeURIComponent(`suite=lists,${selector}`)}`
  expect(names(await listed(query))).toEqual(expected)
})

test.each([
  ['metadata.name=one', ['one']],
  ['metadata.name!=one', ['four', 'three', 'two']],
  ['metadata.name=nobody', []],
])('fields: %s', async (selector, expected) => {
  const query = `labelSelector=suite%3Dlists&fieldSelector=${encodeURIComponent(selector)}`
  expect(names(await listed(query))).toEqual(expected)
})

test('a namespace can be a field', async () => {
  const query = `fieldSelector=${encodeURIComponent(`metadata.namespace=${space.name}`)}&labelSelector=suite%3Dlists`
  expect(names(await client.get(`/api/v1/configmaps?${query}`))).toEqual(['four', 'one', 'three', 'two'])
})

test('pods are found by phase and node', async () => {
  const spec = {
    nodeName: 'contract-nowhere',
    containers: [{ name: 'main', image: 'a' }],
    terminationGracePeriodSeconds: 0,
  }
  await client.create(space.path('pods'), { metadata: { name: 'lost' }, spec })
  const found = async (selector: string) =>
    names(await client.get(`${space.path('pods')}?fieldSelector=${encodeURIComponent(selector)}`))
  expect(await found('spec.nodeName=contract-nowhere,status.phase=Pending')).toEqual(['lost'])
  expect(await found('spec.nodeName=contract-nowhere,status.phase!=Pending')).toEqual([])
  expect(await found('status.phase=Running')).toEqual([])
})

test('a field that cannot select is a 400', async () => {
  expectRefusal(
    await client.ask(`${maps()}?fieldSelector=data.a%3Db`),
    status(
      400,
      'BadRequest',
      '"data.a" is not a known field selector: only "metadata.name", "metadata.namespace"',
    ),
  )
})

test('a list comes in pages', async () => {
  const first = await listed('labelSelector=suite%3Dlists&limit=3')
  expect(names(first)).toHaveLength(3)
  const token = text(first, 'metadata', 'continue')
  const second = await listed(`labelSelector=suite%3Dlists&limit=3&continue=${encodeURIComponent(token)}`)
  expect([...names(first), ...names(second)]).toEqual(['four', 'one', 'three', 'two'])
  expect(second.metadata.continue).toBeFalsy()
  expect(versionOf(second)).toBe(versionOf(first))
})

test('a page tells how many are left, where nothing is selected', async () => {
  const path = space.path('secrets')
  const before = names(await client.get(path)).length
  for (const name of ['a', 'b', 'c']) await client.create(path, { metadata: { name } })
  const page = await client.get(`${path}?limit=1`)
  expect(page.metadata.remainingItemCount).toBe(before + 2)
})

test('pages hold together whatever is written between them', async () => {
  const path = space.path('serviceaccounts')
  for (const name of ['m1', 'm2', 'm3', 'm4'])
    await client.create(path, { metadata: { name, labels: { pages: 'yes' } } })
  const all = uidsOf(await client.get(`${path}`))
  const first = await client.get(`${path}?limit=2`)
  await client.delete(`${path}/m4`)
  await client.create(path, { metadata: { name: 'm5' } })
  await client.patch(`${path}/m3`, 'merge', { metadata: { labels: { pages: 'changed' } } })
  const rest = await client.get(`${path}?continue=${encodeURIComponent(text(first, 'metadata', 'continue'))}`)
  expect([...uidsOf(first), ...uidsOf(rest)]).toEqual(all)
  expect(JSON.stringify(rest)).not.toContain('changed')
  expect(versionOf(rest)).toBe(versionOf(first))
})

test('a continue that is none is a 400', async () => {
  expectRefusal(
    await client.ask(`${maps()}?limit=1&continue=nonsense`),
    status(400, 'BadRequest', expect.stringMatching(/^invalid continue token: continue key is not valid/)),
  )
})

test('a list can ask for a state at least as new as a version', async () => {
  const made = await client.create(maps(), { metadata: { name: 'late' } })
  expect(names(await listed(`resourceVersion=${versionOf(made)}`))).toContain('late')
  expect(names(await listed('resourceVersion=0'))).toContain('one')
})

test('a list can be of exactly one version', async () => {
  const made = await client.create(maps(), { metadata: { name: 'exact' } })
  await client.delete(`${maps()}/exact`)
  const then = await listed(`resourceVersion=${versionOf(made)}&resourceVersionMatch=Exact`)
  expect(names(then)).toContain('exact')
  expect(versionOf(then)).toBe(versionOf(made))
  expect(names(await listed(''))).not.toContain('exact')
})

test('a collection is deleted by selector', async () => {
  for (const name of ['d1', 'd2']) {
    await client.create(maps(), { metadata: { name, labels: { doomed: 'yes' } } })
  }
  await client.delete(`${maps()}?labelSelector=doomed%3Dyes`)
  const left = names(await listed(''))
  expect(left).not.toContain('d1')
  expect(left).toContain('one')
})

function uidsOf(list: unknown): string[] {
  const items = at(list, 'items')
  return Array.isArray(items) ? items.map(uidOf) : []
}
