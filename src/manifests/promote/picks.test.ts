import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openPicks } from './picks.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'picks-'))
})
afterEach(() => rm(folder, { recursive: true }))

const picked = (...fields: [string, boolean][]) => new Map([['Deployment.apps web', new Map(fields)]])

test('picks are there the next time, for the same places in the same direction, and later ones win', async () => {
  await (await openPicks(folder, ['a', 'b'])).keep(picked(['image', true], ['replicas', true]))
  await (await openPicks(folder, ['a', 'b'])).keep(picked(['replicas', false]))
  expect((await openPicks(folder, ['a', 'b'])).picks).toEqual(picked(['image', true], ['replicas', false]))
  expect((await openPicks(folder, ['b', 'a'])).picks).toEqual(new Map())
})

test.each(['', 'null', '{"version":2,"picks":{}}', '{"version":1,"picks":{"a":{"b":"yes"}}}'])(
  'what is not what was kept (%s) says nothing',
  async (text) => {
    const store = await openPicks(folder, ['a', 'b'])
    await store.keep(picked(['image', true]))
    const [file = ''] = await readdir(join(folder, 'picks'))
    expect((await stat(join(folder, 'picks', file))).mode & 0o077).toBe(0)
    await writeFile(join(folder, 'picks', file), text)
    expect((await openPicks(folder, ['a', 'b'])).picks).toEqual(new Map())
  },
)
