import { describe, expect, test } from 'vitest'
import { answer, answerStatus, startServer, type TestServer } from './testing/server.ts'

interface Type {
  name: string
  kind: string
  namespaced?: boolean
  singularName?: string
  shortNames?: string[]
}

const types: Record<string, Type[]> = {
  v1: [
    { name: 'pods', kind: 'Pod', singularName: 'pod', shortNames: ['po'] },
    { name: 'pods/exec', kind: 'PodExecOptions' },
    { name: 'nodes', kind: 'Node', namespaced: false, singularName: 'node', shortNames: ['no'] },
    { name: 'events', kind: 'Event', singularName: 'event', shortNames: ['ev'] },
  ],
  'apps/v1': [
    { name: 'deployments', kind: 'Deployment', singularName: 'deployment', shortNames: ['deploy'] },
  ],
  'apps/v1beta1': [
    { name: 'deployments', kind: 'Deployment', singularName: 'deployment', shortNames: ['deploy'] },
  ],
  'events.k8s.io/v1': [{ name: 'events', kind: 'Event', singularName: 'event', shortNames: ['ev'] }],
  'other.io/v1': [{ name: 'deploy', kind: 'Deploy', singularName: 'deploy' }],
}

/** The groups in the server's order; the second one's own server is down. */
const groups = [
  { name: 'apps', versions: ['apps/v1beta1', 'apps/v1'], preferred: 'apps/v1' },
  { name: 'metrics.k8s.io', versions: ['metrics.k8s.io/v1'], preferred: 'metrics.k8s.io/v1' },
  { name: 'events.k8s.io', versions: ['events.k8s.io/v1'], preferred: 'events.k8s.io/v1' },
  { name: 'other.io', versions: ['other.io/v1'], preferred: 'other.io/v1' },
]

