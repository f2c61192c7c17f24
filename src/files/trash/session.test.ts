import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { bindBase } from '../base/bind.ts'
import { openBaseStore } from '../base/store.ts'
import { onBehalfOf } from '../replica/on-behalf.ts'
import { openDirectory } from '../replica/open-directory.ts'
import { temporaryRoot } from '../replica/testing/roots.ts'
import { servedReplica } from '../replica/testing/served.ts'
import { startSession } from '../session.ts'
import { lastMoment } from './choose.ts'
import { catalogOf } from './testing/catalog.ts'
import { carryOutUndo, planUndo } from './undo.ts'

test('what the other side replaced and deleted is brought back while both are synced, and travels there', async () => {
  const [here, there, home] = [temporaryRoot(), temporaryRoot(), join(temporaryRoot(), 'trash')]
  mkdirSync(join(here, 'src/empty'), { recursive: true })
  for (const name of ['main', 'gone', 'other']) writeFileSync(join(here, 'src', name), `my ${name}`)
  const origin = { spec: 'demo', pod: 'demo-0', container: 'app' }
  const local = onBehalfOf(origin, await servedReplica(here, openDirectory, { trash: home }))
  const remote = await servedReplica(there)
  const base = openBaseStore(join(temporaryRoot(), 'base'))
  bindBase(base, { container: 'c', local: local.info, remote: remote.info, isSuccessor: false })
  const session = startSession({ local, remote, base, mode: 'two-way-safe', settleMs: 0 })
  onTestFinished(async () => {
    await session.stop()
    base.close()
  })
  const settled = async () => {
    await Promise.all([local.rescan('all'), remote.rescan('all')])
    return session.settled()
  }
  await settled()
  writeFileSync(join(there, 'src/main'), 'what a container writes')
  for (const name of ['gone', 'empty']) rmSync(join(there, 'src', name), { recursive: true })
  await settled()
  expect(readFileSync(join(here, 'src/main'), 'utf8')).toBe('what a container writes')
  expect(existsSync(join(here, 'src/gone'))).toBe(false)

  const { items } = await catalogOf(home)
  expect(items.map(({ path }) => path).sort()).toEqual(['src/empty', 'src/gone', 'src/main'])
  expect(items.every((item) => item.origin?.pod === 'demo-0')).toBe(true)
  const undone = carryOutUndo(planUndo(lastMoment(items)), home)
  expect(undone.map(({ result }) => result)).toEqual(['restored', 'restored', 'restored'])
  const status = await settled()
  expect(status).toMatchObject({ phase: 'in-sync', conflicts: [], problems: [] })
  for (const root of [here, there]) {
    for (const name of ['main', 'gone', 'other'])
      expect(readFileSync(join(root, 'src', name), 'utf8')).toBe(`my ${name}`)
    expect(existsSync(join(root, 'src/empty'))).toBe(true)
  }
})
