import { expect, test } from 'vitest'
import type { Operation } from '../files/operation.ts'
import type { Entry } from '../files/tree.ts'
import { newOrigins } from './origins.ts'

const stamp = { size: 1, mtime: 2n, ctime: 3n, dev: 4n, ino: 5n, mode: 0o644 }
const file = { kind: 'file', executable: false, stamp } as unknown as Entry
const put = (path: string, size = 1) =>
  ({
    op: 'put',
    path,
    expect: 'absent',
    executable: false,
    source: { stamp: { ...stamp, size } },
  }) as unknown as Operation
const remove = (path: string) => ({ op: 'remove', path, expect: 'absent' }) as Operation

test('what a container made or removed and what goes on to others is not ours', () => {
  const origins = newOrigins()
  origins.received('made', file)
  origins.received('removed', null)
  expect(origins.isOurs(put('made'))).toBe(false)
  expect(origins.isOurs(remove('removed'))).toBe(false)
})

test('what somebody here did to it afterwards is', () => {
  const origins = newOrigins()
  origins.received('made', file)
  origins.received('removed', null)
  expect(origins.isOurs(put('made', 2))).toBe(true)
  expect(origins.isOurs(remove('made'))).toBe(true)
  expect(origins.isOurs(put('removed'))).toBe(true)
  expect(origins.isOurs(put('other'))).toBe(true)
})
