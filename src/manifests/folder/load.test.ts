import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadFile, loadFolder } from './load.ts'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kubesync-folder-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function write(path: string, content: string | Buffer): void {
  mkdirSync(join(root, path, '..'), { recursive: true })
  writeFileSync(join(root, path), content)
}

test('YAML and JSON files at any depth, in order, and nothing else', async () => {
  for (const path of [
    'b.yml',
    'a.yaml',
    'x/y/c.json',
    'notes.md',
    '.git/config.yaml',
    'node_modules/p/q.yaml',
    '.hidden.yaml',
  ])
    write(path, 'a: 1\n')
  symlinkSync('..', join(root, 'x/loop'))
  const { files, remarks } = await loadFolder(root)
  expect(files.map(({ path }) => path)).toEqual(['a.yaml', 'b.yml', 'x/y/c.json'])
  expect(remarks).toEqual([])
})

test('a byte order mark is kept', async () => {
  write('a.yaml', '\ufeffa: 1\n')
  expect((await loadFolder(root)).files).toEqual([{ path: 'a.yaml', text: '\ufeffa: 1\n' }])
})

test('what cannot be a manifest is told, and the others are read', async () => {
  write('good.yaml', 'a: 1\n')
  write('latin.yaml', Buffer.from([0x61, 0x3a, 0x20, 0xe9]))
  write('large.yaml', Buffer.alloc(9_000_000))
  symlinkSync('nowhere.yaml', join(root, 'dead.yaml'))
  const { files, remarks } = await loadFolder(root)
  expect(files).toHaveLength(1)
  expect(remarks.map(({ file, isProblem }) => [file, isProblem])).toEqual([
    ['dead.yaml', true],
    ['large.yaml', false],
    ['latin.yaml', true],
  ])
})

test('what comes through a pipe is waited for', async () => {
  execFileSync('sh', ['-c', 'mkfifo "$0"', join(root, 'pipe')])
  const reading = loadFile(root, 'pipe')
  await writeFile(join(root, 'pipe'), 'a: 1\n')
  expect((await reading).files).toEqual([{ path: 'pipe', text: 'a: 1\n' }])
})
