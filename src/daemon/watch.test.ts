import { chmod, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { findPaths, type Paths } from '../config/paths.ts'
import { addSpec, type Config, removeSpecs, setAgent } from '../config/store.ts'
import type { KeepConflict } from '../manifests/keep/status.ts'
import { askResume, askSettle, askStatus, askStop, askToTake } from './client.ts'
import { joinIn } from './join.ts'
import { type FakeKeeps, fakeKeeps, keepStatus, order } from './testing/fake-keeps.ts'
import { demo, FakeWorld, phase, runningPod } from './testing/fake-world.ts'
import { startWatch, type Watch } from './watch.ts'
import type { LogEvent } from './world.ts'

let home: string
let paths: Paths
let world: FakeWorld
let log: LogEvent[]
let watches: Watch[]
let keeps: FakeKeeps

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'home-'))
  paths = findPaths({ env: { KUBESYNC_HOME: home } })
  world = new FakeWorld()
  world.pods(runningPod('a'))
  log = []
  watches = []
  keeps = fakeKeeps()
})
afterEach(async () => {
  await Promise.all(watches.map((watch) => watch.stop()))
  await rm(home, { recursive: true, force: true })
})

async function begin(newWorld: (config: () => Config) => FakeWorld = () => world): Promise<Watch> {
  const pace = { firstMs: 1, maxMs: 5 }
  const tell = (event: LogEvent) => log.push(event)
  const watch = await startWatch({ paths, log: tell, newWorld, newKeep: () => keeps.start, pace })
  watches.push(watch)
  return watch
}

async function start(newWorld?: (config: () => Config) => FakeWorld): Promise<Watch> {
  const watch = await begin(newWorld)
  await watch.sync('', false)
  return watch
}

const specsOnly = { what: 'specs' } as const

const soon = <T>(check: () => T | Promise<T>) => vi.waitFor(check, { interval: 5, timeout: 10_000 })

describe('watch', () => {
  test('syncs the specs that there are, and those that come, until they go', async () => {
    await addSpec(paths.config, () => demo)
    await start()
    await soon(() => expect(world.running).toHaveLength(1))
    await addSpec(paths.config, () => ({ ...demo, name: 'other', remote: '/other' }))
    await soon(() => expect(world.running).toHaveLength(2))
    await removeSpecs(paths.config, ['demo'])
    await soon(() => expect(world.running).toHaveLength(1))
    const status = await askStatus(paths.socket)
    expect(status?.specs.map(({ name }) => name)).toEqual(['other'])
  })

  test('a configuration that breaks is told of, and what ran goes on', async () => {
    await addSpec(paths.config, () => demo)
    await start()
    await soon(() => expect(world.running).toHaveLength(1))
    await writeFile(paths.config, 'specs: [')
    await soon(() =>
      expect(log.at(-1)).toMatchObject({ level: 'error', message: expect.stringContaining(':1:9') }),
    )
    expect(world.running).toHaveLength(1)
  })

  test('the world is told where agents are by the time of asking', async () => {
    const seen: (() => Config)[] = []
    await start((config) => {
      seen.push(config)
      return world
    })
    await setAgent(paths.config, 'kind', 'tools')
    await soon(() => expect(seen[0]?.().agents).toEqual({ kind: 'tools' }))
  })

  test('one that is broken from the start is refused, and leaves nothing behind', async () => {
    await writeFile(paths.config, 'specs: [')
    await expect(start()).rejects.toMatchObject({ code: 'CONFIG_BROKEN' })
    await rm(paths.config)
    await start()
  })

  test('a second one of the same configuration is refused with the pid of the first', async () => {
    const first = await start()
    await expect(start()).rejects.toMatchObject({ code: 'WATCH_RUNNING' })
    await expect(start()).rejects.toThrow(`process ${process.pid} already watches ${paths.config}`)
    await first.stop()
    await start()
  })

  test('of several at once exactly one comes up', async () => {
    const results = await Promise.allSettled([start(), start(), start()])
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await askStatus(paths.socket)).toMatchObject({ pid: process.pid })
  })

  test('what a killed one left behind is in nobody’s way', async () => {
    const left = await start()
    await left.stop()
    // A socket that nobody listens on: closed without being unlinked, as by SIGKILL.
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(`${paths.socket}.tmp`, resolve))
    await rename(`${paths.socket}.tmp`, paths.socket)
    await new Promise((resolve) => server.close(resolve))
    await writeFile(paths.lock, JSON.stringify({ pid: process.pid, start: 'another time', nonce: 'x' }))
    expect(await askStatus(paths.socket)).toBeUndefined()
    await start()
    expect(await askStatus(paths.socket)).toMatchObject({ pid: process.pid })
  })
})

