import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { blobInGit } from './git.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'git-'))
})
afterEach(() => rmSync(root, { recursive: true }))

function git(...args: string[]): void {
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { cwd: root })
}
const find = async (content: string) =>
  (await blobInGit(join(root, 'sub'), 'f', createHash('sha256').update(content).digest('binary')))?.toString()

test('a file is found as it is in the last commit, or in the index, and not otherwise', async () => {
  mkdirSync(join(root, 'sub'))
  const write = (content: string) => writeFileSync(join(root, 'sub/f'), content)
  write('committed')
  expect(await find('committed')).toBeUndefined()
  git('init', '-q')
  git('add', '.')
  git('commit', '-qm', 'first')
  write('staged')
  git('add', '.')
  write('neither')
  expect(await find('committed')).toBe('committed')
  expect(await find('staged')).toBe('staged')
  expect(await find('neither')).toBeUndefined()
})
