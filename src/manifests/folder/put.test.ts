import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { putFile } from './put.ts'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kubesync-put-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

test('a file keeps its mode, a new one gets its folders', async () => {
  writeFileSync(join(root, 'a.yaml'), 'old')
  chmodSync(join(root, 'a.yaml'), 0o640)
  await putFile(join(root, 'a.yaml'), 'new', { isDurable: true })
  await putFile(join(root, 'x/y/b.yaml'), 'b', { mode: 0o600 })
  expect(readFileSync(join(root, 'a.yaml'), 'utf8')).toBe('new')
  expect(statSync(join(root, 'a.yaml')).mode & 0o777).toBe(0o640)
  expect(statSync(join(root, 'x/y/b.yaml')).mode & 0o777).toBe(0o600)
})

test('a link stays a link, and what it leads to is written', async () => {
  mkdirSync(join(root, 'real'))
  writeFileSync(join(root, 'real/a.yaml'), 'old')
  symlinkSync('real/a.yaml', join(root, 'a.yaml'))
  await putFile(join(root, 'a.yaml'), 'new')
  expect(lstatSync(join(root, 'a.yaml')).isSymbolicLink()).toBe(true)
  expect(readFileSync(join(root, 'real/a.yaml'), 'utf8')).toBe('new')
})

test('what cannot be put leaves nothing behind', async () => {
  mkdirSync(join(root, 'a.yaml'))
  await expect(putFile(join(root, 'a.yaml'), 'new')).rejects.toMatchObject({ code: 'EISDIR' })
  expect(readdirSync(root)).toEqual(['a.yaml'])
})
