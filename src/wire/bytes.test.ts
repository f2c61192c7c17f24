import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteReader, ByteWriter } from './bytes.ts'
import { WireError } from './error.ts'

const field = fc.oneof(
  fc.record({ as: fc.constant('u8' as const), value: fc.integer({ min: 0, max: 0xff }) }),
  fc.record({ as: fc.constant('u32' as const), value: fc.integer({ min: 0, max: 0xffff_ffff }) }),
  fc.record({ as: fc.constant('f64' as const), value: fc.double({ noNaN: true }) }),
  fc.record({ as: fc.constant('varint' as const), value: fc.maxSafeNat() }),
  fc.record({ as: fc.constant('string' as const), value: fc.string({ unit: 'grapheme', maxLength: 60 }) }),
  fc.record({ as: fc.constant('bytes' as const), value: fc.uint8Array({ maxLength: 600 }) }),
)
type Field = typeof field extends fc.Arbitrary<infer T> ? T : never

function write(writer: ByteWriter, { as, value }: Field): void {
  if (as === 'string') writer.string(value)
  else if (as === 'bytes') writer.bytes(value)
  else writer[as](value)
}

function encode(fields: readonly Field[]): Buffer {
  const writer = new ByteWriter(16)
  for (const each of fields) write(writer, each)
  return writer.take()
}

function read(reader: ByteReader, { as }: Field): unknown {
  return as === 'bytes' ? new Uint8Array(reader.bytes()) : reader[as]()
}

describe('bytes', () => {
  test('whatever is written is read again, and nothing is left', () => {
    fc.assert(
      fc.property(fc.array(field, { maxLength: 40 }), (fields) => {
        const reader = new ByteReader(encode(fields))
        for (const each of fields) expect(read(reader, each)).toEqual(each.value)
        reader.end()
      }),
    )
  })

  test('cut anywhere, the bytes are an error and never a wrong value', () => {
    fc.assert(
      fc.property(fc.array(field, { minLength: 1, maxLength: 10 }), fc.nat(), (fields, cut) => {
        const whole = encode(fields)
        const reader = new ByteReader(whole.subarray(0, cut % whole.length))
        expect(() => {
          for (const each of fields) expect(read(reader, each)).toEqual(each.value)
        }).toThrow(WireError)
      }),
    )
  })

  test('random bytes read as anything end in a value or a WireError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.array(field, { maxLength: 20 }), (bytes, fields) => {
        const reader = new ByteReader(bytes)
        try {
          for (const each of fields) read(reader, each)
        } catch (error) {
          expect(error).toBeInstanceOf(WireError)
        }
      }),
    )
  })

  test.each([
    [0, 1],
    [127, 1],
    [128, 2],
    [2 ** 31 - 1, 5],
    [2 ** 31, 5],
    [2 ** 32, 5],
    [2 ** 49 - 1, 7],
    [2 ** 49, 8],
    [Number.MAX_SAFE_INTEGER, 8],
  ])('the varint of %d takes %d bytes', (value, size) => {
    const bytes = new ByteWriter().varint(value).take()
    expect(bytes.length).toBe(size)
    expect(new ByteReader(bytes).varint()).toBe(value)
  })

  test.each([-1, 0.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY])(
    '%d cannot be written as a varint',
    (n) => {
      expect(() => new ByteWriter().varint(n)).toThrow(RangeError)
    },
  )

  test.each([
    ['one byte too many', '808080808080808001'],
    ['above 2^53-1', 'ffffffffffffff1f'],
    ['not the shortest form', '8000'],
    ['no end', 'ffffffffffffffff'],
  ])('a varint that is malformed (%s) is refused', (_, hex) => {
    expect(() => new ByteReader(Buffer.from(hex, 'hex')).varint()).toThrow('a varint is too long')
  })

  test('a length past the end is refused before anything is allocated', () => {
    const claim = new ByteWriter().varint(Number.MAX_SAFE_INTEGER).take()
    expect(() => new ByteReader(claim).bytes()).toThrow(WireError)
    expect(() => new ByteReader(claim).string()).toThrow(WireError)
    expect(() => new ByteReader(claim).count(1)).toThrow(WireError)
  })

  test('a string that is not UTF-8 is refused', () => {
    const bytes = new ByteWriter().bytes(Uint8Array.of(0x61, 0xff, 0x62)).take()
    expect(() => new ByteReader(bytes).string()).toThrow('not UTF-8')
  })

  test('a digest keeps every byte', () => {
    const digest = Buffer.from(Array.from({ length: 256 }, (_, i) => i)).toString('latin1')
    expect(new ByteReader(new ByteWriter(1).latin1(digest).take()).latin1(256)).toBe(digest)
  })

  test('a writer can be used again after take, which keeps what was taken', () => {
    const writer = new ByteWriter()
    const first = writer.string('first').take()
    const second = writer.string('other').take()
    expect([new ByteReader(first).string(), new ByteReader(second).string()]).toEqual(['first', 'other'])
  })

  test('bytes that are left over can be told', () => {
    const reader = new ByteReader(Uint8Array.of(1, 2))
    reader.u8()
    expect(() => reader.end()).toThrow('1 bytes too many')
  })
})
