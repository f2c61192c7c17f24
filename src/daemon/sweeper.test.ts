import { existsSync, lstatSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openDirectory } from '../files/replica/open-directory.ts'
import { openCatalog } from '../files/trash/catalog.ts'
import { localTrash } from '../files/trash/local-trash.ts'
import { TrashPass } from '../files/trash/pass.ts'
import { type Sweeper, startSweeper } from './sweeper.ts'
import type { LogEvent } from './world.ts'

const DAY = 86_400_000

let place: string
let home: string
let events: LogEvent[]
let sweeper: Sweeper | undefined
beforeEach(() => {
  place = realpathSync(mkdtempSync(join(tmpdir(), 'sweeper-')))
  home = join(place, 'trash')
  events = []
})
afterEach(async () => {
  await sweeper?.stop()
  vi.useRealTimers()
  rmSync(place, { recursive: true, force: true })
})

function trash(name: string): void {
  const root = join(place, 'folder')
  mkdirSync(root, { recursive: true })
  writeFileSync(join(root, name), 'content')
  const dir = openDirectory(root)
  const bin = new TrashPass({ root, openStore: localTrash(home, root).openStoreFor(dir) })
  bin.remove({ dir, name, path: name, stats: lstatSync(join(root, name)) })
  bin.close()
  dir.close()
}

async function left(): Promise<number> {
  const catalog = await openCatalog(home)
  catalog.close()
  return catalog.items.length
}

const start = (limits = () => ({ maxAge: 14 * DAY, maxSize: 1000 })) =>
  startSweeper({ home, limits, log: (event) => events.push(event) })

test('what gets too old while it runs goes, and that is said', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval', 'performance'] })
  trash('f')
  sweeper = start()
  await vi.advanceTimersByTimeAsync(13 * DAY)
  expect([await left(), events]).toEqual([1, []])
  await vi.advanceTimersByTimeAsync(DAY + 2 * 3_600_000)
  await vi.waitFor(async () => expect(await left()).toBe(0))
  await sweeper.stop()
  expect(events).toMatchObject([{ level: 'info', message: expect.stringContaining('too old or too much') }])
})

test('a trash that was turned off is emptied', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 3_600_000 })
  trash('f')
  vi.useRealTimers()
  sweeper = start(() => ({ maxAge: 0, maxSize: 0 }))
  await vi.waitFor(async () => expect(await left()).toBe(0))
})

test('a trash that cannot be read is a warning, once, and no trash at all is nothing', async () => {
  sweeper = start()
  await sweeper.stop()
  expect([events, existsSync(home)]).toEqual([[], false])
  trash('f')
  const limits = () => {
    throw new Error('no limits')
  }
  sweeper = start(limits)
  await sweeper.stop()
  expect(events).toMatchObject([
    { level: 'warn', message: 'the trash could not be looked through: no limits' },
  ])
})
