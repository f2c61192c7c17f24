import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { useLab } from './support/cluster.ts'
import { apiServer } from './support/faults.ts'
import { Laptop } from './support/ksync.ts'
import { Checkout, live, patch } from './support/manifests.ts'
import { testWith } from './support/place.ts'
import type { Running } from './support/run.ts'
import { Screen } from './support/screen.ts'
import { until } from './support/until.ts'

const { namespace } = useLab('daemon')
let laptop: Laptop
let here: Checkout
let times = 0

const text = (name: string, a: string) =>
  `# of ${name}\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata:\n  a:   "${a}"  # kept\n  b: "1"\n`

/** Two objects that nobody has yet, in a folder of their own. */
beforeEach(() => {
  times += 1
  laptop = new Laptop()
  here = new Checkout(laptop, { name: `shop${times}`, namespace })
  for (const name of names()) here.write(`${name}.yaml`, text(name, '1'))
})
afterEach(() => laptop.remove())

const names = () => [`one${times}`, `two${times}`] as const
const change = (name: string, data: Record<string, string | null>) =>
  patch({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, ...{ data } })
const dataOf = async (name: string) =>
  ((await live('ConfigMap', name, namespace)) as { data?: unknown } | undefined)?.data
const isThere = (name: string, data: object) =>
  until(`the cluster has ${JSON.stringify(data)}`, () => dataOf(name), {
    holds: (now) => JSON.stringify(now) === JSON.stringify(data),
  })
const isHere = (name: string, content: string) =>
  until(`the file has ${content}`, () => here.read(`${name}.yaml`), { holds: (now) => now === content })

/** Starts it in the foreground, and returns when both sides are in step. */
async function start(...args: string[]): Promise<Running> {
  const daemon = laptop.start('daemon', '-f', '-n', namespace, ...args, here.folder)
  await inStep(daemon)
  return daemon
}

const inStep = (daemon: Running) =>
  until('it is in step', () => daemon.stdout + daemon.stderr, { holds: (said) => said.includes('in step (') })

interface View {
  readonly state: string
  readonly status?: { readonly writes: object; readonly conflicts: readonly { readonly field: string }[] }
}

async function view(): Promise<View> {
  const views = JSON.parse(await laptop.did('get', '-o', 'json')) as (View & { readonly kind: string })[]
  return views.find(({ kind }) => kind === 'manifests') ?? { state: 'none' }
}

const waits = (amount: number) =>
  until(`${amount} questions wait`, view, { holds: ({ status }) => status?.conflicts.length === amount })

describe('in the foreground', () => {
  test('it shows what it would write and asks; then edits of both sides travel, each told once, until it is ended', async () => {
    const [one, two] = names()
    const refused = await here.ksync('daemon')
    expect(refused).toMatchObject({ code: 1, stdout: expect.stringContaining('To the cluster:') })
    expect(refused.stdout).toMatch(new RegExp(`context \\S+ +server https://\\S+ +namespace ${namespace}`))
    expect(await dataOf(one)).toBeUndefined()

    const daemon = await start()
    await isThere(two, { a: '1', b: '1' })
    here.edit(`${one}.yaml`, '"1"  #', '"2"  #')
    await isThere(one, { a: '2', b: '1' })
    await change(two, { a: '3' })
    await isHere(two, text(two, '3'))
    const { code, stdout } = await daemon.kill('SIGTERM')
    expect(code).toBe(0)
    const told = stdout.split('\n').filter((line) => / (changed|written) /.test(line))
    expect(told.map((line) => line.replace(/^.*: ConfigMap/, 'ConfigMap'))).toEqual([
      `ConfigMap ${namespace}/${one} (${one}.yaml): changed in the cluster`,
      `ConfigMap ${namespace}/${two} (${two}.yaml): written in the file`,
    ])
    expect(here.files()).toEqual({ [`${one}.yaml`]: text(one, '2'), [`${two}.yaml`]: text(two, '3') })
  })

  test('a second one of the folder is refused and told who has it; a folder that is moved away deletes nothing', async () => {
    const [one] = names()
    const daemon = await start()
    const second = await here.ksync('daemon', '-f')
    expect([second.code, second.stderr]).toEqual([
      1,
      expect.stringMatching(/process \d+ already keeps .*shop/),
    ])
    renameSync(here.folder, `${here.folder}.away`)
    await until('that is said', view, { holds: ({ state }) => state === 'away' })
    await change(one, { b: '2' })
    expect((await view()).state).toBe('away')
    expect(existsSync(here.folder)).toBe(false)
    renameSync(`${here.folder}.away`, here.folder)
    await until('it goes on', view, { holds: ({ state }) => state === 'in-step' })
    await isHere(one, text(one, '1').replace('b: "1"', 'b: "2"'))
    expect(await dataOf(one)).toEqual({ a: '1', b: '2' })
    await daemon.end()
  })

  testWith('apiServer')('an API server that goes away and comes back is caught up with', async () => {
    const [one, two] = names()
    await start()
    await change(two, { a: '4' })
    await isHere(two, text(two, '4'))
    await apiServer.stop()
    here.edit(`${one}.yaml`, '"1"  #', '"5"  #')
    await until('get says so', view, { holds: ({ state }) => state === 'away' })
    await apiServer.start()
    await isThere(one, { a: '5', b: '1' })
    await until('it is in step', view, { holds: ({ state }) => state === 'in-step' })
  })
})

