import { mkdtempSync, rmSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { answer, answerStatus, startServer } from '../../kube/testing/server.ts'
import { openSession } from '../session.ts'
import type { JsonMap } from '../value.ts'

const types = {
  resources: [{ name: 'configmaps', kind: 'ConfigMap', namespaced: true, verbs: ['get', 'list', 'patch'] }],
}

/** A server with one ConfigMap, `a`, which refuses to apply to another version than it has; and an empty folder. */
export async function configMapWorld() {
  const root = mkdtempSync(join(tmpdir(), 'kubesync-manifests-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  const server = await startServer()
  let object: JsonMap = {}
  let version = 0
  const put = (change: JsonMap) => {
    version += 1
    const metadata = { name: 'a', namespace: 'default', uid: 'u', resourceVersion: String(version) }
    object = { apiVersion: 'v1', kind: 'ConfigMap', ...object, ...change, metadata }
  }
  put({ data: { a: '1' } })
  const writes: JsonMap[] = []
  /** Whether it is not there for whoever looks, and what happens to a write that is not a dry run; false where it is not to be made. */
  const hooks = { isAway: false, onWrite: (_response: ServerResponse): boolean => true }
  server.handle((request, response, body) => {
    const url = new URL(request.url ?? '', server.url)
    if (url.pathname === '/api/v1') return answer(response, types)
    if (url.pathname === '/version') return answer(response, { gitVersion: 'v1.30.0' })
    if (!url.pathname.endsWith('/configmaps/a')) return answerStatus(response, 404, 'NotFound')
    if (request.method === 'GET' && hooks.isAway) return answerStatus(response, 404, 'NotFound')
    if (request.method === 'GET' || url.searchParams.has('dryRun')) return answer(response, object)
    const sent: JsonMap = JSON.parse(body)
    const metadata = sent.metadata as JsonMap
    if (metadata.resourceVersion !== String(version)) {
      const said = 'the object has been modified; please apply your changes to the latest version'
      return answerStatus(response, 409, 'Conflict', said)
    }
    if (!hooks.onWrite(response)) return
    writes.push(sent)
    put({ data: sent.data ?? null })
    return response.destroyed ? undefined : answer(response, object)
  })
  const client = await server.client()
  const open = () => openSession({ client, root, state: join(root, '.state'), secrets: 'encrypt' })
  return { root, server, hooks, put, writes, object: () => object, open, session: await open() }
}
