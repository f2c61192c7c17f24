import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Terminal } from './testing/terminal.ts'

let terminal: Terminal
beforeEach(() => {
  terminal = new Terminal()
})
afterEach(() => terminal.remove())

const configure = (...args: string[]) => terminal.ksync('configure', ...args)
const file = () => readFileSync(join(terminal.home, '.kubesync', 'config'), 'utf8')

test('what is set can be got, shows where it is from, and is unset again', async () => {
  expect(await configure('set', 'protectedContexts', 'prod-*', 'live')).toMatchObject({ code: 0, stderr: '' })
  expect((await configure('get', 'protectedContexts')).stdout).toBe('prod-*\nlive\n')
  expect((await configure('list')).stdout).toMatch(/^protectedContexts +prod-\* live +file$/m)
  await configure('unset', 'protectedContexts')
  expect((await configure('list')).stdout).toMatch(/^protectedContexts +default$/m)
  expect(await configure('get', 'root')).toMatchObject({ code: 1, stdout: '' })
})

test('an entry of a map is a key of its own; the map is none that can be set', async () => {
  await configure('set', 'namespaces.arn:aws/a.b', 'shop')
  await configure('set', 'namespaces.kind', 'other')
  expect((await configure('get', 'namespaces.arn:aws/a.b')).stdout).toBe('shop\n')
  await configure('unset', 'namespaces.kind')
  expect(JSON.parse((await configure('get', 'namespaces', '-o', 'json')).stdout)).toEqual({
    'arn:aws/a.b': 'shop',
  })
  expect(await configure('set', 'namespaces', 'shop')).toMatchObject({
    ...{ code: 1, stderr: expect.stringContaining('set namespaces.CONTEXT') },
  })
})

test('flags and the environment come before the file, and are said', async () => {
  await configure('set', 'context', 'from-file')
  const row = async (...args: string[]) =>
    /^context .*$/m.exec((await configure('list', ...args)).stdout)?.[0]
  expect(await row()).toMatch(/from-file +file$/)
  terminal.env.KUBESYNC_CONTEXT = 'from-env'
  expect(await row()).toMatch(/from-env +environment$/)
  expect(await row('-c', 'from-flag')).toMatch(/from-flag +flag$/)
  expect((await configure('set', 'context', 'other')).stderr).toContain(
    '$KUBESYNC_CONTEXT is set, and comes before',
  )
})

test('a token is never listed', async () => {
  await configure('set', 'github.token', 's3cret')
  for (const format of ['json', 'yaml', 'wide']) {
    expect((await configure('list', '-o', format)).stdout).not.toContain('s3cret')
  }
  expect((await configure('set', 'github.token', 's3 cret')).stderr).not.toContain('s3')
})

describe('what cannot be meant changes nothing', () => {
  test.each([
    [['set', 'git.push', 'perhaps'], 'git.push cannot be `perhaps`: it must be true or false'],
    [['set', 'git.pull', 'true'], 'there is no key `git.pull`'],
    [['set', 'git.push'], 'to what?'],
    [['get', 'git.push', 'more'], 'takes one key'],
    [['list', 'git.push'], 'takes no key'],
    [['get'], 'which key?'],
    [['put', 'a'], 'Allowed choices are list, get, set, unset, edit'],
    [[], 'configure set KEY VALUE'],
  ])('%j', async (args, message) => {
    await configure('set', 'git.fetch', 'false')
    const before = file()
    expect(await configure(...args)).toMatchObject({ code: 1, stderr: expect.stringContaining(message) })
    expect(file()).toBe(before)
  })
})

describe('edit', () => {
  const editor = (script: string) => {
    terminal.env.EDITOR = `sh -c '${script}' --`
  }

  test('takes what the editor left, comments and all', async () => {
    await configure('set', 'git.push', 'true')
    editor('echo "# by hand" >> "$1"')
    expect(await configure('edit')).toMatchObject({ code: 0 })
    expect(file()).toMatch(/push: true\n# by hand\n$/)
  })

  test.each([
    ['is broken', 'echo "git: {push: perhaps}" > "$1"', 'git.push: must be true or false'],
    ['comes from an editor that failed', 'echo "# lost" >> "$1"; exit 3', 'ended with 3'],
  ])('leaves the file as it was if the text %s', async (_, script, message) => {
    await configure('set', 'git.push', 'true')
    const before = file()
    editor(script)
    expect(await configure('edit')).toMatchObject({ code: 1, stderr: expect.stringContaining(message) })
    expect(file()).toBe(before)
  })
})

describe('where commands work', () => {
  const where = async (...args: string[]) => {
    await terminal.ksync('create', '-l', 'app=demo', '--name', 'a', ...args, './demo', '/app')
    const [spec] = JSON.parse((await terminal.ksync('list', '-o', 'json')).stdout)
    await terminal.ksync('delete', 'a')
    return [spec?.context, spec?.namespace, spec?.mode]
  }
  beforeEach(() => {
    const contexts = ['kind', 'other'].map((name) => ({
      ...{ name, context: { cluster: 'c', namespace: `${name}-own` } },
    }))
    const clusters = [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }]
    writeFileSync(
      join(terminal.home, 'kubeconfig'),
      JSON.stringify({ 'current-context': 'kind', clusters, contexts, users: [] }),
    )
    terminal.folder('demo')
  })

  test('a flag, else the setting, else the kubeconfig; a namespace belongs to its context', async () => {
    expect(await where()).toEqual(['kind', 'kind-own', 'two-way-safe'])
    await configure('set', 'namespaces.kind', 'shop')
    expect(await where()).toEqual(['kind', 'shop', 'two-way-safe'])
    await configure('set', 'context', 'other')
    await configure('set', 'defaults.mode', 'to-remote-safe')
    expect(await where()).toEqual(['other', 'other-own', 'to-remote-safe'])
    expect(await where('-c', 'kind', '--mode', 'two-way-safe')).toEqual(['kind', 'shop', 'two-way-safe'])
    expect(await where('-n', 'mine')).toEqual(['other', 'mine', 'to-remote-safe'])
  })

  test('a context of the setting that is gone is said with who names it', async () => {
    await configure('set', 'context', 'gone')
    const { code, stderr } = await terminal.ksync('create', '-l', 'app=demo', './demo', '/app')
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining("kubesync's setting names it; `ksync env context NAME`"),
    ])
  })

  test('the kubeconfig that is configured is used where the environment names none', async () => {
    delete terminal.env.KUBECONFIG
    await configure('set', 'kubeconfig', '~/kubeconfig')
    expect(await where()).toEqual(['kind', 'kind-own', 'two-way-safe'])
  })
})
