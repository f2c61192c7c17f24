import { describe, expect, test } from 'vitest'
import {
  type ApiServer,
  configMap,
  configMaps,
  deployment,
  deployments,
  merge,
  pod,
  pods,
  startApiServer,
  until,
} from './testing/api-server.ts'

const held = (name: string) => configMap(name, { metadata: { name, finalizers: ['example.com/hold'] } })
const hasFinalizers = (body: { metadata: { finalizers?: string[] } }) => body.metadata.finalizers ?? []

/** Creates a ConfigMap that belongs to others. */
async function owned({ ask }: ApiServer, name: string, owners: object[]): Promise<void> {
  const metadata = { name, ownerReferences: owners }
  await ask('POST', configMaps, { body: configMap(name, { metadata }) })
}

async function owner({ ask }: ApiServer, name: string, more: object = {}): Promise<Record<string, unknown>> {
  const { body } = await ask('POST', configMaps, { body: configMap(name) })
  return { apiVersion: 'v1', kind: 'ConfigMap', name, uid: body.metadata.uid, ...more }
}

const exists = ({ api }: ApiServer, name: string) =>
  api.store.get('configmaps', { namespace: 'default', name }) !== undefined
const gone = (server: ApiServer, name: string) => until(server, () => !exists(server, name))

/** Waits until the collector has done what it had to do. */
const collected = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))

