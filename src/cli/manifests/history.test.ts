import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { journalIn, newOperation, openJournal } from '../../manifests/journal/journal.ts'
import { Terminal } from '../testing/terminal.ts'

let terminal: Terminal
beforeAll(() => {
  terminal = new Terminal()
})
afterAll(() => terminal.remove())

describe('history', () => {
  test('lists what was written, newest first, and how it ended; by name, with or without its type', async () => {
    const path = journalIn(join(terminal.home, '.kubesync', 'state'))
    const journal = openJournal(path)
    const secret = { kind: 'Secret', data: { password: 'aHVudGVyMg==' } }
    const write = (resource: string, before: null | object) => ({
      ...({ where: 'cluster', context: 'kind', server: 'https://x', file: '/f/a.yaml' } as const),
      resources: [resource],
      before: before === null ? null : secret,
      after: secret,
    })
    // As an older version did, without an operation.
    const [old = ''] = await journal.begin([write('Secret shop/db', null)], { operation: '', command: '' })
    await journal.end([{ id: old, reason: '' }])
    const writes = [
      write('Deployment.apps shop/web', {}),
      { ...write('Secret shop/db', {}), where: 'file' as const },
    ]
    const [first = '', second = ''] = await journal.begin(writes, newOperation('push'))
    await journal.end([
      { id: first, reason: 'no' },
      { id: second, reason: '' },
    ])
    const undo = { ...write('Secret shop/db', {}), reverts: [second] }
    const [third = ''] = await journal.begin([undo], newOperation('revert db'))
    await journal.end([{ id: third, reason: '' }])
    await journal.begin([write('Service shop/web', {})], newOperation('deploy web'))
    const { stdout } = await terminal.ksync('history')
    const rows = stdout.split('\n').slice(1, -1)
    expect(rows.map((row) => row.split(/ {2,}/).toSpliced(1, 1).slice(0, 5))).toEqual([
      ['4', 'deploy web', 'Service shop/web', 'kind', 'unknown'],
      ['3', 'revert db', 'Secret shop/db', 'kind', 'done'],
      ['2', 'push', 'Deployment.apps shop/web and 1 more', 'kind, /f/a.yaml', 'partly failed, reverted'],
      ['1', '-', 'Secret shop/db', 'new in kind', 'done'],
    ])
    const json = async (...args: string[]) => (await terminal.ksync('history', '-o', 'json', ...args)).stdout
    expect(JSON.parse(await json('web'))).toHaveLength(2)
    expect(JSON.parse(await json('deployments/web'))).toMatchObject([
      { number: 2, outcome: 'failed', reason: 'no' },
    ])
    expect(await json()).not.toContain('aHVudGVyMg')
    expect(statSync(path).mode & 0o77).toBe(0)
  })

  test('of nothing says so', async () => {
    expect(await terminal.ksync('history', 'nobody')).toMatchObject({
      code: 0,
      stdout: '',
      stderr: 'nothing was written\n',
    })
  })
})

describe('sanitize', () => {
  test('prints what belongs into a file, says what went and why, and leaves the file alone', async () => {
    const [head, rest] = [
      'kind: ConfigMap # c\nmetadata:\n  name: a\n',
      '  finalizers: [mine/own]\ndata: {a: b}\n',
    ]
    writeFileSync(join(terminal.home, 'a.yaml'), `apiVersion: v1\n${head}  uid: x\n${rest}`)
    const { code, stdout, stderr } = await terminal.ksync('sanitize', 'a.yaml', '--explain')
    expect([code, stdout]).toEqual([0, `apiVersion: v1\n${head}${rest}`])
    const sorted =
      'apiVersion: v1\ndata: {a: b}\nkind: ConfigMap # c\nmetadata:\n  finalizers: [mine/own]\n  name: a\n'
    expect((await terminal.ksync('sanitize', 'a.yaml', '--sort')).stdout).toBe(sorted)
    const rules = 'version: 1\nsanitize: [{kind: ConfigMap, path: data.a, reason: mine}]\n'
    writeFileSync(join(terminal.home, 'own'), rules)
    const own = await terminal.ksync(
      'sanitize',
      'a.yaml',
      '--explain',
      '--config',
      join(terminal.home, 'own'),
    )
    expect(own).toMatchObject({
      code: 0,
      stdout: expect.not.stringContaining('\ndata'),
      stderr: expect.stringContaining('  - data.a: mine'),
    })
    expect(stderr).toBe('ConfigMap a\n  - metadata.uid: the server sets it\n')
  })
})