describe('one process for both', () => {
  const keep = { what: 'keep', order: order('/m') } as const
  const specs = { what: 'specs', kubeconfig: '/kube' } as const
  const here = () => ({ log: (event: LogEvent) => told.push(event), signal: leaving.signal })
  let told: LogEvent[]
  let leaving: AbortController
  beforeEach(() => {
    told = []
    leaving = new AbortController()
  })
  const kept = () => keeps.running.map(({ order: { folder } }) => folder)
  const conflict: KeepConflict = {
    ...{ id: '1', kind: 'conflict', resource: 'ConfigMap d/a', file: 'a.yaml', field: 'data.x' },
    ...{ local: '1', remote: '2', why: 'both sides changed it', answers: '' },
  }

  test('specs join what keeps folders, are synced as long as somebody is there, and hear of themselves alone', async () => {
    await addSpec(paths.config, () => demo)
    const watch = await begin()
    await watch.keep(keep.order, false)
    const joined = await joinIn(paths.socket, specs, here())
    expect(joined?.pid).toBe(process.pid)
    await soon(() => expect(world.running).toHaveLength(1))
    expect(await askStatus(paths.socket)).toMatchObject({ watches: true, keeps: [{ folder: '/m' }] })
    await expect(joinIn(paths.socket, specs, here())).rejects.toMatchObject({ code: 'WATCH_RUNNING' })
    await soon(() => expect(told.some(({ spec }) => spec === 'demo')).toBe(true))
    expect(told.filter(({ keep }) => keep !== undefined)).toEqual([])
    leaving.abort()
    await soon(() => expect(world.running).toEqual([]))
    expect(kept()).toEqual(['/m'])
  })

  test('a folder joins what syncs specs; its events and its end are told to who began it', async () => {
    await start()
    const joined = await joinIn(paths.socket, keep, here())
    await soon(() => expect(kept()).toEqual(['/m']))
    keeps.running[0]?.says(keepStatus({ state: 'waiting', conflicts: [conflict] }))
    await soon(() => expect(told.map(({ level }) => level)).toEqual(['info', 'warn', 'info', 'info']))
    expect(told[1]?.message).toBe(
      'ConfigMap d/a (a.yaml): data.x: here 1, in the cluster 2: both sides changed it',
    )
    await askSettle(paths.socket, { ...keep.order, id: '1', keep: 'local' })
    expect(keeps.running[0]?.resolved).toEqual([['1', 'local']])
    expect(await askStop(paths.socket, { what: 'keeps', folder: '/m' })).toMatchObject({
      goesOn: true,
      ended: ['/m'],
    })
    expect(await joined?.over).toEqual({ reason: '' })
    expect(kept()).toEqual([])
    expect(await askStatus(paths.socket)).toMatchObject({ watches: true, keeps: [] })
  })

  test('one that ends by its own policy says why', async () => {
    await start()
    const joined = await joinIn(paths.socket, keep, here())
    await soon(() => expect(kept()).toEqual(['/m']))
    keeps.running[0]?.says(keepStatus({ state: 'stopped', reason: 'a conflict' }))
    keeps.running[0]?.end()
    expect(await joined?.over).toEqual({ reason: 'a conflict' })
  })

  test('what ended by a defect begins again, and says so once', async () => {
    const watch = await begin()
    await watch.keep(keep.order, false)
    for (let time = 1; time <= 3; time += 1) {
      await soon(() => expect(keeps.running).toHaveLength(1))
      keeps.running[0]?.end(new Error('a defect'))
      await soon(() => expect(keeps.all).toHaveLength(time + 1))
    }
    expect(log.filter(({ message }) => message === 'a defect').length).toBeLessThanOrEqual(3)
  })

  test('the process ends when there is nothing left to do, and not before', async () => {
    const watch = await begin()
    await watch.sync('', false)
    await askToTake(paths.socket, keep)
    expect(await askStop(paths.socket, specsOnly)).toMatchObject({ isDone: true, goesOn: true })
    await soon(async () => expect(await askStatus(paths.socket)).toMatchObject({ watches: false }))
    expect(await askStop(paths.socket, specsOnly)).toMatchObject({ isDone: false, goesOn: true })
    expect(await askStop(paths.socket, { what: 'keeps' })).toMatchObject({ isDone: true, goesOn: false })
    await watch.closed
  })

  test('what stays goes on after a restart; what somebody held, or ended, does not', async () => {
    const watch = await begin()
    for (const folder of ['/a', '/b']) await askToTake(paths.socket, { what: 'keep', order: order(folder) })
    await watch.keep(order('/c'), false)
    expect(watch.staying).toEqual({ specs: false, keeps: true })
    await askStop(paths.socket, { what: 'keeps', folder: '/b' })
    await soon(() => expect(kept()).toEqual(['/a', '/c']))
    await watch.stop()
    await begin()
    await soon(() => expect(kept()).toEqual(['/a']))
  })

  test('a list of what stays that is damaged is told of, and left as it is', async () => {
    await mkdir(dirname(paths.keeps), { recursive: true })
    await writeFile(paths.keeps, 'broken')
    await expect(begin()).rejects.toMatchObject({ code: 'KEEPS_UNREADABLE' })
    expect(await readFile(paths.keeps, 'utf8')).toBe('broken')
    await rm(paths.keeps)
    await begin()
  })

  test('one of a folder and a cluster at a time, also of two configurations', async () => {
    const watch = await begin()
    await watch.keep(keep.order, false)
    await expect(watch.keep(keep.order, true)).rejects.toThrow(
      `process ${process.pid} already keeps /m and kind in step`,
    )
    await expect(watch.keep(order('/m/below'), true)).rejects.toMatchObject({ code: 'KEEPS_OVERLAP' })
    await watch.keep(order('/m', { server: 'https://elsewhere' }), false)
    paths = findPaths({ env: { KUBESYNC_HOME: home }, config: join(home, 'other') })
    const other = await begin()
    await expect(other.keep(keep.order, false)).rejects.toMatchObject({ code: 'KEEP_RUNNING' })
    await watch.stop()
    await other.keep(keep.order, false)
  })

  test('who takes part is cut off when the process ends, and knows that from an end', async () => {
    const watch = await start()
    const joined = await joinIn(paths.socket, keep, here())
    await watch.stop()
    expect(await joined?.over).toBe('cut')
    expect(await joinIn(paths.socket, keep, here())).toBeUndefined()
  })
})

