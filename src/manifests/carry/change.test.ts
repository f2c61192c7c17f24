import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { answerStatus } from '../../kube/testing/server.ts'
import type { Selection } from '../plan/plan.ts'
import { surveyChange } from '../survey/change.ts'
import { surveyFolder } from '../survey/folder.ts'
import { subjectOf } from '../survey/push.ts'
import { configMapWorld } from '../testing/config-map.ts'
import { carryChange } from './change.ts'

const file = `# mine
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data: {a: "1", mine: "x"} # stays
`
const all: Selection = new Map([['ConfigMap default/a', 'all']])

/** Here and in the cluster `a` is 1; the change makes it 2 on both sides. */
async function world(data: Record<string, string> = { a: '1' }) {
  const there = await configMapWorld()
  there.put({ data })
  const { root, session } = there
  const path = join(root, 'a.yaml')
  writeFileSync(path, file)
  const folder = await surveyFolder(session, ['.'])
  const wishesOf = () => [{ path: ['data', 'a'], value: '2', like: undefined }]
  const subjects = folder.objects.map((object) => ({ ...subjectOf(object), wishesOf }))
  const prepared = await surveyChange(session, folder, subjects)
  const deploy = () =>
    carryChange(
      session,
      { prepared, selection: all, command: 'deploy a --set data.a=2' },
      { timeoutMs: 1000, onProgress: () => {}, signal: new AbortController().signal },
    )
  return { ...there, prepared, deploy, path, text: () => readFileSync(path, 'utf8') }
}

describe('a change of file and cluster', () => {
  test('is made on both sides as one operation, and touches nothing else', async () => {
    const { deploy, text, object, session, put } = await world()
    put({ status: 'written by a controller meanwhile' })
    expect(await deploy()).toMatchObject([{ what: 'written' }, { what: 'changed', reason: '' }])
    expect(text()).toBe(file.replace('"1"', '"2"'))
    expect(object().data).toEqual({ a: '2' })
    const [first, second, ...more] = await session.journal.read()
    const about = { command: 'deploy a --set data.a=2', outcome: 'done', isOneStep: true }
    expect([first, second, more]).toMatchObject([
      { ...about, where: 'file', before: file },
      { ...about, where: 'cluster', before: { data: { a: '1' } }, after: { data: { a: '2' } } },
      [],
    ])
    expect(first?.operation).toBe(second?.operation)
  })

  test('is not made in the file either if the cluster refuses it', async () => {
    const { deploy, text, hooks, object, session } = await world()
    hooks.onWrite = (response) => {
      // Both writes are known before the first is made, and the file comes first.
      expect(text()).not.toBe(file)
      answerStatus(response, 403, 'Forbidden', 'not here')
      return false
    }
    expect(await deploy()).toMatchObject([{ what: 'failed', reason: expect.stringContaining('not here') }])
    expect(text()).toBe(file)
    expect(object().data).toEqual({ a: '1' })
    expect(await session.journal.read()).toMatchObject([{ outcome: 'failed' }, { outcome: 'failed' }])
  })

  test('leaves a file alone that somebody wrote meanwhile, before it or after it', async () => {
    const before = await world()
    writeFileSync(before.path, 'a: 1\n')
    const reason = 'the file was changed meanwhile'
    expect(await before.deploy()).toMatchObject([{ what: 'failed', reason }])
    expect([before.text(), before.writes]).toEqual(['a: 1\n', []])

    const after = await world()
    after.hooks.onWrite = (response) => {
      writeFileSync(after.path, 'a: 2\n')
      answerStatus(response, 403, 'Forbidden')
      return false
    }
    expect(await after.deploy()).toMatchObject([{ reason: expect.stringContaining('could not be put back') }])
    expect(after.text()).toBe('a: 2\n')
  })

  test('is made whole where the connection broke after the cluster had taken it', async () => {
    const { deploy, text, hooks, object } = await world()
    hooks.onWrite = (response) => {
      response.destroy()
      return true
    }
    expect(await deploy()).toMatchObject([{ what: 'written' }, { what: 'changed' }])
    expect([text(), object().data]).toEqual([file.replace('"1"', '"2"'), { a: '2' }])
  })

  test('stays begun where nobody can tell whether the cluster took it', async () => {
    const { deploy, text, hooks, server, session } = await world()
    hooks.onWrite = () => {
      void server.stop()
      return true
    }
    expect(await deploy()).toMatchObject([
      { what: 'failed', reason: expect.stringContaining('nobody knows') },
    ])
    expect(text()).not.toBe(file)
    expect(await session.journal.read()).toMatchObject([{ outcome: 'begun' }, { outcome: 'begun' }])
  })

  test('is remembered: both sides are in step afterwards', async () => {
    const { deploy, open, root } = await world({ a: '1', mine: 'x' })
    await deploy()
    const again = await open()
    const found = again.base.find('ConfigMap default/a', join(root, 'a.yaml'), () => true)
    expect(found?.agreed.file).toMatchObject({ data: { a: '2' } })
  })
})
