import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isAlive } from '../config/lock.ts'
import { findPaths, type Paths } from '../config/paths.ts'
import { stopWork, workInBackground } from './background.ts'

let home: string
let paths: Paths
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'home-'))
  paths = findPaths({ env: { KUBESYNC_HOME: home } })
  await mkdir(dirname(paths.socket), { recursive: true })
})
afterEach(async () => {
  await stopWork(paths, work)
  await rm(home, { recursive: true, force: true })
})

const work = { what: 'specs', kubeconfig: '' } as const

/** A program that answers as a watch does. */
const watch = `
const { createServer } = require('node:http')
console.log('watching', process.argv.slice(1).join(' '))
const status = JSON.stringify({ pid: process.pid, log: 'its log',  startedAt: '', configPath: '', watches: true, specs: [], keeps: [] })
createServer((request, response) => {
  response.end(status)
  if (request.url === '/stop') setTimeout(() => process.exit(0), 50)
}).listen(process.env.SOCKET)
`

function start(program: string, limitMs?: number) {
  const env = { ...process.env, SOCKET: paths.socket }
  const options = { paths, env, args: ['watch', '--all'], program: ['-e', program, '--'] }
  return workInBackground({ ...options, ...(limitMs === undefined ? {} : { limitMs }) }, work)
}

test('resolves once the watch answers; it outlives that, and what it says is in its log', async () => {
  const { pid } = await start(watch)
  expect(isAlive({ pid })).toBe(true)
  expect(await readFile(paths.log, 'utf8')).toContain('watching watch --all')
  expect((await stat(paths.log)).mode & 0o777).toBe(0o600)
})

test('stopping waits until the process is gone', async () => {
  const { pid } = await start(watch)
  expect(await stopWork(paths, work)).toMatchObject({ pid })
  expect(isAlive({ pid })).toBe(false)
  expect(await stopWork(paths, work)).toBeUndefined()
})

test('what runs already is left the work, and no other process is started', async () => {
  const { pid } = await start(watch)
  expect(await start('process.exit(1)')).toEqual({ pid, log: 'its log' })
})

test('one that ends at once is told with its last words, not with older ones', async () => {
  await mkdir(dirname(paths.log), { recursive: true })
  await writeFile(paths.log, 'from another time\n')
  const error = await start(`console.error('error: the configuration is broken'); process.exit(1)`).catch(
    (e) => e,
  )
  expect(error).toMatchObject({ code: 'WATCH_NOT_STARTED', hint: expect.stringContaining(paths.log) })
  expect(error.message).toContain('error: the configuration is broken')
  expect(error.message).not.toContain('from another time')
})

test('one that dies without a word is told with how it ended', async () => {
  await expect(start('process.exit(7)')).rejects.toThrow('it ended with exit code 7')
})

test('one that never answers is ended and told', async () => {
  const script = `require('node:fs').writeFileSync(process.env.SOCKET + '.pid', String(process.pid)); setInterval(() => {}, 1000)`
  await expect(start(script, 1500)).rejects.toThrow('it did not answer within 1.5 s')
  const pid = Number(await readFile(`${paths.socket}.pid`, 'utf8'))
  const ended = async () => {
    while (isAlive({ pid })) await new Promise(setImmediate)
    return true
  }
  expect(await ended()).toBe(true)
})

test('a log that grew large is set aside', async () => {
  await mkdir(dirname(paths.log), { recursive: true })
  await writeFile(paths.log, 'x'.repeat(6 * 1024 * 1024))
  await start(watch)
  expect((await stat(paths.log)).size).toBeLessThan(1000)
  expect((await stat(`${paths.log}.1`)).size).toBe(6 * 1024 * 1024)
})
