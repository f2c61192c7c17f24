import { request } from 'node:http'
import { describe, expect, test } from 'vitest'
import { crds, establish, pod, pods, startApiServer, widgetCrd } from './testing/api-server.ts'

describe('who may ask', () => {
  test('only who has the token', async () => {
    const { ask } = await startApiServer()
    for (const authorization of ['', 'Bearer wrong', 'Basic secret']) {
      const { code, body } = await ask('GET', '/api', { headers: { authorization } })
      expect(code).toBe(401)
      expect(body).toMatchObject({
        kind: 'Status',
        status: 'Failure',
        reason: 'Unauthorized',
        message: 'Unauthorized',
      })
    }
  })

  test('nobody in the name of somebody else', async () => {
    const { ask } = await startApiServer()
    const { code, body } = await ask('GET', pods, { headers: { 'impersonate-user': 'jane' } })
    expect(code).toBe(501)
    expect(body.message).toContain('impersonation')
  })

  test('everybody for its health', async () => {
    const { ask } = await startApiServer()
    for (const path of ['/healthz', '/readyz', '/livez']) {
      expect(await ask('GET', path, { headers: { authorization: '' } })).toMatchObject({
        code: 200,
        text: 'ok',
      })
    }
  })

  test('the only user may do everything', async () => {
    const { ask } = await startApiServer()
    const base = '/apis/authorization.k8s.io/v1'
    const spec = { resourceAttributes: { verb: 'delete', resource: 'nodes' } }
    const review = await ask('POST', `${base}/selfsubjectaccessreviews`, { body: { spec } })
    expect(review).toMatchObject({ code: 201, body: { spec, status: { allowed: true } } })
    const other = await ask('POST', `${base}/subjectaccessreviews`, {
      body: { spec: { ...spec, user: 'jane' } },
    })
    expect(other.code).toBe(501)
  })
})

describe('what is not there', () => {
  test('paths, groups, versions and resources, each as a server says it', async () => {
    const { ask } = await startApiServer()
    for (const path of ['/foo', '/apis/foo.example.com', '/apis/foo.example.com/v1/bars']) {
      expect(await ask('GET', path)).toMatchObject({ code: 404, text: '404 page not found\n' })
    }
    for (const path of ['/apis/apps/v2', '/apis/apps/v1/foos', `${pods}/web/foo`]) {
      const { code, body } = await ask('GET', path)
      expect([code, body.reason]).toEqual([404, 'NotFound'])
      expect(body.message).toBe('the server could not find the requested resource')
    }
  })

  test('methods', async () => {
    const { ask } = await startApiServer()
    const refused: [string, string][] = [
      ['POST', '/api/v1/pods'],
      ['POST', `${pods}/web`],
      ['PUT', pods],
      ['DELETE', '/api/v1/namespaces'],
      ['GET', '/apis/authentication.k8s.io/v1/selfsubjectreviews'],
      ['PATCH', `${pods}/web/log`],
    ]
    for (const [method, path] of refused) {
      const { code, body } = await ask(method, path, method === 'GET' ? {} : { body: {} })
      expect([code, body.reason]).toEqual([405, 'MethodNotAllowed'])
    }
  })

  test('media types', async () => {
    const { ask } = await startApiServer()
    const accept = await ask('GET', pods, { headers: { accept: 'text/html' } })
    expect([accept.code, accept.body.reason]).toEqual([406, 'NotAcceptable'])
    const sent = await ask('POST', pods, { body: 'a: b', type: 'text/plain' })
    expect([sent.code, sent.body.reason]).toEqual([415, 'UnsupportedMediaType'])
    const patch = await ask('PATCH', `${pods}/web`, { body: {}, type: 'application/cbor' })
    expect([patch.code, patch.body.reason]).toEqual([415, 'UnsupportedMediaType'])
  })

  test('what a real server does and the sandbox does not is named', async () => {
    const { ask } = await startApiServer()
    const admission = '/apis/admissionregistration.k8s.io/v1'
    for (const [path, feature] of [
      [`${admission}/validatingwebhookconfigurations`, 'admission webhooks and policies'],
      [`${admission}/mutatingwebhookconfigurations`, 'admission webhooks and policies'],
      ['/apis/apiregistration.k8s.io/v1/apiservices', 'aggregated API servers'],
    ] as const) {
      const body = { metadata: { name: 'any' }, spec: { groupPriorityMinimum: 1, versionPriority: 1 } }
      const answer = await ask('POST', path, { body })
      expect([answer.code, answer.body.reason, answer.body.message]).toEqual([
        501,
        'NotImplemented',
        `the sandbox does not do this: ${feature}`,
      ])
    }
  })

  test('the second versions of resources that would have to be converted', async () => {
    const { ask } = await startApiServer()
    const { body } = await ask('GET', '/apis')
    const names = body.groups.map(({ name }: { name: string }) => name)
    expect(names).not.toContain('events.k8s.io')
    expect((await ask('GET', '/apis/autoscaling/v1')).code).toBe(404)
  })
})

