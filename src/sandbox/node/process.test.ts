import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { killInside, reap, removeTree, rootVariable, startProcess } from './process.ts'

let directory: string
const children: ChildProcess[] = []
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kubesync-process-'))
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(directory, { recursive: true })
})

function start(env: Record<string, string> = {}): ChildProcess {
  const path = process.env.PATH ?? ''
  const command = { argv: ['sleep', '600'], cwd: directory, env: { PATH: path, ...env }, stdin: false }
  const child = startProcess(command, join(directory, 'records'))
  children.push(child)
  return child
}

test('a group on record is ended by whoever comes later, and is on record no more', async () => {
  const child = start()
  const exit = once(child, 'exit')
  expect(readdirSync(join(directory, 'records'))).toEqual([String(child.pid)])
  reap(join(directory, 'records'), join(directory, 'pods'))
  expect(await exit).toEqual([null, 'SIGKILL'])
  expect(readdirSync(join(directory, 'records'))).toEqual([])
})

test('another process that has got the same id by now is left alone', async () => {
  const other = spawn('cat', { detached: true, stdio: ['pipe', 'pipe', 'ignore'] })
  children.push(other)
  await once(other, 'spawn')
  mkdirSync(join(directory, 'records'))
  writeFileSync(join(directory, 'records', String(other.pid)), 'another boot 4711')
  reap(join(directory, 'records'), join(directory, 'pods'))
  other.stdin.write('alive')
  expect(String((await once(other.stdout, 'data'))[0])).toBe('alive')
})

test.runIf(process.platform === 'linux')(
  'what runs in a directory of containers is known by its environment',
  async () => {
    const inside = start({ [rootVariable]: join(directory, 'pods/a/root') })
    const beside = start({ [rootVariable]: join(directory, 'pods-of-others/a/root') })
    await Promise.all([once(inside, 'spawn'), once(beside, 'spawn')])
    const exit = once(inside, 'exit')
    killInside(join(directory, 'pods'))
    await exit
    expect(beside.exitCode ?? beside.signalCode).toBeNull()
  },
)

test('a directory is removed while a process makes files in it', async () => {
  const path = join(directory, 'busy')
  const script = 'mkdir -p busy/in; echo begun; i=0; while :> busy/in/$i; do i=$((i+1)); done'
  const writer = spawn('sh', ['-c', script], { cwd: directory, stdio: ['ignore', 'pipe', 'ignore'] })
  children.push(writer)
  await once(writer.stdout, 'data')
  removeTree(path)
  expect(existsSync(path)).toBe(false)
})
