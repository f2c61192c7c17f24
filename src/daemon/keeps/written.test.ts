import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { order } from '../testing/fake-keeps.ts'
import { overlaps, placeId } from './order.ts'
import { forgetKeeps, readKeeps, writeKeeps } from './written.ts'

async function place(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'keeps-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return join(folder, 'state', 'keeps.json')
}

test('what stays is read as it was written, by its user alone', async () => {
  const path = await place()
  expect(await readKeeps(path)).toEqual([])
  await writeKeeps(path, [order('/a'), order('/b', { mode: 'to-files' })])
  expect(await readKeeps(path)).toEqual([order('/a'), order('/b', { mode: 'to-files' })])
  expect((await stat(path)).mode & 0o777).toBe(0o600)
})

test('one is forgotten by its folder, or all are', async () => {
  const path = await place()
  await writeKeeps(path, [order('/a'), order('/b')])
  expect(await forgetKeeps(path, '/c')).toEqual([])
  expect(await forgetKeeps(path, '/a')).toEqual(['/a'])
  expect(await readKeeps(path)).toEqual([order('/b')])
  expect(await forgetKeeps(path, undefined)).toEqual(['/b'])
  expect(await forgetKeeps(path, undefined)).toEqual([])
})

test('what cannot be made out is told with its place, and taken for nothing', async () => {
  const path = await place()
  await writeKeeps(path, [])
  await writeFile(path, '{"version":1,"keeps":[{"folder":"/a"}]}')
  await expect(readKeeps(path)).rejects.toMatchObject({
    code: 'KEEPS_UNREADABLE',
    message: expect.stringContaining(path),
  })
})

test.each([
  ['/a', '/a', true],
  ['/a', '/a/b', true],
  ['/a/b', '/a', true],
  ['/a', '/ab', false],
  ['/', '/a', true],
  ['/a', '/b', false],
])('%s and %s overlap: %s', (one, other, expected) => {
  expect(overlaps(order(one), order(other))).toBe(expected)
  expect(overlaps(order(one), order(other, { server: 'https://elsewhere' }))).toBe(false)
})

test('a folder and a cluster are one place, whatever else is asked for', () => {
  expect(placeId(order('/a', { mode: 'to-files' }))).toBe(placeId(order('/a')))
  expect(placeId(order('/a', { server: 'https://elsewhere' }))).not.toBe(placeId(order('/a')))
})
