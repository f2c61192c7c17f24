import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { answer, answerStatus, startServer } from '../../kube/testing/server.ts'
import { openSession } from '../session.ts'
import { surveyFolder } from '../survey/folder.ts'
import { surveyPush } from '../survey/push.ts'
import type { JsonMap } from '../value.ts'
import { carryOut } from './carry.ts'

const types = {
  resources: [{ name: 'configmaps', kind: 'ConfigMap', namespaced: true, verbs: ['get', 'list', 'patch'] }],
}

/** A server with one ConfigMap, which refuses to apply to another version than it has. */
async function world() {
  const root = mkdtempSync(join(tmpdir(), 'kubesync-push-'))
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
  server.handle((request, response, body) => {
    const url = new URL(request.url ?? '', server.url)
    if (url.pathname === '/api/v1') return answer(response, types)
    if (url.pathname === '/version') return answer(response, { gitVersion: 'v1.30.0' })
    if (!url.pathname.endsWith('/configmaps/a')) return answerStatus(response, 404, 'NotFound')
    if (request.method === 'GET' || url.searchParams.has('dryRun')) return answer(response, object)
    const sent: JsonMap = JSON.parse(body)
    const metadata = sent.metadata as JsonMap
    if (metadata.resourceVersion !== String(version)) {
      const said = 'the object has been modified; please apply your changes to the latest version'
      return answerStatus(response, 409, 'Conflict', said)
    }
    writes.push(sent)
    put({ data: sent.data ?? null })
    return answer(response, object)
  })
  const client = await server.client()
  const session = await openSession({ client, root, state: join(root, '.state'), secrets: 'encrypt' })
  writeFileSync(
    join(root, 'a.yaml'),
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: "2"}\n',
  )
  const folder = await surveyFolder(session, ['.'])
  const prepared = await surveyPush(session, folder, folder.objects)
  const push = () =>
    carryOut(
      session,
      { prepared, selection: new Map([['ConfigMap default/a', 'all']]) },
      {
        ...{ waits: false, replaceable: new Set<string>(), timeoutMs: 1000, onProgress: () => {} },
        signal: new AbortController().signal,
      },
    )
  return { put, push, writes, session }
}

describe('an approval', () => {
  test('holds for the version that was shown: what changed since is not overwritten', async () => {
    const { put, push, writes, session } = await world()
    put({ data: { a: '1', b: 'new' } })
    expect(await push()).toMatchObject([{ what: 'moved' }])
    expect(writes).toEqual([])
    expect(await session.journal.read()).toMatchObject([{ outcome: 'failed' }])
  })

  test('holds on where only what nobody keeps in a file was changed', async () => {
    const { put, push, writes } = await world()
    put({ status: { seen: 1 } })
    expect(await push()).toMatchObject([{ what: 'changed', reason: '' }])
    expect(writes).toMatchObject([{ data: { a: '2' } }])
  })
})

test('a write is recorded before it is made, with what was there', async () => {
  const { push, session } = await world()
  await push()
  expect(await session.journal.read()).toMatchObject([
    { where: 'cluster', outcome: 'done', before: { data: { a: '1' } }, after: { data: { a: '2' } } },
  ])
})