describe('discovery', () => {
  test('says it is what its types are of, and that it is no real one', async () => {
    const { ask } = await startApiServer()
    const { body } = await ask('GET', '/version')
    expect(body).toMatchObject({ major: '1', minor: '36', gitVersion: 'v1.36.3+kubesync.sandbox' })
  })

  test('groups, versions and resources with their subresources', async () => {
    const { ask } = await startApiServer()
    expect((await ask('GET', '/api')).body.versions).toEqual(['v1'])
    expect((await ask('GET', '/apis/apps')).body).toMatchObject({
      kind: 'APIGroup',
      preferredVersion: { groupVersion: 'apps/v1' },
    })
    const { body } = await ask('GET', '/apis/apps/v1')
    const scale = { name: 'deployments/scale', group: 'autoscaling', version: 'v1', kind: 'Scale' }
    expect(body.resources).toContainEqual(expect.objectContaining(scale))
    expect(body.resources).toContainEqual(
      expect.objectContaining({ name: 'deployments', shortNames: ['deploy'], namespaced: true }),
    )
  })

  test('all of it in one document for those who ask for that', async () => {
    const { ask } = await startApiServer()
    const type = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
    const { headers, body } = await ask('GET', '/api', { headers: { accept: `${type},application/json` } })
    expect(headers['content-type']).toBe(type)
    const [{ versions }] = body.items
    const found = versions[0].resources.find(({ resource }: { resource: string }) => resource === 'pods')
    expect(found).toMatchObject({ scope: 'Namespaced', responseKind: { kind: 'Pod' }, shortNames: ['po'] })
    expect(found.subresources).toContainEqual(
      expect.objectContaining({ subresource: 'exec', verbs: ['create', 'get'] }),
    )
  })

  test('custom resources, from when their definition is established until it is gone', async () => {
    const server = await startApiServer()
    await establish(server, widgetCrd())
    const { body } = await server.ask('GET', '/apis/example.com/v1')
    expect(body.resources.map(({ name }: { name: string }) => name)).toEqual(['widgets', 'widgets/status'])
    await server.ask('DELETE', `${crds}/widgets.example.com`)
    await expect.poll(async () => (await server.ask('GET', '/apis/example.com/v1')).code).toBe(404)
  })
})

describe('OpenAPI', () => {
  test('has an index whose hashes change with what they are of', async () => {
    const server = await startApiServer()
    const index = async () => (await server.ask('GET', '/openapi/v3')).body.paths
    const before = await index()
    expect(before['apis/apps/v1'].serverRelativeURL).toMatch(
      /^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]{64}$/,
    )
    await establish(server, widgetCrd())
    const after = await index()
    expect(after['apis/apps/v1']).toEqual(before['apis/apps/v1'])
    expect(after).toHaveProperty(['apis/example.com/v1'])
  })

  test('has the types of a group version with all that they refer to', async () => {
    const { ask } = await startApiServer()
    const { body } = await ask('GET', '/openapi/v3/apis/apps/v1?hash=ANY')
    const { schemas } = body.components
    const referred = [...JSON.stringify(schemas).matchAll(/#\/components\/schemas\/([\w.]+)/g)].map(
      ([, id]) => id,
    )
    expect(referred.length).toBeGreaterThan(100)
    expect(referred.filter((id) => !(id !== undefined && id in schemas))).toEqual([])
    expect(schemas['io.k8s.api.apps.v1.Deployment']['x-kubernetes-group-version-kind']).toEqual([
      { group: 'apps', version: 'v1', kind: 'Deployment' },
    ])
  })

  test('tells kubectl that patches can be dry runs with field validation', async () => {
    const server = await startApiServer()
    await establish(server, widgetCrd())
    for (const [document, path, kind] of [
      ['apis/apps/v1', '/apis/apps/v1/namespaces/{namespace}/deployments/{name}', 'Deployment'],
      ['apis/example.com/v1', '/apis/example.com/v1/namespaces/{namespace}/widgets/{name}', 'Widget'],
    ] as const) {
      const { body } = await server.ask('GET', `/openapi/v3/${document}`)
      const { patch } = body.paths[path]
      expect(patch['x-kubernetes-group-version-kind'].kind).toBe(kind)
      const names = patch.parameters.map(({ name }: { name: string }) => name)
      expect(names).toEqual(expect.arrayContaining(['dryRun', 'fieldValidation', 'fieldManager', 'force']))
    }
  })
})

test('what breaks in one request is told there, without the insides of the sandbox, and is the end of nothing', async () => {
  const broken = () => {
    throw new Error('broken')
  }
  const { ask } = await startApiServer({ streams: { exec: broken, portForward: broken, logs: broken } })
  await ask('POST', pods, { body: pod('web', { nodeName: 'node-1' }) })
  const { code, body } = await ask('GET', `${pods}/web/log`)
  expect([code, body.reason, body.message]).toEqual([500, 'InternalError', 'Internal error occurred: broken'])
  expect((await ask('GET', `${pods}/web`)).code).toBe(200)
})

test('what cannot be upgraded is refused with a Status', async () => {
  const { port, ask } = await startApiServer()
  await ask('POST', pods, { body: pod('web') })
  const refused = await new Promise<[number | undefined, string]>((resolve, reject) => {
    const headers = { authorization: 'Bearer secret', connection: 'Upgrade', upgrade: 'websocket' }
    const sent = request({ port, path: `${pods}/web/exec?command=ls`, headers })
    sent.on('error', reject).on('response', async (response) => {
      let text = ''
      for await (const chunk of response) text += chunk
      resolve([response.statusCode, JSON.parse(text).message])
    })
    sent.end()
  })
  expect(refused).toEqual([400, 'pod web does not have a host assigned'])
})
