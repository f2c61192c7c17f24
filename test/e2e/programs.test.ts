import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import * as v from 'valibot'
import { beforeAll, describe, expect, test } from 'vitest'
import { useLab } from './support/cluster.ts'
import { useLaptop } from './support/ksync.ts'
import { place, testWith } from './support/place.ts'
import { until } from './support/until.ts'

/** A server of two processes, which is told apart by its descriptors too. */
const server = `
  const cluster = require('cluster'), fs = require('fs'), http = require('http')
  if (cluster.isPrimary) {
    cluster.setupPrimary({ exec: __filename })
    for (let n = 0; n < 2; n++) cluster.fork()
    cluster.on('exit', () => cluster.fork())
    setTimeout(() => fs.appendFileSync('folder/starts', fs.readdirSync('/proc/self/fd').length + '\\n'), 300)
  } else http.createServer((_, answer) => answer.end()).listen(0)`

/** With threads, one of which waits for connections. */
const python = `
import os, socket, threading
heard = socket.create_server(('127.0.0.1', 0))
for wait in (heard.accept, threading.Event().wait): threading.Thread(target=wait).start()
with open('folder/starts', 'a') as starts: starts.write(str(len(os.listdir('/proc/self/fd'))) + '\\n')
`

const shell =
  'sleep 1000 & (sleep 1001; sleep 1002) & echo start >>folder/starts; wait; echo over >>folder/starts'

const c = (version: number) => `
  #include <stdio.h>
  #include <unistd.h>
  int main(void) { FILE *f = fopen("folder/starts", "a"); fprintf(f, "${version}\\n"); fclose(f); for (;;) pause(); }`

describe('programs that are restarted in place, 200 times', () => {
  const lab = useLab('programs')
  const laptop = useLaptop()

  beforeAll(async () => {
    laptop.hasRunInit()
    await lab.deploy('programs')
    await laptop.watch()
  })

  /** Syncs a folder of its own with a container; its starts are in that folder. */
  async function sync(container: string, fill: (folder: string) => void) {
    const folder = laptop.folder(container)
    fill(folder)
    const where = ['-n', lab.namespace, '--pod', 'programs', '--container', container]
    // Nothing is reloaded but on request.
    const how = ['--reload', 'restart', '--reload-on', 'nothing']
    await laptop.did('create', '--name', container, ...where, ...how, folder, '/folder')
    await laptop.inSync(container, 1)
    return folder
  }

  async function reload(spec: string, times: number) {
    const reports = []
    for (let time = 0; time < times; time += 1) reports.push(await ask(laptop.home, spec))
    expect(reports.filter(({ error }) => error !== undefined)).toEqual([])
  }

  const startsIn = (folder: string) => readFileSync(join(folder, 'starts'), 'utf8').trim().split('\n')
  const started = (folder: string, count: number) =>
    until('it has started', () => startsIn(folder), { holds: (all) => all.length >= count })

  test('a Node server of several processes: no descriptor is left open', async () => {
    const folder = await sync('node', (at) => writeFileSync(join(at, 'main.cjs'), server))
    const [before] = await started(folder, 1)
    await reload('node', 200)
    const { length } = startsIn(folder)
    const all = await started(folder, length + 1)
    // A leak would be one each time; how many a Node has open varies by some.
    expect(Number(all.at(-1))).toBeLessThan(Number(before) + 10)
  }, 180_000)

  test.skipIf(!hasPython())(
    'a Python server with threads: no descriptor is left open',
    async () => {
      const folder = await sync('python', (at) => writeFileSync(join(at, 'main.py'), python))
      const [before] = await started(folder, 1)
      await reload('python', 200)
      const { length } = startsIn(folder)
      await reload('python', 1)
      expect(Number((await started(folder, length + 1)).at(-1))).toBeLessThan(Number(before) + 10)
    },
    180_000,
  )

  test('a shell with children', async () => {
    const folder = await sync('shell', (at) => writeFileSync(join(at, 'main'), shell))
    await started(folder, 1)
    await reload('shell', 200)
    expect(await lab.sh('programs', 'pgrep -f "sleep 100[12]" | wc -l', 'shell')).toMatch(/^\s*[012345]\n$/)
    expect(startsIn(folder)).not.toContain('over')
  }, 180_000)

  test.skipIf(!hasCompiler())(
    'a static program that the sync itself replaces',
    async () => {
      const folder = await sync('static', (at) => compile(at, 1))
      expect(await started(folder, 1)).toEqual(['1'])
      compile(folder, 2)
      await until('the new one has arrived', () => ask(laptop.home, 'static').then(() => startsIn(folder)), {
        holds: (all) => all.at(-1) === '2',
        every: 500,
      })
      await reload('static', 200)
    },
    180_000,
  )

  testWith('users')('a program that gave up its user is left alone, and it is said why', async () => {
    const gives =
      "process.setgid(1000); process.setuid(1000); require('fs').writeFileSync('/tmp/given', ''); setInterval(() => {}, 1e9)"
    await sync('dropped', (at) => writeFileSync(join(at, 'main.cjs'), gives))
    const told = await until('it gave up its user', () => ask(laptop.home, 'dropped'), {
      holds: ({ error }) => error !== undefined,
      every: 500,
    })
    expect(told.error).toMatch(/started as uid 0 and runs as uid 1000.*restart-container/)
  })

  test('no container was restarted', async () => {
    expect(await lab.restarts('programs')).toBe(0)
  })
})

const answerSchema = v.object({ reloaded: v.tuple([v.object({ error: v.optional(v.string()) })]) })

/** As `ksync reload` does, without a process for each. */
async function ask(home: string, spec: string): Promise<{ error?: string | undefined }> {
  const run = join(home, '.kubesync/run')
  const socketPath = join(run, readdirSync(run)[0] ?? '', 'socket')
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method: 'POST', path: '/reload', agent: false }, async (response) => {
      const text = (await response.setEncoding('utf8').toArray()).join('')
      const answer = v.safeParse(answerSchema, JSON.parse(text))
      if (answer.success) resolve(answer.output.reloaded[0])
      else reject(new Error(text))
    })
    sent.on('error', reject)
    sent.end(JSON.stringify({ spec }))
  })
}

/** In the sandbox, programs are this machine's. */
function hasPython(): boolean {
  return place !== 'sandbox' || spawnSync('python3', ['--version']).status === 0
}

function hasCompiler(): boolean {
  return compileTo('/dev/null', 0)
}

/** Puts a program in the place of the one that is there. */
function compile(folder: string, version: number): void {
  compileTo(join(folder, '..', 'program'), version)
  renameSync(join(folder, '..', 'program'), join(folder, 'program'))
}

function compileTo(path: string, version: number): boolean {
  return spawnSync('cc', ['-static', '-x', 'c', '-o', path, '-'], { input: c(version) }).status === 0
}
