import { chmod, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { findPaths, type Paths } from '../config/paths.ts'
import { addSpec, type Config, removeSpecs, setAgent } from '../config/store.ts'
import { askResume, askStatus, askStop } from './client.ts'
import { demo, FakeWorld, phase, runningPod } from './testing/fake-world.ts'
import { startWatch, type Watch } from './watch.ts'
import type { LogEvent } from './world.ts'

let home: string
let paths: Paths
let world: FakeWorld
let log: LogEvent[]
let watches: Watch[]

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'home-'))
  paths = findPaths({ env: { KUBESYNC_HOME: home } })
  world = new FakeWorld()
  world.pods(runningPod('a'))
  log = []
  watches = []
})
afterEach(async () => {
  await Promise.all(watches.map((watch) => watch.stop()))
  await rm(home, { recursive: true, force: true })
})

async function start(newWorld: (config: () => Config) => FakeWorld = () => world): Promise<Watch> {
  const watch = await startWatch({ paths, log: (event) => log.push(event), newWorld })
  watches.push(watch)
  return watch
}

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
    expect(await askStop(paths.socket)).toBeUndefined()
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
    expect(await askStop(paths.socket)).toBe(process.pid)
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