describe('a deletion', () => {
  test('removes, and says what is gone', async () => {
    const { ask } = await startApiServer()
    const { body } = await ask('POST', configMaps, { body: configMap('a') })
    const deleted = await ask('DELETE', `${configMaps}/a`)
    expect(deleted.body).toMatchObject({
      kind: 'Status',
      status: 'Success',
      details: { name: 'a', kind: 'configmaps', uid: body.metadata.uid },
    })
    expect((await ask('DELETE', `${configMaps}/a`)).body).toMatchObject({
      code: 404,
      message: 'configmaps "a" not found',
    })
  })

  test('waits for the last finalizer', async () => {
    const { ask } = await startApiServer()
    await ask('POST', configMaps, { body: held('a') })
    const marked = (await ask('DELETE', `${configMaps}/a`)).body
    expect(marked.metadata).toMatchObject({
      deletionTimestamp: expect.any(String),
      deletionGracePeriodSeconds: 0,
    })
    const again = await ask('POST', configMaps, { body: configMap('a') })
    expect([again.code, again.body.message]).toEqual([
      409,
      'object is being deleted: configmaps "a" already exists',
    ])
    const added = await ask('PATCH', `${configMaps}/a`, {
      body: { metadata: { finalizers: ['example.com/hold', 'example.com/more'] } },
      type: merge,
    })
    expect(added.body.message).toMatch(/no new finalizers can be added if the object is being deleted/)
    const released = { body: { metadata: { finalizers: null } }, type: merge }
    expect((await ask('PATCH', `${configMaps}/a`, released)).code).toBe(200)
    expect((await ask('GET', `${configMaps}/a`)).code).toBe(404)
  })

  test.each([
    [{ preconditions: { uid: 'other' } }, 409, /the UID in the precondition \(other\) does not match/],
    [
      { preconditions: { resourceVersion: '1' } },
      409,
      /the ResourceVersion in the precondition \(1\) does not match/,
    ],
    [{ propagationPolicy: 'Sideways' }, 422, /supported values: "Foreground", "Background", "Orphan", "nil"/],
    [{ orphanDependents: true }, 501, /orphanDependents instead of a propagationPolicy/],
    [{ dryRun: ['x'] }, 422, /dryRun: Unsupported value: \["x"\]: supported values: "All"/],
    [{ kind: 'Foo', apiVersion: 'v1' }, 400, /no kind "Foo" is registered/],
    ['{bad', 400, /couldn't get version\/kind; json parse error/],
  ])('with %j is refused', async (body, code, message) => {
    const { ask } = await startApiServer()
    await ask('POST', configMaps, { body: configMap('a') })
    const answer = await ask('DELETE', `${configMaps}/a`, { body })
    expect(answer.code).toBe(code)
    expect(answer.body.message).toMatch(message)
    expect((await ask('GET', `${configMaps}/a`)).code).toBe(200)
  })

  test('of a collection takes what is selected', async () => {
    const { ask } = await startApiServer()
    for (const name of ['a', 'b', 'c']) {
      const labels = { keep: String(name === 'c') }
      await ask('POST', configMaps, { body: configMap(name, { metadata: { name, labels } }) })
    }
    const { body } = await ask('DELETE', `${configMaps}?labelSelector=keep%3Dfalse`)
    expect(body.items).toHaveLength(2)
    const left = (await ask('GET', configMaps)).body.items
    expect(left.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual(['c'])
  })
})

describe('a pod', () => {
  test('that runs nowhere goes at once', async () => {
    const { ask } = await startApiServer()
    await ask('POST', pods, { body: pod('web') })
    expect((await ask('DELETE', `${pods}/web`)).body.kind).toBe('Pod')
    expect((await ask('GET', `${pods}/web`)).code).toBe(404)
  })

  test('on a node is given time, which can only be made shorter', async () => {
    const { ask } = await startApiServer({ now: () => new Date('2026-01-01T00:00:00Z') })
    await ask('POST', pods, { body: pod('web', { nodeName: 'node-1' }) })
    const deleted = async (query = '') => (await ask('DELETE', `${pods}/web${query}`)).body.metadata
    expect(await deleted()).toMatchObject({
      deletionTimestamp: '2026-01-01T00:00:30Z',
      deletionGracePeriodSeconds: 30,
      generation: 2,
    })
    expect((await deleted('?gracePeriodSeconds=60')).deletionGracePeriodSeconds).toBe(30)
    expect(await deleted('?gracePeriodSeconds=5')).toMatchObject({
      deletionTimestamp: '2026-01-01T00:00:05Z',
      deletionGracePeriodSeconds: 5,
      generation: 2,
    })
    await deleted('?gracePeriodSeconds=0')
    expect((await ask('GET', `${pods}/web`)).code).toBe(404)
  })
})

describe('dependents', () => {
  test('go with their last owner', async () => {
    const server = await startApiServer()
    const [a, b] = [await owner(server, 'a'), await owner(server, 'b')]
    await owned(server, 'both', [a, b])
    await owned(server, 'mine', [a])
    await server.ask('DELETE', `${configMaps}/a`)
    await gone(server, 'mine')
    const { body } = await server.ask('GET', `${configMaps}/both`)
    expect(body.metadata.ownerReferences).toMatchObject([{ name: 'b' }])
    await server.ask('DELETE', `${configMaps}/b`)
    await gone(server, 'both')
  })

  test('of dependents go too, and what refers to an owner that never was', async () => {
    const server = await startApiServer()
    const a = await owner(server, 'a')
    await owned(server, 'b', [a])
    const b = (await server.ask('GET', `${configMaps}/b`)).body.metadata.uid
    await owned(server, 'c', [{ ...a, name: 'b', uid: b }])
    await owned(server, 'd', [{ ...a, uid: 'never' }])
    await gone(server, 'd')
    await server.ask('DELETE', `${configMaps}/a`)
    await gone(server, 'c')
  })

  test('stay when they are orphaned', async () => {
    const server = await startApiServer()
    const a = await owner(server, 'a')
    await owned(server, 'b', [a])
    await server.ask('DELETE', `${configMaps}/a?propagationPolicy=Orphan`)
    await gone(server, 'a')
    await collected()
    const { body } = await server.ask('GET', `${configMaps}/b`)
    expect(body.metadata.ownerReferences).toBeUndefined()
  })

  test('go before the owner in the foreground', async () => {
    const server = await startApiServer()
    const a = await owner(server, 'a', { blockOwnerDeletion: true })
    const metadata = { name: 'b', ownerReferences: [a], finalizers: ['example.com/hold'] }
    await server.ask('POST', configMaps, { body: configMap('b', { metadata }) })
    const { body } = await server.ask('DELETE', `${configMaps}/a?propagationPolicy=Foreground`)
    expect(hasFinalizers(body)).toEqual(['foregroundDeletion'])
    await until(server, () => {
      const b = server.api.store.get('configmaps', { namespace: 'default', name: 'b' })
      return b?.metadata.deletionTimestamp !== undefined
    })
    await collected()
    expect(exists(server, 'a')).toBe(true)
    await server.ask('PATCH', `${configMaps}/b`, { body: { metadata: { finalizers: null } }, type: merge })
    await gone(server, 'a')
  })
})

describe('a namespace', () => {
  const space = '/api/v1/namespaces/space'

  test('takes what is in it along, and takes nothing new meanwhile', async () => {
    const server = await startApiServer()
    const { ask } = server
    const created = await ask('POST', '/api/v1/namespaces', { body: { metadata: { name: 'space' } } })
    expect(created.body).toMatchObject({
      metadata: { labels: { 'kubernetes.io/metadata.name': 'space' } },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    })
    await ask('POST', `${space}/configmaps`, { body: held('a') })
    await ask('POST', deployments.replace('default', 'space'), { body: deployment('web') })
    expect((await ask('DELETE', space)).body.status.phase).toBe('Terminating')
    const late = await ask('POST', `${space}/configmaps`, { body: configMap('b') })
    expect([late.code, late.body.message]).toEqual([
      403,
      'configmaps "b" is forbidden: unable to create new content in namespace space because it is being terminated',
    ])
    const { store } = server.api
    await until(server, () => store.list('deployments.apps', 'space').length === 0)
    expect((await ask('GET', space)).code).toBe(200)
    await ask('PATCH', `${space}/configmaps/a`, { body: { metadata: { finalizers: null } }, type: merge })
    await until(server, () => store.get('namespaces', { name: 'space' }) === undefined)
  })

  test('can be finalized by who has the right to', async () => {
    const { ask } = await startApiServer()
    await ask('POST', '/api/v1/namespaces', { body: { metadata: { name: 'space' } } })
    await ask('DELETE', space)
    const body = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'space' },
      spec: { finalizers: [] },
    }
    expect((await ask('PUT', `${space}/finalize`, { body })).code).toBe(200)
    expect((await ask('GET', space)).code).toBe(404)
  })

  test('that every cluster has stays', async () => {
    const { ask } = await startApiServer()
    const { code, body } = await ask('DELETE', '/api/v1/namespaces/default')
    expect([code, body.message]).toEqual([
      403,
      'namespaces "default" is forbidden: this namespace may not be deleted',
    ])
  })
})