async function oldServer(): Promise<TestServer> {
  const server = await startServer()
  server.handle(({ url = '' }, response) => {
    const apiVersion = url.replace(/^\/apis?\//, '')
    const resources = types[apiVersion]?.map((type) => ({
      namespaced: true,
      verbs: ['get', 'list'],
      ...type,
    }))
    if (url === '/version') return answer(response, { major: '1', minor: '27+', gitVersion: 'v1.27.4-eks' })
    if (url === '/api') return answer(response, { kind: 'APIVersions', versions: ['v1'] })
    if (resources !== undefined) return answer(response, { kind: 'APIResourceList', resources })
    if (url.startsWith('/apis/')) return answerStatus(response, 503, 'ServiceUnavailable')
    const list = groups.map(({ name, versions, preferred }) => ({
      name,
      versions: versions.map((groupVersion) => ({ groupVersion })),
      preferredVersion: { groupVersion: preferred },
    }))
    answer(response, { kind: 'APIGroupList', groups: list })
  })
  return server
}

function aggregated(name: string, versions: readonly string[]): object {
  return {
    metadata: { name },
    versions: versions.map((apiVersion) => ({
      version: apiVersion.split('/').at(-1),
      freshness: apiVersion in types ? 'Current' : 'Stale',
      resources: (types[apiVersion] ?? [])
        .filter((type) => !type.name.includes('/'))
        .map((type) => ({
          resource: type.name,
          responseKind: { group: name, version: 'v1', kind: type.kind },
          scope: type.namespaced === false ? 'Cluster' : 'Namespaced',
          singularResource: type.singularName,
          shortNames: type.shortNames,
          verbs: ['get', 'list'],
          subresources: type.name === 'pods' ? [{ subresource: 'exec' }] : undefined,
        })),
    })),
  }
}

async function newServer(): Promise<TestServer> {
  const server = await startServer()
  server.handle(({ url = '', headers }, response) => {
    expect(headers.accept).toMatch(/v=v2;as=APIGroupDiscoveryList.*v=v2beta1.*application\/json$/)
    const preferredFirst = groups.map(({ name, versions, preferred }) =>
      aggregated(name, [preferred, ...versions.filter((version) => version !== preferred)]),
    )
    const items = url === '/api' ? [aggregated('', ['v1'])] : preferredFirst
    answer(response, { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', items })
  })
  return server
}

describe.each([
  ['a server that aggregates', newServer, 2],
  ['a server that does not', oldServer, 8],
] as const)('%s', (_what, start, requests) => {
  test.each([
    ['deploy', 'apps/v1', 'Deployment'],
    ['deployment', 'apps/v1', 'Deployment'],
    ['deployments', 'apps/v1', 'Deployment'],
    ['Deployment', 'apps/v1', 'Deployment'],
    ['deployments.apps', 'apps/v1', 'Deployment'],
    ['deployments.v1beta1.apps', 'apps/v1beta1', 'Deployment'],
    ['po', 'v1', 'Pod'],
    ['pods.v1', 'v1', 'Pod'],
    ['ev', 'v1', 'Event'],
    ['events.events.k8s.io', 'events.k8s.io/v1', 'Event'],
  ])('means by %s what kubectl means', async (name, apiVersion, kind) => {
    const { discovery } = await (await start()).client()
    // A type that is really called so comes before one that is so for short.
    const isReal = name === 'deploy'
    const expected = isReal ? { apiVersion: 'other.io/v1', kind: 'Deploy' } : { apiVersion, kind }
    expect(await discovery.resolve(name)).toMatchObject(expected)
  })

  test('tells all of a type', async () => {
    const { discovery } = await (await start()).client()
    expect(await discovery.resolve('po')).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      plural: 'pods',
      singular: 'pod',
      shortNames: ['po'],
      namespaced: true,
      verbs: ['get', 'list'],
      subresources: ['exec'],
    })
    expect((await discovery.resolve('node')).namespaced).toBe(false)
  })

  test('names the group that does not answer, and has all others', async () => {
    const { discovery } = await (await start()).client()
    const { types: found, unavailable } = await discovery.all()
    expect(unavailable).toEqual(['metrics.k8s.io/v1'])
    expect(found).toHaveLength(7)
  })

  test('is asked once', async () => {
    const server = await start()
    const { discovery } = await server.client()
    await discovery.resolve('po')
    await discovery.resolve('no')
    expect(server.asked).toHaveLength(requests)
  })

  test('is asked once more for what it did not have', async () => {
    const { discovery } = await (await start()).client()
    await discovery.resolve('po')
    types['late.io/v1'] = [{ name: 'lates', kind: 'Late' }]
    groups.push({ name: 'late.io', versions: ['late.io/v1'], preferred: 'late.io/v1' })
    try {
      expect(await discovery.resolve('lates')).toMatchObject({ kind: 'Late' })
    } finally {
      delete types['late.io/v1']
      groups.pop()
    }
    await expect(discovery.resolve('nothing')).rejects.toMatchObject({
      code: 'NO_SUCH_KIND',
      message: /"nothing"/,
    })
  })
})

describe('one kind', () => {
  test('is found by asking for its version alone', async () => {
    const server = await oldServer()
    const { discovery } = await server.client()
    expect(await discovery.kind('apps/v1', 'Deployment')).toMatchObject({ plural: 'deployments' })
    await discovery.kind('apps/v1', 'Deployment')
    expect(server.asked).toEqual(['GET /apis/apps/v1'])
  })

  test('that the version does not have is an error', async () => {
    const { discovery } = await (await oldServer()).client()
    const promise = discovery.kind('apps/v1', 'Pod')
    await expect(promise).rejects.toMatchObject({ code: 'NO_SUCH_KIND', message: /Pod in apps\/v1/ })
  })

  test('of a version that the server does not have is the same error', async () => {
    const server = await startServer()
    const { discovery } = await server.client()
    await expect(discovery.kind('apps/v9', 'Pod')).rejects.toMatchObject({ code: 'NO_SUCH_KIND' })
  })
})

test.each([
  [{ major: '1', minor: '27+', gitVersion: 'v1.27.4-eks-1' }, 1, 27],
  [{ major: '', minor: '', gitVersion: 'v1.20.2' }, 1, 20],
  [{ major: '', minor: '', gitVersion: 'unknown' }, 0, 0],
])('the version %o', async (body, major, minor) => {
  const server = await startServer()
  server.handle((_request, response) => answer(response, body))
  const { discovery } = await server.client()
  expect(await discovery.version()).toEqual({ major, minor, gitVersion: body.gitVersion })
})
