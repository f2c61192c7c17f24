import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { useLab } from './support/cluster.ts'
import { useLaptop } from './support/ksync.ts'
import { until } from './support/until.ts'

/** A program of a shell that tells of its starts and of a signal, and has a child. */
const program = (version: number) => `
trap 'echo hup >>heard' HUP
echo "${version} $$ $# $2" >>starts
while :; do sleep 0.2; done
`

describe('reloading after changes from the laptop', () => {
  const lab = useLab('reload')
  const laptop = useLaptop()
  let folder: string

  beforeAll(async () => {
    laptop.hasRunInit()
    folder = laptop.folder('folder')
    writeFileSync(join(folder, 'start'), program(1))
    await lab.deploy('reload')
    await laptop.watch()
  })

  const starts = async () => (await lab.sh('reload', 'cat starts')).trim().split('\n')

  /** A spec of its own, in sync, whose first reload is over. */
  async function synced(name: string, ...flags: string[]) {
    await laptop.did(
      'create',
      '--name',
      name,
      '-n',
      lab.namespace,
      '--pod',
      'reload',
      ...flags,
      folder,
      '/folder',
    )
    await laptop.inSync(name, 1)
  }

  /** What `get` says of the last reload, once it is another than before. */
  async function reloaded(name: string, before?: string) {
    const seen = await until('it was reloaded', async () => (await laptop.sessions(name))[0]?.reload, {
      holds: (reload) => reload !== undefined && reload.at !== before,
    })
    if (seen === undefined) throw new Error('no reload')
    return seen
  }

  test('restart: the first process executes itself again, with its arguments; the container does not end', async () => {
    await synced('place', '--reload', 'restart', '--reload-on', 'start', '--reload-on', '*.conf')
    const first = await reloaded('place')
    expect(first).toMatchObject({ how: 'restart', ms: expect.any(Number) })
    const [before = ''] = (await starts()).slice(-1)
    writeFileSync(join(folder, 'start'), program(2))
    const second = await reloaded('place', first.at)
    expect(second.error).toBeUndefined()
    const [, pid] = before.split(' ')
    await until('the new program runs', starts, { holds: (all) => all.at(-1) === `2 ${pid} 2 two words` })
    expect(await lab.restarts('reload')).toBe(0)
  })

  test('what no pattern matches, and what the container changes, reloads nothing', async () => {
    const { at } = await reloaded('place')
    writeFileSync(join(folder, 'notes.md'), 'nothing to do with it')
    await lab.sh('reload', 'echo from-there >folder/there.conf')
    await until('both have arrived', () => lab.sh('reload', 'cat folder/notes.md; ls folder'), {
      holds: (seen) => seen.includes('nothing'),
    })
    await laptop.inSync('place', 1)
    writeFileSync(join(folder, 'here.conf'), 'this does')
    await reloaded('place', at)
    expect((await starts()).filter((line) => line.startsWith('2 '))).toHaveLength(2)
  })

  test('on request', async () => {
    const all = await starts()
    await laptop.did('reload', 'place')
    await until('it was restarted', starts, { holds: (now) => now.length === all.length + 1 })
    await laptop.did('delete', 'place')
  })

  test('signal: a handled one is sent, another one is not', async () => {
    await synced('signal', '--reload', 'signal:HUP')
    writeFileSync(join(folder, 'change'), '1')
    await reloaded('signal')
    await until('it was heard', () => lab.sh('reload', 'cat heard'), { holds: (heard) => heard === 'hup\n' })
    await laptop.did('delete', 'signal')
    await synced('deadly', '--reload', 'signal:USR1')
    const { code, stdout } = await laptop.ksync('reload', 'deadly')
    expect([code, stdout]).toEqual([1, expect.stringContaining('does not handle SIGUSR1')])
    await laptop.did('delete', 'deadly')
    expect(await lab.restarts('reload')).toBe(0)
  })

  test('exec: a command is run; one that fails is told of with its exit code and what it said', async () => {
    await synced('exec', '--reload', 'exec:echo ran >>ran; echo no such luck >&2; test ! -e folder/fail')
    writeFileSync(join(folder, 'change'), '2')
    const first = await reloaded('exec')
    expect(first.error).toBeUndefined()
    expect(await lab.sh('reload', 'cat ran')).toBe('ran\n')
    writeFileSync(join(folder, 'fail'), '')
    const second = await reloaded('exec', first.at)
    expect(second.error).toMatch(/exit code 1.*no such luck/)
    const { stdout } = await laptop.ksync('get', 'exec')
    expect(stdout).toContain('not reloaded')
    await laptop.did('delete', 'exec')
  })

  test('a spec that says no way to reload has none', async () => {
    await synced('none')
    const { code, stderr } = await laptop.ksync('reload', 'none')
    expect([code, stderr]).toEqual([1, expect.stringContaining('reload: restart')])
    await laptop.did('delete', 'none')
  })
})

describe('a container that is replaced', () => {
  const lab = useLab('replace')
  const laptop = useLaptop()
  const starts = async () => (await lab.sh('fresh', 'cat log/starts')).trim().split('\n')

  test('its process sees the new files as soon as it begins', async () => {
    laptop.hasRunInit()
    const folder = laptop.folder('folder')
    writeFileSync(join(folder, 'version'), '1\n')
    await lab.deploy('fresh')
    await laptop.watch()
    const where = ['-n', lab.namespace, '--pod', 'fresh']
    await laptop.did('create', '--name', 'it', ...where, '--reload', 'restart-container', folder, '/folder')
    await laptop.inSync('it', 1)
    expect([await starts(), await lab.restarts('fresh')]).toEqual([['none'], 0])
    writeFileSync(join(folder, 'version'), '2\n')
    const [session] = await until('it was reloaded', () => laptop.sessions('it'), {
      holds: ([one]) => one?.reload !== undefined && one.session?.phase === 'in-sync',
    })
    expect(session?.reload?.error).toBeUndefined()
    await until('the API server counts it', () => lab.restarts('fresh'), { holds: (count) => count === 1 })
    expect((await starts()).at(-1)).toBe('2')
    expect(await lab.sh('fresh', 'cat folder/version')).toBe('2\n')
  })
})
