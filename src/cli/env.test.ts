import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Terminal } from './testing/terminal.ts'

let terminal: Terminal
beforeEach(() => {
  terminal = new Terminal()
  const clusters = [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }]
  const contexts = ['kind', 'prod-eu'].map((name) => ({ name, context: { cluster: 'c' } }))
  write('kubeconfig', JSON.stringify({ 'current-context': 'kind', clusters, contexts, users: [] }))
})
afterEach(() => terminal.remove())

const write = (name: string, text: string) => writeFileSync(join(terminal.home, name), text)
const read = (name: string) => readFileSync(join(terminal.home, name), 'utf8')
async function shown(...args: string[]): Promise<Readonly<Record<string, readonly string[]>>> {
  const { stdout } = await terminal.ksync('env', 'show', '-o', 'json', ...args)
  const rows: { what: string; value: string; from: string }[] = JSON.parse(stdout)
  return Object.fromEntries(rows.map(({ what, value, from }) => [what, [value, from]]))
}

describe('what holds', () => {
  test('is said with who says so, and a namespace is that of its context', async () => {
    const before = read('kubeconfig')
    expect(await shown()).toMatchObject({
      context: ['kind', 'kubeconfig'],
      namespace: ['default', 'kubeconfig'],
    })
    await terminal.ksync('env', 'namespace', 'shop')
    expect((await terminal.ksync('env', 'context', 'prod-eu')).stderr).toBe(
      "context prod-eu (kubesync's setting), namespace default (kubeconfig)\n",
    )
    expect(await shown('-c', 'kind')).toMatchObject({
      ...{ context: ['kind', '--context'], namespace: ['shop', "kubesync's setting"] },
    })
    terminal.env.KUBESYNC_CONTEXT = 'kind'
    expect(await shown()).toMatchObject({ context: ['kind', '$KUBESYNC_CONTEXT'] })
    expect(read('kubeconfig')).toBe(before)
  })

  test('is that of the pin in its folder, which keeps its other bytes', async () => {
    write('.kubesync.yaml', '# ours\nnamespace: shop # the front\nserver: https://old\n')
    await terminal.ksync('env', 'context', 'prod-eu', '--pin')
    expect(read('.kubesync.yaml')).toBe(
      '# ours\nnamespace: shop # the front\nserver: https://127.0.0.1:1\ncontext: prod-eu\n',
    )
    const { stderr } = await terminal.ksync('env', 'context', 'kind')
    expect(stderr).toContain("context prod-eu (the folder's pin)")
    expect(stderr).toContain('--pin changes that of the folder')
  })

  test('a pin is made where there is none', async () => {
    await terminal.ksync('env', 'namespace', 'shop', '--pin')
    expect(await shown()).toMatchObject({
      ...{ namespace: ['shop', "the folder's pin"], manifests: [terminal.home, 'its pin'] },
    })
  })
})

test('the kubeconfig changes with --kubectl only, and kubectl does it', async () => {
  const stub = terminal.folder('bin')
  write('bin/kubectl', `#!/bin/sh\necho "$@" >> '${terminal.home}/asked'\n`)
  chmodSync(join(stub, 'kubectl'), 0o755)
  terminal.env.PATH = `${stub}:${process.env.PATH}`
  await terminal.ksync('env', 'context', 'prod-eu')
  expect(existsSync(join(terminal.home, 'asked'))).toBe(false)
  await terminal.ksync('env', 'context', 'kind', '--kubectl')
  await terminal.ksync(
    'env',
    'namespace',
    'shop',
    '--kubectl',
    '--kubeconfig',
    join(terminal.home, 'kubeconfig'),
  )
  expect(read('asked').split('\n')).toEqual([
    'config use-context kind',
    `config set-context kind --namespace=shop --kubeconfig ${join(terminal.home, 'kubeconfig')}`,
    '',
  ])
  terminal.env.PATH = terminal.folder('empty')
  expect(await terminal.ksync('env', 'context', 'kind', '--kubectl')).toMatchObject({
    ...{ code: 1, stderr: expect.stringContaining('there is no kubectl') },
  })
})

describe('what cannot be is refused before anything is written', () => {
  test.each([
    [['context', 'nope'], 'There are: kind, prod-eu'],
    [['namespace', 'No_Such'], 'cannot be the name of a namespace'],
    [['context'], 'say `ksync env context NAME`; there are: kind, prod-eu'],
    [[], 'say `ksync env context NAME`'],
    [['namespace'], 'say `ksync env namespace NAME`'],
    [['context', 'kind', '-c', 'prod-eu'], 'say `ksync env context NAME`'],
  ])('%j', async (args, message) => {
    expect(await terminal.ksync('env', ...args)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(message),
    })
    expect(existsSync(join(terminal.home, '.kubesync', 'config'))).toBe(false)
  })
})

test('the folder of manifests that is configured is meant wherever none is pinned', async () => {
  await terminal.ksync('configure', 'set', 'root', '~/infra')
  expect(await shown()).toMatchObject({ manifests: [join(terminal.home, 'infra'), 'root'] })
  write('.kubesync.yaml', '')
  expect(await shown()).toMatchObject({ manifests: [terminal.home, 'its pin'] })
})

describe('a protected context', () => {
  beforeEach(async () => {
    terminal.folder('demo')
    await terminal.ksync('configure', 'set', 'protectedContexts', 'prod-*')
  })

  test.each([
    [['create', '-l', 'app=demo', './demo', '/app'], 1],
    [['run', '-l', 'app=demo', './demo', '/app'], 1],
    [['run', '--once', '-l', 'app=demo', './demo', '/app'], 2],
    [['init'], 1],
    [['clean'], 1],
  ])('is written to by %j only if its name is given', async (args, code) => {
    const said = await terminal.ksync(...args, '-c', 'prod-eu', '--confirm-context', 'prod')
    expect(said).toMatchObject({ code, stderr: expect.stringContaining('prod-eu is protected') })
    const meant = await terminal.ksync(...args, '-c', 'prod-eu', '--confirm-context', 'prod-eu')
    expect(meant.stderr).not.toContain('protected')
  })

  test('is told apart by env show', async () => {
    expect((await shown('-c', 'prod-eu')).protected?.[0]).toContain('yes')
    expect((await shown()).protected?.[0]).toBe('no')
  })
})
