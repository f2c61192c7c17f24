import { expect, test } from 'vitest'
import { at, isFields, list, text } from './support/json.ts'
import { client, expectRefusal, needing, server, status } from './support/suite.ts'

const named = (found: unknown, name: string) =>
  list(found, 'resources').find((one) => at(one, 'name') === name)

test('the version names major, minor and a gitVersion that begins with them', async () => {
  const { code, body } = await client.ask('/version')
  expect(code).toBe(200)
  expect(body).toMatchObject({ major: '1', gitVersion: expect.stringMatching(/^v1\.\d+\.\d+/) })
  expect(server.version).toMatch(new RegExp(`^v1\\.${server.minor}\\.`))
})

test.each(['/healthz', '/readyz', '/livez'])('%s is ok', async (path) => {
  expect(await client.ask(path)).toMatchObject({ code: 200, text: 'ok' })
})

test('/api tells the versions of the core group', async () => {
  const { body } = await client.ask('/api')
  expect(body).toMatchObject({ kind: 'APIVersions', versions: ['v1'] })
})

test('/apis tells groups with their versions and the preferred one', async () => {
  const { body } = await client.ask('/apis')
  expect(body).toMatchObject({ kind: 'APIGroupList', apiVersion: 'v1' })
  const apps = list(body, 'groups').find((group) => at(group, 'name') === 'apps')
  expect(apps).toEqual({
    name: 'apps',
    versions: [{ groupVersion: 'apps/v1', version: 'v1' }],
    preferredVersion: { groupVersion: 'apps/v1', version: 'v1' },
  })
})

test('/apis/GROUP tells the same of one group', async () => {
  const { body } = await client.ask('/apis/apps')
  expect(body).toMatchObject({
    kind: 'APIGroup',
    apiVersion: 'v1',
    name: 'apps',
    preferredVersion: { groupVersion: 'apps/v1' },
  })
})

test('/api/v1 tells the resources of the core group', async () => {
  const { body } = await client.ask('/api/v1')
  expect(body).toMatchObject({ kind: 'APIResourceList', groupVersion: 'v1' })
  expect(named(body, 'pods')).toMatchObject({
    name: 'pods',
    namespaced: true,
    kind: 'Pod',
    verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
    shortNames: ['po'],
    categories: ['all'],
  })
  expect(named(body, 'namespaces')).toMatchObject({
    namespaced: false,
    kind: 'Namespace',
    shortNames: ['ns'],
  })
  expect(named(body, 'pods/exec')).toMatchObject({ kind: 'PodExecOptions', namespaced: true })
  expect(named(body, 'pods/status')).toMatchObject({ kind: 'Pod', verbs: ['get', 'patch', 'update'] })
  expect(named(body, 'pods/log')).toMatchObject({ kind: 'Pod', verbs: ['get'] })
})

test('/apis/apps/v1 tells the resources of a group', async () => {
  const { body } = await client.ask('/apis/apps/v1')
  expect(body).toMatchObject({ kind: 'APIResourceList', apiVersion: 'v1', groupVersion: 'apps/v1' })
  expect(named(body, 'deployments')).toMatchObject({ kind: 'Deployment', shortNames: ['deploy'] })
  expect(named(body, 'deployments/scale')).toMatchObject({
    group: 'autoscaling',
    version: 'v1',
    kind: 'Scale',
    verbs: ['get', 'patch', 'update'],
  })
})

test('a path that is none is a plain 404', async () => {
  expect(await client.ask('/nowhere')).toMatchObject({ code: 404 })
})

test('an unknown group is a plain 404', async () => {
  const { code, text: said } = await client.ask('/apis/nowhere.example.com/v1')
  expect(code).toBe(404)
  expect(said).toBe('404 page not found\n')
})

test.each(['/api/v2', '/api/v1/nothings', '/api/v1/namespaces/default/nothings'])(
  '%s is a 404 with a Status',
  async (path) => {
    const expected = status(404, 'NotFound', 'the server could not find the requested resource', {})
    expectRefusal(await client.ask(path), expected)
  },
)

needing('aggregated discovery')('/apis and /api tell everything at once to whom asks for it', async () => {
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json'
  const apis = await client.ask('/apis', { headers: { accept } })
  expect(apis.body).toMatchObject({ kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2' })
  const apps = list(apis.body, 'items').find((group) => at(group, 'metadata', 'name') === 'apps')
  const resources = list(apps, 'versions', 0, 'resources')
  expect(resources.find((one) => at(one, 'resource') === 'deployments')).toMatchObject({
    responseKind: { kind: 'Deployment' },
    scope: 'Namespaced',
    singularResource: 'deployment',
    verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
    shortNames: ['deploy'],
    subresources: expect.arrayContaining([
      expect.objectContaining({ subresource: 'scale', verbs: ['get', 'patch', 'update'] }),
    ]),
  })
  const core = await client.ask('/api', { headers: { accept } })
  expect(at(core.body, 'items', 0, 'versions', 0, 'version')).toBe('v1')
})

needing('openapi v3')('the schema of each group is told of, and a Deployment is in it', async () => {
  const root = await client.ask('/openapi/v3')
  const url = text(root.body, 'paths', 'apis/apps/v1', 'serverRelativeURL')
  const { body } = await client.ask(url)
  const deployment = at(body, 'components', 'schemas', 'io.k8s.api.apps.v1.Deployment')
  expect(deployment).toMatchObject({
    type: 'object',
    'x-kubernetes-group-version-kind': [{ group: 'apps', version: 'v1', kind: 'Deployment' }],
  })
  const containers = at(
    body,
    'components',
    'schemas',
    'io.k8s.api.core.v1.PodSpec',
    'properties',
    'containers',
  )
  expect(containers).toMatchObject({
    'x-kubernetes-list-map-keys': ['name'],
    'x-kubernetes-list-type': 'map',
  })
  expect(
    isFields(at(body, 'paths', '/apis/apps/v1/namespaces/{namespace}/deployments/{name}', 'patch')),
  ).toBe(true)
})
