import { expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { answer, answerStatus, startServer } from '../kube/testing/server.ts'
import { whyUnreachable } from './reach.ts'

interface Cluster {
  readonly version?: string
  readonly agents?: number | 'forbidden'
  /** What one may not do, as `verb resource`. */
  readonly denied?: readonly string[]
}

async function clusterWith({ version = 'v1.36.0', agents = 0, denied = [] }: Cluster) {
  const server = await startServer()
  server.handle((request, response, body) => {
    const { pathname } = new URL(request.url ?? '', server.url)
    const asked = body === '' ? {} : JSON.parse(body)
    if (pathname === '/version') return answer(response, { gitVersion: version })
    if (pathname === '/api/v1') return answer(response, { resources: podResources })
    if (pathname.endsWith('/selfsubjectreviews')) {
      return answer(response, { status: { userInfo: { username: 'system:serviceaccount:a:dev' } } })
    }
    if (pathname.endsWith('/selfsubjectaccessreviews')) {
      const { verb, resource, subresource } = asked.spec.resourceAttributes
      const what = `${verb} ${[resource, subresource].filter(Boolean).join('/')}`
      return answer(response, { status: { allowed: !denied.includes(what) } })
    }
    if (agents === 'forbidden') return answerStatus(response, 403, 'Forbidden')
    const items = Array.from({ length: agents }, () => ({ metadata: { name: 'agent' } }))
    return answer(response, { apiVersion: 'v1', kind: 'PodList', metadata: { resourceVersion: '1' }, items })
  })
  return server.client()
}

const podResources = ['pods', 'pods/ephemeralcontainers'].map((name) => ({
  ...{ name, kind: 'Pod', namespaced: true, singularName: 'pod' },
}))

const way = { namespace: 'a', agentNamespace: 'kubesync' } as const
const why = async (cluster: Cluster, agent: 'daemonset' | 'ephemeral' = 'daemonset') =>
  whyUnreachable(await clusterWith(cluster), { ...way, agent })

test('where there are agents, nothing is against it, and nothing else is asked', async () => {
  expect(await why({ agents: 1, denied: ['patch pods/ephemeralcontainers'] })).toBeUndefined()
})

test('where there are none, ephemeral containers are offered if they would do', async () => {
  expect(await why({})).toMatchObject({
    offer: true,
    error: {
      message: 'there is no agent in namespace kubesync',
      hint: expect.stringContaining('--agent ephemeral'),
    },
  })
})

test('who may not even look for agents is offered them, too', async () => {
  expect(await why({ agents: 'forbidden' })).toMatchObject({
    offer: true,
    error: { message: expect.stringContaining('system:serviceaccount:a:dev may not look for agents') },
  })
})

test('a server that is too old is said to be', async () => {
  const found = await why({ version: 'v1.24.3' }, 'ephemeral')
  expect(found).toMatchObject({ offer: false, error: { message: expect.stringContaining('v1.24.3') } })
})

test('who lacks a right reads which, who that is, and what an administrator can apply', async () => {
  const found = await why({ denied: ['patch pods/ephemeralcontainers', 'get pods/exec'] })
  expect(found?.offer).toBe(false)
  expect(found?.error.message).toContain('no agent in namespace kubesync')
  expect(found?.error.message).toContain('system:serviceaccount:a:dev lacks rights')
  expect(found?.error.message).toContain('get pods/exec; patch pods/ephemeralcontainers')
  const yaml = found?.error.hint?.split('\n\n')[1] ?? ''
  const [role, binding] = parseAllDocuments(yaml).map((document) => document.toJS())
  expect(role).toMatchObject({ kind: 'Role', metadata: { namespace: 'a' } })
  expect(role.rules).toContainEqual({
    ...{ apiGroups: [''], resources: ['pods/ephemeralcontainers'], verbs: ['patch'] },
  })
  expect(role.rules).toHaveLength(3)
  expect(binding).toMatchObject({
    roleRef: { kind: 'Role', name: role.metadata.name },
    subjects: [{ kind: 'ServiceAccount', namespace: 'a', name: 'dev' }],
  })
})

test('a server that does not answer is no reason: the sync goes on trying', async () => {
  const server = await startServer()
  server.handle((_, response) => answerStatus(response, 500, 'InternalError'))
  expect(await whyUnreachable(await server.client(), { ...way, agent: 'daemonset' })).toBeUndefined()
})
