import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { noise } from '../replica/testing/noise.ts'
import { Matcher, type Piece } from './matcher.ts'
import { blockSizeFor, type Signature, Summing } from './signature.ts'

const BLOCK = 1024
const NOTHING = Buffer.alloc(0)

function sumsOf(bytes: Buffer): Uint32Array {
  const summing = new Summing(BLOCK, bytes.length)
  summing.update(bytes)
  return summing.take()
}

interface Made {
  readonly pieces: readonly Piece[]
  readonly literals: number
  readonly rebuilt: Buffer
}

/** What the sender makes of a new file, and the receiver of that. */
function made(
  old: Buffer,
  next: Buffer,
  { staged = NOTHING, step = 1 << 20 }: { staged?: Buffer; step?: number } = {},
): Made {
  const signature: Signature = { blockSize: BLOCK, old: sumsOf(old), staged: sumsOf(staged) }
  const has = { old, staged }
  const matcher = new Matcher(signature)
  const pieces: Piece[] = []
  const parts: Buffer[] = []
  let literals = 0
  const add = (some: Iterable<Piece>) => {
    for (const piece of some) {
      pieces.push(piece)
      if (piece.kind === 'literal') {
        literals += piece.bytes.length
        parts.push(Buffer.from(piece.bytes))
      } else parts.push(has[piece.basis].subarray(piece.from, piece.from + piece.length))
    }
  }
  for (let at = 0; at < next.length; ) {
    const room = matcher.room()
    const size = next.copy(room, 0, at, Math.min(at + step, at + room.length))
    add(matcher.take(size))
    at += size
  }
  add(matcher.finish())
  return { pieces, literals, rebuilt: Buffer.concat(parts) }
}

interface Edit {
  readonly at: number
  readonly remove: number
  readonly insert: number
  readonly seed: number
}

const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.nat(100_000),
  remove: fc.oneof(fc.nat(5), fc.nat(30_000)),
  insert: fc.oneof(fc.nat(5), fc.nat(10_000)),
  seed: fc.nat(3),
})

function edited(old: Buffer, edits: readonly Edit[]): Buffer {
  let bytes = old
  for (const { at, remove, insert, seed } of edits) {
    const start = Math.min(at, bytes.length)
    bytes = Buffer.concat([
      bytes.subarray(0, start),
      seed === 0 ? Buffer.alloc(insert) : noise(insert, `${seed}`),
      bytes.subarray(start + remove),
    ])
  }
  return bytes
}

/** Noise, zeros, and what repeats itself. */
const content = fc
  .array(
    fc.record({ kind: fc.constantFrom('noise', 'zeros', 'text'), size: fc.nat(20_000), seed: fc.nat(5) }),
    { maxLength: 6 },
  )
  .map((parts) =>
    Buffer.concat(
      parts.map(({ kind, size, seed }) =>
        kind === 'noise'
          ? noise(size, `${seed}`)
          : Buffer.alloc(size, kind === 'zeros' ? 0 : `line ${seed}\n`),
      ),
    ),
  )

describe('what is made of a new file', () => {
  test('is the new file again, whatever was edited and however it is read', () => {
    fc.assert(
      fc.property(
        content,
        fc.array(edit, { maxLength: 5 }),
        fc.integer({ min: 1, max: 1 << 20 }),
        fc.nat(100_000),
        (old, edits, step, cut) => {
          const next = edited(old, edits)
          const staged = next.subarray(0, Math.min(cut, next.length))
          expect(made(old, next, { step: Math.max(step, next.length >> 6) }).rebuilt.equals(next)).toBe(true)
          expect(made(old, next, { staged }).rebuilt.equals(next)).toBe(true)
        },
      ),
      { numRuns: 150 },
    )
  })

  test('costs what was changed and a few blocks for each edit', () => {
    const old = noise(300_000, 'old')
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 4 }), (edits) => {
        const next = edited(old, edits)
        const inserted = edits.reduce((sum, { insert }) => sum + insert, 0)
        expect(made(old, next).literals).toBeLessThanOrEqual(inserted + (edits.length + 1) * 4 * BLOCK)
      }),
      { numRuns: 60 },
    )
  })

  test('is a literal and a copy where something was put in front', () => {
    const old = noise(100 * BLOCK, 'old')
    const { pieces } = made(old, Buffer.concat([noise(777, 'new'), old]))
    expect(pieces.map((piece) => ({ ...piece, bytes: undefined }))).toMatchObject([
      { kind: 'literal' },
      { kind: 'copy', basis: 'old', from: 0, length: 100 * BLOCK },
    ])
  })

  test('costs the blocks that were written to, where a file is changed in its place', () => {
    const old = noise(100 * BLOCK, 'old')
    const next = Buffer.from(old)
    for (const at of [1000, 5 * BLOCK, 7 * BLOCK]) next[at] = (next[at] ?? 0) ^ 1
    expect(made(old, next).literals).toBe(3 * BLOCK)
  })

  test('goes on after what an earlier transfer left, and takes the rest from the old file', () => {
    const old = noise(50 * BLOCK, 'old')
    const next = Buffer.concat([noise(50 * BLOCK, 'new'), old])
    const { literals, pieces } = made(old, next, { staged: next.subarray(0, 40 * BLOCK + 500) })
    expect(literals).toBe(10 * BLOCK)
    expect(pieces[0]).toMatchObject({ kind: 'copy', basis: 'staged', from: 0, length: 40 * BLOCK })
  })

  test('takes of what an earlier transfer left only what is still so', () => {
    const next = noise(50 * BLOCK, 'new')
    const staged = Buffer.from(next)
    staged[10 * BLOCK] = (staged[10 * BLOCK] ?? 0) ^ 1
    const { rebuilt, literals } = made(Buffer.alloc(0), next, { staged })
    expect(rebuilt.equals(next)).toBe(true)
    expect(literals).toBe(40 * BLOCK)
  })

  test('takes no longer for what repeats itself', () => {
    const period = noise(1500, 'period')
    const old = Buffer.concat(Array.from({ length: 400 }, () => period))
    const next = Buffer.concat(Array.from({ length: 300 }, (_, i) => [period, Buffer.from([i & 255])]).flat())
    expect(made(old, next).rebuilt.equals(next)).toBe(true)
  })
})

describe('blocks', () => {
  test('are few for a large file and small for a small one', () => {
    for (const size of [1, 1 << 18, 1 << 20, 1 << 30, 2 ** 40]) {
      const blockSize = blockSizeFor(size)
      expect(4 * Math.ceil(size / blockSize)).toBeLessThanOrEqual(4 * Math.ceil(Math.sqrt(size)))
      expect(blockSize).toBeLessThanOrEqual(Math.max(1024, 2 * Math.sqrt(size)))
    }
  })
})
