import { brotliCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { WireError } from '../../wire/error.ts'
import { PLAIN_HEAD, pack, plain, unpack } from './packing.ts'

const LIMIT = 100_000

function withRoom(body: Uint8Array): Buffer {
  return Buffer.concat([Buffer.alloc(PLAIN_HEAD), body])
}

/** What a stranger may say: `packed`, a size, and a stream. */
function claiming(size: number, stream: Uint8Array): Buffer {
  const head = Buffer.of(1, 0, 0, 0, 0)
  head.writeUInt32LE(size, 1)
  return Buffer.concat([head, stream])
}

const repeated = fc
  .tuple(fc.uint8Array({ minLength: 1, maxLength: 50 }), fc.nat(1000))
  .map(([unit, times]) => Buffer.concat(Array.from({ length: times }, () => unit)))

test('what is packed is unpacked as it was', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 3000 }), repeated), (body) => {
      for (const way of [plain, pack]) {
        expect(unpack(way(withRoom(body)), LIMIT).equals(body)).toBe(true)
      }
    }),
  )
})

test('source code crosses the network in a third of its size, and what is random in no more than it has', () => {
  const code = Buffer.from('export function add(a: number, b: number): number { return a + b }\n'.repeat(200))
  expect(pack(withRoom(code)).length).toBeLessThan(code.length / 3)
  const random = Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * at * 7919) >>> 3))
  expect(pack(withRoom(random)).length).toBeLessThanOrEqual(random.length + PLAIN_HEAD)
})

test('what nobody packed is refused, and does no harm', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(2 * LIMIT), (bytes, size) => {
      for (const message of [Buffer.from(bytes), claiming(size, bytes)]) {
        if (message[0] === 0) continue
        expect(() => unpack(message, LIMIT)).toThrow(WireError)
      }
    }),
  )
})

test('little that says it is much takes no more memory than it says, and no more than the limit', () => {
  const bomb = brotliCompressSync(Buffer.alloc(2_000_000))
  expect(() => unpack(claiming(LIMIT, bomb), LIMIT)).toThrow('cannot be unpacked')
  expect(() => unpack(claiming(2_000_000, bomb), LIMIT)).toThrow('over the limit')
  expect(() => unpack(claiming(LIMIT, brotliCompressSync(Buffer.alloc(10))), LIMIT)).toThrow('as long as')
})
