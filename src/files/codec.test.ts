import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { WireError } from '../wire/error.ts'
import {
  decodeDelta,
  decodeOperations,
  decodeOutcomes,
  encodeDelta,
  encodeOperations,
  encodeOutcomes,
} from './codec.ts'
import type { Operation, Outcome } from './operation.ts'
import { anyDigest, anyEntry, anyPath, anyStamp, anyTarget } from './testing/arbitrary.ts'
import type { Delta, DeltaItem } from './tree.ts'

const anyItem: fc.Arbitrary<DeltaItem> = fc.tuple(
  fc.oneof(anyPath, fc.constant('')),
  fc.option(anyEntry, { nil: null }),
)
const anyDelta: fc.Arbitrary<Delta> = fc.array(anyItem)

const expect_ = fc.oneof(fc.constant('absent' as const), anyStamp)
const anySource = fc.oneof(fc.record({ stamp: anyStamp }), fc.record({ stamp: anyStamp, digest: anyDigest }))
const anyOperation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ op: fc.constantFrom('mkdir' as const, 'remove' as const), path: anyPath, expect: expect_ }),
  fc.record(
    {
      op: fc.constant('put' as const),
      path: anyPath,
      expect: expect_,
      executable: fc.boolean(),
      source: anySource,
      original: fc.record({ path: anyPath, stamp: anyStamp }),
    },
    { requiredKeys: ['op', 'path', 'expect', 'executable', 'source'] },
  ),
  fc.record({ op: fc.constant('symlink' as const), path: anyPath, expect: expect_, target: anyTarget }),
  fc.record({ op: fc.constant('chmod' as const), path: anyPath, expect: expect_, executable: fc.boolean() }),
)
const anyOutcome: fc.Arbitrary<Outcome> = fc.oneof(
  fc.record({
    result: fc.constant('done' as const),
    path: anyPath,
    entry: fc.option(anyEntry, { nil: null }),
  }),
  fc.record({ result: fc.constantFrom('stale' as const, 'source-changed' as const), path: anyPath }),
  fc
    .tuple(anyPath, fc.string(), fc.string())
    .map(([path, code, message]): Outcome => ({ result: 'failed', path, problem: { path, code, message } })),
)

describe('what is encoded is decoded', () => {
  test('deltas', () => {
    fc.assert(
      fc.property(anyDelta, (delta) => {
        expect(decodeDelta(encodeDelta(delta))).toEqual(delta)
      }),
    )
  })
  test('operations', () => {
    fc.assert(
      fc.property(fc.array(anyOperation), (list) => {
        expect(decodeOperations(encodeOperations(list))).toEqual(list)
      }),
    )
  })
  test('outcomes', () => {
    fc.assert(
      fc.property(fc.array(anyOutcome), (list) => {
        expect(decodeOutcomes(encodeOutcomes(list))).toEqual(list)
      }),
    )
  })
})

describe('what a peer could send', () => {
  const stamp = { mtimeMs: 1, ctimeMs: 2, ino: 3, size: 4, mode: 5 }
  const entry = { kind: 'directory', stamp } as const

  test.each([
    '/etc',
    'a//b',
    'a/',
    '.',
    '..',
    'a/../b',
    'a/./b',
    'a\0b',
    'x'.repeat(2000),
    `${'a/'.repeat(600)}a`,
  ])('the path %j is refused', (path) => {
    expect(() => decodeDelta(encodeDelta([[path, entry]]))).toThrow(WireError)
    expect(() => decodeOutcomes(encodeOutcomes([{ result: 'stale', path }]))).toThrow(WireError)
    const operations: Operation[] = [{ op: 'remove', path, expect: 'absent' }]
    expect(() => decodeOperations(encodeOperations(operations))).toThrow(WireError)
  })

  test('a bad path is also refused when it is put together from the one before', () => {
    const delta: Delta = [
      ['a/x', entry],
      ['a/..', entry],
    ]
    expect(() => decodeDelta(encodeDelta(delta))).toThrow(WireError)
  })

  test('names that only look like dots are names', () => {
    const delta: Delta = [['.../.a/..b/a..', entry]]
    expect(decodeDelta(encodeDelta(delta))).toEqual(delta)
  })

  test('an operation on the root itself is refused', () => {
    const operations: Operation[] = [{ op: 'remove', path: '', expect: stamp }]
    expect(() => decodeOperations(encodeOperations(operations))).toThrow(WireError)
  })

  test('a time that is no number is refused', () => {
    const delta: Delta = [['a', { kind: 'directory', stamp: { ...stamp, mtimeMs: Number.NaN } }]]
    expect(() => decodeDelta(encodeDelta(delta))).toThrow(WireError)
  })

  test('any bytes give a list or a WireError, nothing else', () => {
    const whole = fc.uint8Array({ maxLength: 64 })
    const bent = fc
      .tuple(
        anyDelta.filter((delta) => delta.length > 0),
        fc.nat(),
        fc.nat(255),
      )
      .map(([delta, at, byte]) => {
        const bytes = encodeDelta(delta)
        bytes[at % bytes.length] = byte
        return bytes
      })
    fc.assert(
      fc.property(fc.oneof(whole, bent), (bytes) => {
        for (const decode of [decodeDelta, decodeOperations, decodeOutcomes]) {
          try {
            expect(Array.isArray(decode(bytes))).toBe(true)
          } catch (error) {
            expect(error).toBeInstanceOf(WireError)
          }
        }
      }),
    )
  })

  test('every truncation is refused', () => {
    const bytes = encodeDelta([
      ['a', entry],
      ['a/b', { kind: 'symlink', target: 'x', stamp }],
    ])
    for (let end = 0; end < bytes.length; end++) {
      expect(() => decodeDelta(bytes.subarray(0, end))).toThrow(WireError)
    }
  })
})
