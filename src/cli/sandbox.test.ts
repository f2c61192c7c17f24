import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Terminal } from './testing/terminal.ts'

let terminal: Terminal

beforeEach(() => {
  terminal = new Terminal()
})

afterEach(() => terminal.remove())

it.each([['sandbox'], ['sandbox', 'status']])('`%s` without one says how to start it', async (...args) => {
  const { code, stdout, stderr } = await terminal.ksync(...args)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toBe('no sandbox runs; `ksync sandbox up` starts one\n')
})

it('`down` without one is no error', async () => {
  expect(await terminal.ksync('sandbox', 'down')).toEqual({
    code: 0,
    stdout: '',
    stderr: 'no sandbox runs\n',
  })
})

it('`down` removes what one left that was killed', async () => {
  mkdirSync(join(terminal.home, '.kubesync/sandbox/nodes/node-1/pods'), { recursive: true })
  const { stderr } = await terminal.ksync('sandbox', 'down')
  expect(stderr).toBe('removed what an earlier sandbox left\n')
  expect((await terminal.ksync('sandbox', 'down')).stderr).toBe('no sandbox runs\n')
})

it.each([
  [['sandbox', 'up', '--nodes', '0'], 'not a number from 1 to 16'],
  [['sandbox', 'up', '--nodes', 'many'], 'not a number from 1 to 16'],
  [['sandbox', 'sideways'], 'up, down, status'],
  [['sandbox', 'down', '--foreground'], '--foreground'],
  [['sandbox', 'up', '-o', 'json'], '--output'],
])('`%s` is refused', async (args, word) => {
  const { code, stderr } = await terminal.ksync(...args)
  expect(code).toBe(1)
  expect(stderr).toContain(word)
})
