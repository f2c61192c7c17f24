import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { answer, answerStatus, startServer } from '../../kube/testing/server.ts'
import type { ResourcePlan } from '../plan/plan.ts'
import { openSession } from '../session.ts'
import { surveyFolder } from './folder.ts'
import { surveyPush } from './push.ts'

const resources = ['ConfigMap', 'PersistentVolumeClaim'].map((kind) => ({
  ...{ name: `${kind.toLowerCase()}s`, kind, namespaced: true, verbs: ['get', 'list', 'patch'] },
}))
const metadata = { name: 'a', namespace: 'default', uid: 'u', resourceVersion: '1' }
const live = { apiVersion: 'v1', metadata, data: { a: '1' } }

/** The plan of one object that differs from what a server has, by what that answers to a dry run. */
async function planned(
  dryRun: (response: ServerResponse) => void,
  kind = 'ConfigMap',
): Promise<ResourcePlan | undefined> {
  const root = mkdtempSync(join(tmpdir(), 'kubesync-preview-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  const server = await startServer()
  server.handle((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', server.url)
    if (pathname === '/api/v1') return answer(response, { resources })
    if (pathname === '/version') return answer(response, { gitVersion: 'v1.30.0' })
    if (!pathname.endsWith('/a')) return answerStatus(response, 404, 'NotFound')
    // Of what the file says; what the cluster has is dry-run, too, to find its defaults.
    if (searchParams.has('dryRun') && request.method === 'PATCH') return dryRun(response)
    return answer(response, { ...live, kind })
  })
  const session = await openSession({
    ...{ client: await server.client(), root, state: join(root, '.state'), secrets: 'encrypt' },
  })
  const manifest = { apiVersion: 'v1', kind, metadata: { name: 'a' }, data: { a: '2' } }
  writeFileSync(join(root, 'a.json'), JSON.stringify(manifest))
  const folder = await surveyFolder(session, ['.'])
  return (await surveyPush(session, folder, folder.objects)).plan.resources[0]
}

describe('what the server says of a push beforehand', () => {
  test('what a webhook would add is told, and is nothing to choose', async () => {
    const fields = { 'f:metadata': { 'f:labels': { 'f:team': {} } } }
    const managedFields = [{ manager: 'admission_update', operation: 'Update', fieldsV1: fields }]
    const labelled = { ...metadata, labels: { team: 'shop' }, managedFields }
    const plan = await planned((response) =>
      answer(response, { ...live, kind: 'ConfigMap', metadata: labelled, data: { a: '2' } }),
    )
    expect(plan?.differences.map(({ path, whose, isHeld }) => [path.join('.'), whose, isHeld])).toEqual([
      ['data.a', 'differs', false],
      ['metadata.labels', 'webhook', false],
    ])
  })

  test('who may not ask is told that nothing was validated, and can push all the same', async () => {
    const plan = await planned((response) => answerStatus(response, 403, 'Forbidden', 'jane may not patch'))
    expect(plan).toMatchObject({
      state: 'changed',
      notes: [expect.stringMatching(/not validated by the server: .*jane may not patch/)],
    })
  })

  test.each([
    ['ConfigMap', false],
    ['PersistentVolumeClaim', true],
  ])('what cannot be changed in a %s is a replacement, which says what is lost', async (kind, holdsData) => {
    const said = 'data: Forbidden: field is immutable when `immutable` is set'
    const plan = await planned((response) => answerStatus(response, 422, 'Invalid', said), kind)
    expect(plan?.replace).toEqual({ holdsData, reason: expect.stringContaining(said) })
  })

  test('what it would refuse is refused with its reason', async () => {
    const plan = await planned((response) => answerStatus(response, 422, 'Invalid', 'data: too odd'))
    expect(plan).toMatchObject({
      state: 'refused',
      notes: [expect.stringContaining('the server refuses it: data: too odd')],
    })
  })
})
