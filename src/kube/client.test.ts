import { describe, expect, test } from 'vitest'
import type { KubeObject, ResourceRef } from './resource.ts'
import { answer, answerStatus, startServer } from './testing/server.ts'

const core = { resources: [{ name: 'pods', kind: 'Pod', namespaced: true }] }

function podNamed(name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'mine' } }
}

/** Two pages of one name each; `between` says what is answered to the token of the first. */
async function pagedServer(between: 'second page' | 'gone once') {
  const server = await startServer()
  let isGone = between === 'gone once'
  server.handle((request, response) => {
    const token = new URL(request.url ?? '', server.url).searchParams.get('continue')
    const list = { kind: 'PodList', apiVersion: 'v1' }
    if (token === null) {
      const items = [{ metadata: { name: isGone ? 'before' : 'first' } }]
      answer(response, { ...list, metadata: { resourceVersion: '7', continue: 'next' }, items })
    } else if (isGone) {
      isGone = false
      answerStatus(response, 410, 'Expired')
    } else {
      answer(response, {
        ...list,
        metadata: { resourceVersion: '7' },
        items: [{ metadata: { name: 'second' } }],
      })
    }
  })
  return server
}

const pods: ResourceRef = { apiVersion: 'v1', plural: 'pods', namespace: 'mine' }

describe('paths', () => {
  test('parts are percent-encoded, and the kind becomes its plural', async () => {
    const server = await startServer()
    server.handle((request, response) =>
      answer(response, request.url === '/api/v1' ? core : podNamed('a/b c')),
    )
    const client = await server.client()
    await client.get({ apiVersion: 'v1', kind: 'Pod', namespace: 'mine', name: 'a/b c' })
    expect(server.asked).toEqual(['GET /api/v1', 'GET /api/v1/namespaces/mine/pods/a%2Fb%20c'])
  })

  test('a group has its own root, and the server may live below a path', async () => {
    const server = await startServer()
    server.handle((_request, response) => answer(response, podNamed('a')))
    const client = await server.client({}, { server: `${server.url}/k8s/clusters/c-1/` })
    await client.get({ apiVersion: 'apps/v1', plural: 'deployments', namespace: 'mine', name: 'a' })
    expect(server.asked).toEqual(['GET /k8s/clusters/c-1/apis/apps/v1/namespaces/mine/deployments/a'])
  })

  test.each(['.', '..', ''])('"%s" is no name, not a step in a path', async (name) => {
    const client = await (await startServer()).client()
    await expect(client.get({ ...pods, plural: 'pods', name })).rejects.toMatchObject({
      code: 'INVALID_NAME',
    })
  })

  test('a namespace is left out for a kind that has none', async () => {
    const server = await startServer()
    const nodes = { resources: [{ name: 'nodes', kind: 'Node', namespaced: false }] }
    server.handle((request, response) => answer(response, request.url === '/api/v1' ? nodes : podNamed('a')))
    const client = await server.client()
    await client.get({ apiVersion: 'v1', kind: 'Node', namespace: 'mine', name: 'a' })
    expect(server.asked).toContain('GET /api/v1/nodes/a')
  })
})

describe('a list', () => {
  test('comes in pages, and items say what they are', async () => {
    const client = await (await pagedServer('second page')).client()
    const names: unknown[] = []
    for await (const page of client.list(pods)) names.push(page.items, page.restarted)
    expect(names).toEqual([
      [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'first' } }],
      false,
      [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'second' } }],
      false,
    ])
  })

  test('begins again when the server forgot where it was', async () => {
    const server = await pagedServer('gone once')
    const client = await server.client()
    const { items, resourceVersion } = await client.listAll(pods)
    expect(items.map(({ metadata }) => metadata?.name)).toEqual(['first', 'second'])
    expect(resourceVersion).toBe('7')
    expect(server.asked).toHaveLength(4)
  })

  test('asks for 500 at a time, and for what the selectors say', async () => {
    const server = await pagedServer('second page')
    const client = await server.client()
    await client.listAll(pods, { labelSelector: 'app in (a,b)', fieldSelector: 'spec.nodeName=n' })
    const query = new URL(server.asked[0]?.slice(4) ?? '', server.url).searchParams
    expect(Object.fromEntries(query)).toEqual({
      limit: '500',
      labelSelector: 'app in (a,b)',
      fieldSelector: 'spec.nodeName=n',
    })
  })
})

