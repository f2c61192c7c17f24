import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { programName } from './cli.ts'
import { Terminal } from './testing/terminal.ts'

let terminal: Terminal
beforeAll(() => {
  terminal = new Terminal()
})
afterAll(() => terminal.remove())

const commands = [
  'init',
  'clean',
  'create',
  'delete',
  'list',
  'watch',
  'run',
  'get',
  'files',
  'undo',
  'conflicts',
  'resolve',
  'pull',
  'diff',
  'push',
  'history',
  'sanitize',
]

describe('help', () => {
  test('without a command, names every command on stdout', async () => {
    const { code, stdout, stderr } = await terminal.ksync()
    expect([code, stderr]).toEqual([0, ''])
    for (const command of commands) expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, 'm'))
  })

  test.each(commands)(
    '%s --help has a sentence, its flags, and examples with the name that was typed',
    async (command) => {
      const { code, stdout, stderr } = await terminal.ksync(command, '--help')
      expect([code, stderr]).toEqual([0, ''])
      expect(stdout).toMatch(/^Usage: ksync \w+/)
      expect(stdout).toMatch(/^[A-Z].*[.:]/m)
      expect(stdout).toMatch(new RegExp(`\\$ ksync ${command}`))
      expect(stdout).toContain('--config')
    },
  )

  test('help COMMAND is the same', async () => {
    const [one, other] = [await terminal.ksync('help', 'init'), await terminal.ksync('init', '--help')]
    expect(one).toEqual(other)
  })
})

describe('what cannot be meant', () => {
  test.each([
    ['an unknown command', ['initt'], "unknown command 'initt'"],
    ['an unknown flag', ['list', '--selectr', 'x'], "unknown option '--selectr'"],
    ['a missing argument', ['create', './x'], "missing required argument 'REMOTE'"],
    ['an argument too many', ['list', 'x'], 'too many arguments'],
    [
      'an output format that is not there',
      ['list', '-o', 'xml'],
      "option '-o, --output <format>' argument 'xml' is invalid. Allowed choices are json, yaml, wide, name",
    ],
    ['a flag before a command that has none such', ['-n', 'x', 'list'], '`list` takes no --namespace'],
  ])('%s is an error with a hint, on stderr', async (_what, args, message) => {
    const { code, stdout, stderr } = await terminal.ksync(...args)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain(`error: ${message}`)
    expect(stderr).not.toMatch(/^ +at /m)
  })

  test('of `run --once` has an exit code that is not that of a conflict', async () => {
    expect((await terminal.ksync('run', '--once', './nowhere', '/x', '-l', 'a=b')).code).toBe(2)
    expect((await terminal.ksync('run', './nowhere', '/x', '-l', 'a=b')).code).toBe(1)
  })
})

test('flags may stand before the command, as with kubectl; one after it wins', async () => {
  terminal.folder('flags')
  await terminal.ksync('-n', 'before', 'create', '--name', 'one', '--pod', 'p', 'flags', '/one')
  await terminal.ksync(
    '-n',
    'before',
    'create',
    '-n',
    'after',
    '--name',
    'two',
    '--pod',
    'p',
    'flags',
    '/x',
    '--force',
  )
  const { stdout } = await terminal.ksync('list', '-o', 'json')
  expect(JSON.parse(stdout)).toMatchObject([{ namespace: 'before' }, { namespace: 'after' }])
})

test('-v tells where an error comes from', async () => {
  const [brief, verbose] = [
    await terminal.ksync('get', 'nobody'),
    await terminal.ksync('get', 'nobody', '-v'),
  ]
  expect(brief.stderr).not.toContain('NO_SUCH_SPEC')
  expect(verbose.stderr).toContain('NO_SUCH_SPEC')
  expect(verbose.stderr).toMatch(/^ +at /m)
})

test.each([
  ['/usr/local/bin/ksync', 'ksync'],
  ['/usr/local/bin/kubectl-ksync', 'kubectl ksync'],
  ['/home/me/node_modules/kubesync/dist/cli.js', 'ksync'],
])('%s is called %s in usage', (path, name) => {
  expect(programName(path)).toBe(name)
})
