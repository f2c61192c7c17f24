import { expect, test } from 'vitest'
import { at, text, versionOf } from './support/json.ts'
import { client, needing, status, useNamespace } from './support/suite.ts'
import { told, watch } from './support/watch.ts'

const space = useNamespace()
const maps = () => space.path('configmaps')
const make = (name: string, labels = {}) => client.create(maps(), { metadata: { name, labels } })
const relabel = (name: string, labels: Record<string, string | null>) =>
  client.patch(`${maps()}/${name}`, 'merge', { metadata: { labels } })

test('all changes after a version come, in order, with the object as it became', async () => {
  const from = versionOf(await make('first'))
  const changed = await relabel('first', { a: '1' })
  await make('second')
  await client.delete(`${maps()}/first`)
  const events = await watch(client, `${maps()}?watch=true&resourceVersion=${from}`)
  const seen = await events.until(({ type }) => type === 'DELETED')
  events.close()
  expect(told(seen)).toEqual(['MODIFIED first', 'ADDED second', 'DELETED first'])
  expect(seen[0]?.object).toEqual(changed)
  const versions = seen.map(({ object }) => Number(versionOf(object)))
  expect(versions).toEqual([...versions].sort((a, b) => a - b))
  expect(seen[2]?.object.metadata.labels).toEqual({ a: '1' })
})

test('without a version what is there comes first, as ADDED', async () => {
  await make('there')
  const events = await watch(client, `${maps()}?watch=1&fieldSelector=metadata.name%3Dthere`)
  expect((await events.next()).type).toBe('ADDED')
  await relabel('there', { now: 'changed' })
  expect((await events.next()).type).toBe('MODIFIED')
  events.close()
})

test('what comes to fit a selector is ADDED, what no longer does is DELETED', async () => {
  const from = versionOf(await make('shy', { seen: 'no' }))
  const query = `watch=1&resourceVersion=${from}&labelSelector=seen%3Dyes`
  const events = await watch(client, `${maps()}?${query}`)
  await relabel('shy', { seen: 'yes' })
  await relabel('shy', { other: '1' })
  await relabel('shy', { seen: 'no' })
  const seen = await events.until(({ type }) => type === 'DELETED')
  events.close()
  expect(told(seen)).toEqual(['ADDED shy', 'MODIFIED shy', 'DELETED shy'])
  expect(seen[2]?.object.metadata.labels).toMatchObject({ seen: 'yes', other: '1' })
})

test('a watch ends after timeoutSeconds', async () => {
  const from = versionOf(await client.get(maps()))
  const start = Date.now()
  const events = await watch(client, `${maps()}?watch=1&resourceVersion=${from}&timeoutSeconds=1`)
  expect(await events.rest()).toEqual([])
  expect(Date.now() - start).toBeGreaterThan(900)
})

test('bookmarks tell how far a watch is, also while nothing fits', async () => {
  const from = versionOf(await client.get(maps()))
  const query = `watch=1&allowWatchBookmarks=true&resourceVersion=${from}&timeoutSeconds=5&labelSelector=no%3Done`
  const events = await watch(client, `${maps()}?${query}`)
  const made = await make('unseen')
  const [event] = await events.rest()
  expect(event).toMatchObject({ type: 'BOOKMARK', object: { kind: 'ConfigMap', apiVersion: 'v1' } })
  expect(Number(versionOf(event?.object))).toBeGreaterThanOrEqual(Number(versionOf(made)))
})

test('a version that is long forgotten is a 410, as an event', async ({ skip }) => {
  await make('forgotten')
  const events = await watch(client, `${maps()}?watch=1&resourceVersion=1`)
  const { type, object } = await events.next()
  events.close()
  if (type === 'ADDED') skip('this server is too young to have forgotten anything')
  expect(type).toBe('ERROR')
  expect(object).toEqual(
    status(410, 'Expired', expect.stringMatching(/^too old resource version: 1 \(\d+\)$/)),
  )
})

test('a watch can be of one object by its field', async () => {
  const from = versionOf(await make('watched'))
  const query = `watch=1&resourceVersion=${from}&fieldSelector=metadata.name%3Dwatched`
  const events = await watch(client, `${maps()}?${query}`)
  await make('ignored')
  await client.delete(`${maps()}/watched`)
  expect(told([await events.next()])).toEqual(['DELETED watched'])
  events.close()
})

test('a watch can be of all namespaces', async () => {
  const from = versionOf(await client.get('/api/v1/secrets'))
  const events = await watch(client, `/api/v1/secrets?watch=1&resourceVersion=${from}`)
  await client.create(space.path('secrets'), { metadata: { name: 'far' } })
  const seen = await events.until(({ object }) => object.metadata.name === 'far')
  events.close()
  expect(seen.at(-1)?.object.metadata.namespace).toBe(space.name)
})

needing('watch-list')('a watch can begin with what is there and say when that was all', async ({ skip }) => {
  await make('initial', { initial: 'yes' })
  const query =
    'watch=1&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&labelSelector=initial%3Dyes'
  const events = await watch(client, `${maps()}?${query}`)
  const seen = await events.until(({ type }) => type === 'BOOKMARK' || type === 'ERROR')
  const complaint = at(seen[0]?.object, 'message')
  if (String(complaint).includes('storage feature RequestWatchProgress is disabled'))
    skip('its etcd is too old')
  events.close()
  expect(seen.map(({ type }) => type)).toEqual(['ADDED', 'BOOKMARK'])
  expect(at(seen[1]?.object, 'metadata', 'annotations')).toEqual({ 'k8s.io/initial-events-end': 'true' })
  expect(text(seen[1]?.object, 'kind')).toBe('ConfigMap')
})

needing('watch-list')('initial events need a resourceVersionMatch', async () => {
  const { body } = await client.ask(`${maps()}?watch=1&sendInitialEvents=true`)
  expect(body).toMatchObject({ code: 422, reason: 'Invalid', details: { kind: 'ListOptions' } })
})

test('events can be tables', async () => {
  const from = versionOf(await client.get(maps()))
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io'
  const response = await client.open(`${maps()}?watch=1&timeoutSeconds=2&resourceVersion=${from}`, {
    headers: { accept },
  })
  await make('tabled')
  let body = ''
  for await (const chunk of response) body += chunk
  const [event] = body
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line))
  expect(event).toMatchObject({
    type: 'ADDED',
    object: { kind: 'Table', rows: [{ cells: ['tabled', 0, expect.any(String)] }] },
  })
})