describe('its socket', () => {
  test('is for its user only', async () => {
    await start()
    expect((await stat(paths.socket)).mode & 0o777).toBe(0o600)
    expect((await stat(dirname(paths.socket))).mode & 0o777).toBe(0o700)
  })

  test('is made private where its directory was open to others', async () => {
    await (await start()).stop()
    await chmod(dirname(paths.socket), 0o777)
    await start()
    expect((await stat(dirname(paths.socket))).mode & 0o777).toBe(0o700)
  })

  test('tells the status as it is', async () => {
    await addSpec(paths.config, () => demo)
    const watch = await start()
    await soon(() => expect(world.running).toHaveLength(1))
    world.running[0]?.says(phase('syncing', { progress: { done: 1, total: 2, bytesDone: 3, bytesTotal: 4 } }))
    const status = await askStatus(paths.socket)
    expect(status).toEqual(watch.status)
    expect(status).toMatchObject({ configPath: paths.config, specs: [{ name: 'demo', state: 'running' }] })
    expect(Date.parse(status?.startedAt ?? '')).toBeLessThanOrEqual(Date.now())
  })

  test('without a watch there is no answer, and that is no error', async () => {
    expect(await askStatus(paths.socket)).toBeUndefined()
    expect(await askStop(paths.socket, specsOnly)).toBeUndefined()
    expect(await askResume(paths.socket, 'demo')).toBeUndefined()
  })

  test('lets halted sessions go on by the name of their spec', async () => {
    await addSpec(paths.config, () => demo)
    await start()
    await soon(() => expect(world.running).toHaveLength(1))
    world.running[0]?.says(phase('halted', { halt: 'emptied' }))
    expect(await askResume(paths.socket, 'demo')).toBe(1)
    expect(world.running[0]?.resumed).toBe(1)
    await expect(askResume(paths.socket, 'x')).rejects.toMatchObject({ code: 'NO_SUCH_SPEC' })
  })

  test('ends the watch, which answers before it goes', async () => {
    const watch = await start()
    expect(await askStop(paths.socket, specsOnly)).toMatchObject({
      pid: process.pid,
      isDone: true,
      goesOn: false,
    })
    await watch.closed
    expect(await askStatus(paths.socket)).toBeUndefined()
  })

  test('one that says something else is told apart from one that is silent', async () => {
    await (await start()).stop()
    const answers = createHttpServer((_, response) => response.end('{"pid":"me"}'))
    await new Promise<void>((resolve) => answers.listen(paths.socket, resolve))
    await expect(askStatus(paths.socket)).rejects.toMatchObject({ code: 'WATCH_MISMATCH' })
    await new Promise((resolve) => answers.close(resolve))
    const cuts = createServer((socket) => socket.destroy())
    await new Promise<void>((resolve) => cuts.listen(paths.socket, resolve))
    await expect(askStatus(paths.socket)).rejects.toMatchObject({ code: 'WATCH_SILENT' })
    await new Promise((resolve) => cuts.close(resolve))
  })
})