test('who takes part takes over when the process is killed, and hands over what stays when it ends itself', async () => {
  const [one] = names()
  const watch = await laptop.watch()
  const daemon = await start()
  expect(daemon.stdout).toContain('which runs already, does it')
  await watch.kill('SIGKILL')
  here.edit(`${one}.yaml`, '"1"  #', '"9"  #')
  await isThere(one, { a: '9', b: '1' })
  expect(daemon.stdout).toContain('is gone; this one goes on')

  expect(await laptop.did('watch', '-b')).toContain(`process ${daemon.child.pid} watches`)
  expect(await daemon.kill('SIGINT')).toMatchObject({
    code: 130,
    stdout: expect.stringContaining('what was started with -b goes on in the background'),
  })
  expect((await laptop.ksync('watch', '-b')).stderr).toMatch(/process \d+ already watches/)
  expect((await view()).state).toBe('none')
})

describe('conflicts and deletions', () => {
  /** Changes a field on both sides and deletes an object on one, while nobody keeps them in step. */
  async function apart(): Promise<void> {
    const [one, two] = names()
    await (await start()).end()
    here.edit(`${one}.yaml`, '"1"  #', '"ours"  #')
    await change(one, { a: 'theirs', b: '2' })
    rmSync(join(here.folder, `${two}.yaml`))
    laptop.start('daemon', '-f', '-n', namespace, here.folder)
    await waits(2)
  }

  test('wait, are listed, and are settled one by one by their names; all else goes on', async () => {
    const [one, two] = names()
    await apart()
    await isHere(one, text(one, 'ours').replace('b: "1"', 'b: "2"'))
    const listed = await laptop.did('conflicts')
    expect(listed).toMatch(new RegExp(`${one} +data.a +ours +theirs`))
    expect((await laptop.did('conflicts', '-o', 'name')).split('\n')).toContain(
      `ConfigMap ${namespace}/${one}:data.a`,
    )
    await laptop.did('resolve', `configmap/${one}:data.a`, '--keep', 'remote')
    await isHere(one, text(one, 'theirs').replace('b: "1"', 'b: "2"'))
    await laptop.did('resolve', two, '--keep', 'local')
    await until('it is deleted there', () => dataOf(two), { holds: (data) => data === undefined })
    expect((await laptop.ksync('resolve', two, '--keep', 'local')).code).toBe(1)
  })

  testWith('terminal')('are asked about one after the other at a terminal', async () => {
    const [one, two] = names()
    await apart()
    const screen = new Screen(laptop.atTerminal(['resolve']))
    for (let index = 0; index < 2; index += 1) {
      const shown = await screen.asks(/\[q\]uit\? $/)
      screen.answer(shown.includes('data.a') ? 'l' : 'r')
    }
    expect(await screen.terminal.exited).toMatchObject({
      stdout: expect.stringContaining('2 conflicts settled'),
    })
    await isThere(one, { a: 'ours', b: '2' })
    await until('the file is back', () => here.files(), { holds: (files) => `${two}.yaml` in files })
    expect(here.read(`${two}.yaml`)).toContain(`name: ${two}`)
  })
})

