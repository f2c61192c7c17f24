import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Terminal } from './testing/terminal.ts'

let terminal: Terminal
beforeEach(() => {
  terminal = new Terminal()
  terminal.folder('demo')
})
afterEach(() => terminal.remove())

const created = (...more: string[]) => terminal.ksync('create', '-l', 'app=demo', ...more, './demo', '/app')
const names = async () => (await terminal.ksync('list', '-o', 'name')).stdout

describe('create', () => {
  test('prints a name and nothing else to stdout, so that scripts can use it', async () => {
    const { code, stdout } = await created()
    expect(code).toBe(0)
    expect(stdout).toMatch(/^[a-z]+-[a-z]+\n$/)
    expect(await names()).toBe(stdout)
  })

  test('freezes absolute path, context and namespace', async () => {
    await created('--name', 'demo')
    const { stdout } = await terminal.ksync('list', '-o', 'json')
    expect(JSON.parse(stdout)).toEqual([
      {
        name: 'demo',
        local: join(terminal.home, 'demo'),
        remote: '/app',
        context: 'kind',
        namespace: 'team',
        selector: 'app=demo',
        mode: 'two-way-safe',
      },
    ])
  })

  test('says that nothing is synced while no watch runs', async () => {
    expect((await created()).stderr).toContain('no watch runs; `ksync watch -b` starts syncing')
  })

  test.each([
    ['changes travel one way', '--local-read-only', { mode: 'to-remote-safe' }],
    ['changes travel the other way', '--remote-read-only', { mode: 'to-local-safe' }],
    ['only one of several pods is synced', '--pods=leader', { pods: 'leader' }],
    ['all pods may change what is here', '--two-way-all', { twoWayAll: true, mode: 'two-way-safe' }],
  ])('%s with %s', async (_, flag, spec) => {
    await created(flag)
    expect(JSON.parse((await terminal.ksync('list', '-o', 'json')).stdout)).toMatchObject([spec])
  })

  test('what to leave alone, and what travels one way, is in the spec, and nothing that goes without saying', async () => {
    await created(
      '--ignore',
      'node_modules/',
      '--ignore',
      '!keep',
      '--ignore-vcs',
      '--no-upload',
      '*.key',
      '--no-download=*.log',
    )
    await created('--name', 'b', '--force', '--no-ignore-vcs', '--use-gitignore')
    const [first, second] = JSON.parse((await terminal.ksync('list', '-o', 'json')).stdout)
    expect(first).toMatchObject({
      ignore: ['node_modules/', '!keep'],
      noUpload: ['*.key'],
      noDownload: ['*.log'],
    })
    expect(Object.keys(first)).not.toContain('ignoreVcs')
    expect(second).toMatchObject({ ignoreVcs: false, useGitignore: true })
    expect((await terminal.ksync('get', '-o', 'yaml')).stdout).toContain('useGitignore: true')
  })

  test('what is kept beside content is written down', async () => {
    await terminal.ksync(
      ...['create', '--pod', 'p', '--symlinks', 'raw', '--owner', '1000:33'],
      ...['--file-mode', '640', '--dir-mode=0750', './demo', '/x'],
    )
    expect(JSON.parse((await terminal.ksync('list', '-o', 'json')).stdout)).toMatchObject([
      { symlinks: 'raw', owner: '1000:33', fileMode: '640', dirMode: '0750' },
    ])
  })

  test('a folder in the container loses what does not change where it is', async () => {
    await terminal.ksync('create', '--pod', 'p', './demo', '/srv//a/../b/')
    expect(JSON.parse((await terminal.ksync('list', '-o', 'json')).stdout)).toMatchObject([
      { remote: '/srv/b' },
    ])
  })

  test.each([
    ['a file', ['--pod', 'p', './file', '/x'], 'is a file, not a directory'],
    ['a folder that is not there', ['--pod', 'p', './nowhere', '/x'], 'there is no folder'],
    ['the folder of kubesync itself', ['--pod', 'p', '.', '/x'], "holds kubesync's own files"],
    ['a relative folder in containers', ['--pod', 'p', './demo', 'x/y'], 'did you mean /x/y?'],
    ['a whole container', ['--pod', 'p', './demo', '//'], 'cannot be the whole container'],
    ['no pods', ['./demo', '/x'], 'which pods?'],
    ['a selector and a pod', ['-l', 'a=b', '--pod', 'p', './demo', '/x'], 'either --selector or --pod'],
    ['a selector that is none', ['-l', 'a=b=c', './demo', '/x'], '`a=b=c` is not a label selector'],
    ['a pod name that is none', ['--pod', 'Demo_1', './demo', '/x'], 'cannot be the name of a pod'],
    [
      'two read-only sides',
      ['--pod', 'p', '--local-read-only', '--remote-read-only', './demo', '/x'],
      'read-only',
    ],
    [
      'all pods both ways, and one way',
      ['-l', 'a=b', '--two-way-all', '--local-read-only', './demo', '/x'],
      '--two-way-all does not go with a mode that goes one way',
    ],
    [
      'all pods both ways, and the leader alone',
      ['-l', 'a=b', '--two-way-all', '--pods=leader', './demo', '/x'],
      '--two-way-all does not go with --pods leader',
    ],
    [
      'a pattern that matches nothing',
      ['--pod', 'p', '--ignore', '[a', './demo', '/x'],
      '`[a` matches nothing',
    ],
    [
      'a comment for a pattern',
      ['--pod', 'p', '--no-upload', '#a', './demo', '/x'],
      'write \\#a for that name',
    ],
    [
      'a way to reload that there is not',
      ['--pod', 'p', '--reload', 'HUP', './demo', '/x'],
      'signal:HUP, exec:COMMAND, restart or restart-container',
    ],
    ['an owner by name', ['--pod', 'p', '--owner', 'www', './demo', '/x'], '`www` is not a UID'],
    [
      'permissions that keep its owner out',
      ['--pod', 'p', '--file-mode', '040', './demo', '/x'],
      'cannot be the permissions of new files',
    ],
    [
      'a name that is none',
      ['--pod', 'p', '--name', 'My Spec', './demo', '/x'],
      'cannot be the name of a spec',
    ],
    ['a context that is not there', ['--pod', 'p', '-c', 'prod', './demo', '/x'], 'prod'],
  ])('refuses %s, and writes nothing down', async (_what, args, message) => {
    writeFileSync(join(terminal.home, 'file'), '')
    const { code, stdout, stderr } = await terminal.ksync('create', ...args)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain(message)
    expect(await names()).toBe('')
  })

  test.skipIf(process.getuid?.() === 0)(
    'refuses a folder that this user may not write, unless it is not to be written',
    async () => {
      const args = ['create', '--pod', 'p', '/', '/x']
      expect((await terminal.ksync(...args)).stderr).toContain('cannot be written by this user')
    },
  )

  test('refuses what another spec syncs already, naming it, unless forced', async () => {
    await created('--name', 'outer')
    const overlapping = ['create', '--name', 'inner', '-l', 'app=demo', './demo', '/app/sub']
    const refused = await terminal.ksync(...overlapping)
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('outer')
    expect((await terminal.ksync(...overlapping, '--force')).code).toBe(0)
    expect(await names()).toBe('outer\ninner\n')
  })
})

