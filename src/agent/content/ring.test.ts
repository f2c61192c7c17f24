import { readdirSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { temporaryRoot } from '../../files/replica/testing/roots.ts'
import { newRing, openRing, readerOf } from './ring.ts'

test('what was appended is read where it was said to be, until as much came after it as there is room for', async () => {
  const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 30 }), { maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(pieces, async (pieces) => {
      const ring = newRing(temporaryRoot(), 64)
      const read = readerOf(ring)
      const places = await Promise.all(
        pieces.map(async (bytes) => ({ at: await ring.append(bytes), size: bytes.length, bytes })),
      )
      const end = places.reduce((sum, { size }) => sum + size, 0)
      for (const { bytes, ...place } of places) {
        if (place.at >= end - 64) expect(read(place)).toEqual(Buffer.from(bytes))
        else expect(read(place)).toHaveLength(place.size)
      }
    }),
  )
})

test('it has no name, and who reads it cannot write to it', () => {
  const root = temporaryRoot()
  const ring = newRing(root, 64)
  expect(readdirSync(root)).toEqual([])
  expect(() => writeSync(ring.fd, 'x')).toThrow('EBADF')
})

test('it is where there is room, and nowhere if there is none', () => {
  const root = temporaryRoot()
  expect(openRing([join(root, 'missing'), root])?.size).toBeGreaterThan(0)
  expect(openRing([join(root, 'missing')])).toBeUndefined()
})