describe('in the background', () => {
  test('one process does both kinds, each joins it, and ends without the other', async () => {
    const folder = laptop.folder('files')
    await laptop.did('create', '--name', 'it', '-l', 'app=nobody', '-n', namespace, folder, '/it')
    const said = await here.did('daemon', '-f', '-b')
    const [, pid, log = ''] = /process (\d+) keeps .* in the background; its log is (\S+)/.exec(said) ?? []
    expect(await here.did('daemon', '--status')).toContain(here.folder)
    expect(await laptop.did('watch', '-b')).toContain(`process ${pid} watches in the background`)
    const both = await laptop.did('get')
    expect(both).toMatch(/^it .*waiting/m)
    expect(both).toContain(here.folder)
    expect((await laptop.did('get', '-o', 'name')).split('\n')).toEqual(['it', here.folder, ''])
    expect((await laptop.ksync('watch', '--stop')).stderr).toContain('the process goes on for `daemon`')
    here.edit(`${names()[0]}.yaml`, '"1"  #', '"6"  #')
    await isThere(names()[0], { a: '6', b: '1' })
    expect((await laptop.ksync('daemon', '--stop')).stderr).toContain(`process ${pid} has ended`)
    expect(readFileSync(log, 'utf8')).toMatch(
      /^\S+ shop\d+: ConfigMap \S+ \(one\d+\.yaml\): changed in the cluster$/m,
    )
    expect((await laptop.ksync('get')).stderr).toContain('no watch runs')
  })

  /** Kills one that was in step; then each side changes one object. */
  async function killedBeforeChanges(one: string, two: string): Promise<void> {
    const said = await here.did('daemon', '-f', '-b')
    await until('it is in step', view, { holds: ({ state }) => state === 'in-step' })
    process.kill(Number(/process (\d+)/.exec(said)?.[1]), 'SIGKILL')
    await until('it is gone', () => laptop.ksync('get'), {
      holds: ({ stderr }) => stderr.includes('no process runs'),
    })
    here.edit(`${one}.yaml`, '"1"  #', '"7"  #')
    await change(two, { b: '8' })
  }

  test('killed with -9 it goes on where it was, whichever way it is started again, and writes nothing twice', async () => {
    const [one, two] = names()
    await killedBeforeChanges(one, two)
    await laptop.did('watch', '-b')
    await isThere(one, { a: '7', b: '1' })
    await isHere(two, text(two, '1').replace('b: "1"', 'b: "8"'))
    expect((await view()).status?.writes).toEqual({ files: 1, cluster: 1 })
  })

  test('killed with -9 it is started again as it is ordered now, and not first as it was before', async () => {
    const [one, two] = names()
    await killedBeforeChanges(one, two)
    await here.did('daemon', '-f', '-b', '--mode', 'to-files')
    await isHere(two, text(two, '1').replace('b: "1"', 'b: "8"'))
    expect((await view()).status?.writes).toEqual({ files: 1, cluster: 0 })
    expect(await dataOf(one)).toEqual({ a: '1', b: '1' })
  })

  test('a protected context is written to only by whoever names it', async () => {
    await laptop.did('configure', 'set', 'protectedContexts', '*')
    const refused = await here.ksync('daemon', '-f', '-b')
    const [, name = ''] = /--confirm-context (\S+) says/.exec(refused.stderr) ?? []
    expect(refused.code).toBe(1)
    await here.did('daemon', '-f', '-b', '--confirm-context', name)
    await isThere(names()[0], { a: '1', b: '1' })
  })
})