describe('writing', () => {
  async function recording() {
    const server = await startServer()
    const written: unknown[] = []
    server.handle((request, response, body) => {
      if (request.url === '/api/v1') return answer(response, core)
      written.push(request.headers['content-type'], JSON.parse(body))
      answer(response, podNamed('a'))
    })
    return { server, written, client: await server.client() }
  }

  test('create posts to the collection', async () => {
    const { server, written, client } = await recording()
    await client.create(podNamed('a'))
    expect(server.asked.at(-1)).toBe('POST /api/v1/namespaces/mine/pods')
    expect(written).toEqual(['application/json', podNamed('a')])
  })

  test('apply is server-side apply under our field manager', async () => {
    const { server, written, client } = await recording()
    await client.apply(podNamed('a'), { fieldManager: 'kubesync', force: true })
    expect(server.asked.at(-1)).toBe('PATCH /api/v1/namespaces/mine/pods/a?fieldManager=kubesync&force=true')
    expect(written).toEqual(['application/apply-patch+yaml', podNamed('a')])
  })

  test('patch merges unless said otherwise', async () => {
    const { server, written, client } = await recording()
    await client.patch({ ...pods, plural: 'pods', name: 'a', subresource: 'status' }, { status: {} })
    expect(server.asked.at(-1)).toBe('PATCH /api/v1/namespaces/mine/pods/a/status')
    expect(written).toEqual(['application/merge-patch+json', { status: {} }])
  })

  test('delete leaves dependents to the background', async () => {
    const { server, written, client } = await recording()
    await client.delete({ ...pods, plural: 'pods', name: 'a' })
    expect(server.asked.at(-1)).toBe('DELETE /api/v1/namespaces/mine/pods/a')
    expect(written[1]).toMatchObject({ kind: 'DeleteOptions', propagationPolicy: 'Background' })
  })
})

describe('a busy server', () => {
  test('is asked again when it says so', async () => {
    const server = await startServer()
    server.handle((_request, response) => {
      if (server.asked.length > 1) return answer(response, {})
      response.setHeader('Retry-After', '0')
      answerStatus(response, 429, 'TooManyRequests')
    })
    const client = await server.client()
    await client.request({ path: '/version' })
    expect(server.asked).toHaveLength(2)
  })

  test('is not waited for longer than the request may take', async () => {
    const server = await startServer()
    server.handle((_request, response) => {
      response.setHeader('Retry-After', '60')
      answerStatus(response, 429, 'TooManyRequests', 'slow down')
    })
    const client = await server.client()
    const promise = client.request({ path: '/version' })
    await expect(promise).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS', message: /slow down/ })
  })
})

test('an aborted request rejects with the reason', async () => {
  const server = await startServer()
  const abort = new AbortController()
  server.handle(() => abort.abort(new Error('enough')))
  const client = await server.client()
  await expect(client.request({ path: '/version', signal: abort.signal })).rejects.toThrow('enough')
})

test('an idle connection that the server closed in the meantime is not an error', async () => {
  const server = await startServer()
  server.handle(({ socket }, response) => {
    answer(response, {})
    // The next request on this connection meets a closed door, however soon it comes.
    socket.once('data', () => socket.destroy())
  })
  const client = await server.client()
  await client.request({ path: '/version' })
  server.handle((_request, response) => answer(response, {}))
  await client.request({ path: '/version' })
})
