import { expect, test } from 'vitest'
import { batchesOf } from './batch.ts'
import type { Operation } from './operation.ts'

const MiB = 1024 * 1024
const put = (path: string, size: number): Operation => ({
  op: 'put',
  path,
  expect: 'absent',
  executable: false,
  source: { stamp: { mtimeMs: 0, ctimeMs: 0, ino: 1, size, mode: 0 } },
})
const mkdir = (path: string): Operation => ({ op: 'mkdir', path, expect: 'absent' })
const paths = (operations: readonly Operation[]) =>
  batchesOf(operations).map((batch) => batch.operations.map(({ path }) => path).join(' '))

test('what is large goes last, everything else in its order', () => {
  expect(paths([put('huge', 300 * MiB), mkdir('d'), put('d/big', 9 * MiB), put('d/small', 1)])).toEqual([
    'd d/small',
    'huge',
    'd/big',
  ])
})

test('batches are of at most 256 MiB, unless a single file is larger, and of 65,536 operations', () => {
  expect(paths([put('a', 140 * MiB), put('b', 100 * MiB), put('c', 20 * MiB)])).toEqual(['a b', 'c'])
  const many = Array.from({ length: 2 * 65_536 + 1 }, (_, i) => mkdir(`${i}`))
  expect(batchesOf(many).map(({ operations }) => operations.length)).toEqual([65_536, 65_536, 1])
  expect(batchesOf([])).toEqual([])
})
