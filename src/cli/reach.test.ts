import { expect, test } from 'vitest'
import type { Spec } from '../config/spec.ts'
import { temporaryFile } from '../kube/testing/files.ts'
import { answer, startServer } from '../kube/testing/server.ts'
import type { Cli } from './io.ts'
import { reachable } from './reach.ts'

const spec: Spec = {
  ...{ name: 'demo', local: '/home/me/demo', remote: '/app', context: 'test', namespace: 'a' },
  ...{ selector: 'app=demo', mode: 'two-way-safe' },
}

/** A terminal at which a person answers, and a cluster without agents that could have ephemeral containers. */
async function ask(reply: string | undefined, asked = spec): Promise<Spec> {
  const server = await startServer()
  server.handle((request, response) => {
    const { pathname } = new URL(request.url ?? '', server.url)
    if (pathname === '/version') return answer(response, { gitVersion: 'v1.36.0' })
    if (pathname === '/api/v1') return answer(response, { resources: pods })
    if (pathname.endsWith('reviews')) return answer(response, { status: { allowed: true } })
    return answer(response, { apiVersion: 'v1', kind: 'PodList', metadata: {}, items: [] })
  })
  const kubeconfig = await temporaryFile(
    'kubeconfig',
    JSON.stringify({
      ...{ apiVersion: 'v1', kind: 'Config' },
      clusters: [{ name: 'c', cluster: { server: server.url, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'u', user: { token: 't' } }],
      contexts: [{ name: 'test', context: { cluster: 'c', user: 'u' } }],
    }),
  )
  const io = {
    env: { KUBESYNC_HOME: '/nowhere' },
    ...(reply === undefined ? {} : { ask: async () => reply }),
  }
  return reachable({ io } as unknown as Cli, asked, { agents: {}, kubeconfig, config: undefined })
}

const pods = ['pods', 'pods/ephemeralcontainers'].map((name) => ({
  ...{ name, kind: 'Pod', namespaced: true, singularName: 'pod' },
}))

test('an ephemeral container is used if the person says yes', async () => {
  expect(await ask('y')).toEqual({ ...spec, agent: 'ephemeral' })
})

test.each(['n', '', 'no', undefined])('and never if the answer is %j', async (reply) => {
  await expect(ask(reply)).rejects.toMatchObject({ code: 'NO_AGENT' })
})

test('who asked for one is not asked', async () => {
  const wanted: Spec = { ...spec, agent: 'ephemeral' }
  expect(await ask(undefined, wanted)).toEqual(wanted)
})
