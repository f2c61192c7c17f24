import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { surveyFolder } from '../survey/folder.ts'
import { surveyPush } from '../survey/push.ts'
import { configMapWorld } from '../testing/config-map.ts'
import { carryOut } from './carry.ts'

async function world(isAway = false) {
  const { root, hooks, put, writes, session } = await configMapWorld()
  hooks.isAway = isAway
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
  hooks.isAway = false
  return { put, push, writes, session }
}

describe('an approval', () => {
  test('to make something does not hold for what somebody else made meanwhile', async () => {
    const { push, writes } = await world(true)
    expect(await push()).toMatchObject([
      { what: 'moved', reason: expect.stringContaining('somebody made it') },
    ])
    expect(writes).toEqual([])
  })

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
