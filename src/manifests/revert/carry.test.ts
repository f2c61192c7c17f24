import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { answerStatus } from '../../kube/testing/server.ts'
import { carryChange } from '../carry/change.ts'
import { surveyChange } from '../survey/change.ts'
import { surveyFolder } from '../survey/folder.ts'
import { subjectOf } from '../survey/push.ts'
import { configMapWorld } from '../testing/config-map.ts'
import { carryRevert } from './carry.ts'
import { type Asked, chooseWrites } from './choose.ts'
import { surveyRevert } from './survey.ts'

const file =
  '# mine\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: "1", mine: "x"} # stays\n'
const options = { timeoutMs: 1000, onProgress() {}, signal: new AbortController().signal }
const all = new Map([['ConfigMap default/a', 'all' as const]])

/** File and cluster, after a change of `a` from 1 to 2 in both. */
async function world() {
  const there = await configMapWorld()
  const { root, session } = there
  const path = join(root, 'a.yaml')
  writeFileSync(path, file)
  const folder = await surveyFolder(session, ['.'])
  const wishesOf = () => [{ path: ['data', 'a'], value: '2', like: undefined }]
  const subjects = folder.objects.map((object) => ({ ...subjectOf(object), wishesOf }))
  const prepared = await surveyChange(session, folder, subjects)
  await carryChange(session, { prepared, selection: all, command: 'deploy a' }, options)
  const survey = async (asked: Asked = {}) =>
    surveyRevert(session, chooseWrites(await session.journal.operations(), asked, session))
  const revert = async (asked: Asked = {}) => {
    const reverting = {
      prepared: await survey(asked),
      selection: all,
      command: 'revert',
      deletable: new Set<string>(),
    }
    return carryRevert(session, reverting, { ...options, waits: false, replaceable: new Set() })
  }
  const reverted = async () => (await session.journal.operations()).map((one) => one.reverted)
  return { ...there, survey, revert, reverted, path, text: () => readFileSync(path, 'utf8') }
}

describe('a change of file and cluster', () => {
  test('is taken back on both sides, byte for byte, and made again by taking that back', async () => {
    const { revert, reverted, text, object } = await world()
    const changed = text()
    expect(await revert()).toMatchObject([{ what: 'written' }, { what: 'changed', reason: '' }])
    expect([text(), object().data, await reverted()]).toEqual([file, { a: '1' }, ['yes', 'no']])
    await revert()
    expect([text(), object().data, await reverted()]).toEqual([changed, { a: '2' }, ['no', 'yes', 'no']])
  })

  test('stays in the file, too, where the cluster refuses to go back', async () => {
    const { revert, reverted, text, hooks } = await world()
    const changed = text()
    hooks.onWrite = (response) => {
      expect(text()).toBe(file)
      answerStatus(response, 403, 'Forbidden', 'not here')
      return false
    }
    expect(await revert()).toMatchObject([
      { what: 'failed' },
      { what: 'failed', reason: expect.stringContaining('not here') },
    ])
    expect([text(), await reverted()]).toEqual([changed, ['no', 'no']])
  })

  test('goes back on the side that is named, and is shown as disputed where somebody changed it since', async () => {
    const { revert, reverted, survey, text, object, put, path } = await world()
    put({ data: { a: 'theirs' } })
    const { plan } = await survey()
    expect(plan.resources).toMatchObject([
      { state: 'conflict', notes: ['it was changed in the cluster since: data.a'] },
    ])
    await revert({ only: 'file' })
    expect([text(), object().data, await reverted()]).toEqual([file, { a: 'theirs' }, ['partly', 'no']])
    writeFileSync(path, file.replace('"1"', '"3"'))
    await revert({ to: 0 })
    expect([text(), object().data]).toEqual([file.replace('"1"', '"3"'), { a: 'theirs' }])
  })
})