describe('delete', () => {
  beforeEach(async () => {
    for (const name of ['one', 'two']) {
      terminal.folder(name)
      await terminal.ksync('create', '--name', name, '-l', `app=${name}`, `./${name}`, `/${name}`)
    }
  })

  test('removes by name', async () => {
    const { code, stdout } = await terminal.ksync('delete', 'one')
    expect([code, stdout, await names()]).toEqual([0, 'one deleted\n', 'two\n'])
  })

  test('removes all', async () => {
    expect((await terminal.ksync('delete', '--all')).code).toBe(0)
    expect(await names()).toBe('')
  })

  test('names all that are unknown, and removes none of the others', async () => {
    const { code, stderr } = await terminal.ksync('delete', 'one', 'nine', 'ten')
    expect(code).toBe(1)
    expect(stderr).toContain('there is no spec named nine or ten; nothing was deleted')
    expect(stderr).toContain('there are: one, two')
    expect(await names()).toBe('one\ntwo\n')
  })

  test('wants to know which', async () => {
    expect((await terminal.ksync('delete')).stderr).toContain('which spec?')
    expect((await terminal.ksync('delete', '--all', 'one')).stderr).toContain('not both')
  })
})

describe('list and get', () => {
  test('say what to do when there is nothing', async () => {
    for (const command of ['list', 'get']) {
      const { code, stdout, stderr } = await terminal.ksync(command)
      expect([code, stdout]).toEqual([0, ''])
      expect(stderr).toContain('`ksync create` makes one')
    }
  })

  test('print a table, or the same as data', async () => {
    await created('--name', 'demo')
    expect((await terminal.ksync('list')).stdout.split('\n')[0]).toMatch(
      /^NAME +LOCAL +REMOTE +PODS +NAMESPACE +CONTEXT$/,
    )
    expect((await terminal.ksync('list', '-o', 'yaml')).stdout).toContain('selector: app=demo')
    expect((await terminal.ksync('list', '-o', 'wide')).stdout).toContain('two-way-safe')
  })

  test('get says that no watch runs, and shows the specs all the same', async () => {
    await created('--name', 'demo')
    const { code, stdout, stderr } = await terminal.ksync('get')
    expect(code).toBe(0)
    expect(stderr).toContain('no watch runs; `ksync watch` starts one')
    expect(stdout).toMatch(/^demo +\S+ +\/app +stopped/m)
    expect(JSON.parse((await terminal.ksync('get', '-o', 'json')).stdout)).toMatchObject([
      { state: 'stopped' },
    ])
  })

  test('a broken configuration is told by line and column, and stays as it is', async () => {
    const path = join(terminal.home, 'broken')
    writeFileSync(path, 'specs:\n  - name: [\n')
    const { code, stderr } = await terminal.ksync('list', '--config', path)
    expect(code).toBe(1)
    expect(stderr).toMatch(new RegExp(`${path}:\\d+:\\d+`))
    expect(readFileSync(path, 'utf8')).toBe('specs:\n  - name: [\n')
  })
})
