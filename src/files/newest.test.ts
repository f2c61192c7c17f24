import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { measureClocks, newerOf } from './newest.ts'
import type { FileEntry } from './tree.ts'

function madeAt(mtimeMs: number, ctimeMs = mtimeMs): FileEntry {
  return { kind: 'file', executable: false, stamp: { mtimeMs, ctimeMs, ino: 1, size: 1, mode: 0 } }
}
const path = 'f'
const newer = (localMs: number, remoteMs: number, offsetMs = 0, uncertaintyMs = 5) =>
  newerOf({ path, local: madeAt(localMs), remote: madeAt(remoteMs) }, { offsetMs, uncertaintyMs })

describe('the newer of two files', () => {
  test('is the same however far the clocks are apart', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e9, max: 1e9 }), fc.integer({ min: 16, max: 900 }), (offset, later) => {
        const at = 1e12 + 1
        expect(newer(at + later, at + offset, offset)).not.toBe('remote')
        expect(newer(at, at + offset + later, offset)).not.toBe('local')
      }),
    )
  })

  test('is not guessed within what is uncertain', () => {
    expect(newer(1_000_001, 1_000_015)).toBeUndefined()
    expect(newer(1_000_001, 1_000_017)).toBe('remote')
    expect(newer(1_000_001, 1_000_501, 0, 1000)).toBeUndefined()
    expect(newer(0.5, 1e12 + 0.5, 0, Infinity)).toBeUndefined()
  })

  test('is not guessed from times in whole seconds that are close', () => {
    expect(newer(1_000_000, 1_001_500)).toBeUndefined()
    expect(newer(1_000_000, 1_002_500)).toBe('remote')
  })

  test('is not guessed if a time was set by somebody, to later than the file was last touched', () => {
    const set = { path, local: madeAt(5_000_001, 1_000_001), remote: madeAt(2_000_001) }
    expect(newerOf(set, { offsetMs: 0, uncertaintyMs: 1 })).toBeUndefined()
  })

  test('is not known of folders', () => {
    const { stamp } = madeAt(5_000_001)
    const folder = { path, local: { kind: 'directory', stamp } as const, remote: madeAt(1) }
    expect(newerOf(folder, { offsetMs: 0, uncertaintyMs: 1 })).toBeUndefined()
  })
})

test('clocks are compared by the quickest answer, and it is said how far off that may be', async () => {
  const delays = [40, 5, 30, 20, 25]
  const remote = async () => {
    await new Promise((resolve) => setTimeout(resolve, delays.shift()))
    return Date.now() + 3_600_000
  }
  const clocks = await measureClocks({ local: async () => Date.now(), remote })
  expect(Math.abs(clocks.offsetMs - 3_600_000)).toBeLessThanOrEqual(clocks.uncertaintyMs)
})
