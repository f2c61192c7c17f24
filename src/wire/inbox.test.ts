import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Inbox } from './inbox.ts'

/** Pieces of some size, each a view of a chunk of its own that may be larger. */
const anyPieces = fc.array(
  fc
    .tuple(
      fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 70_000 })),
      fc.nat({ max: 70_000 }),
    )
    .map(([size, around]) => Buffer.from(new ArrayBuffer(size + around), around, size).fill(size % 251)),
  { maxLength: 60 },
)

function takeAll(inbox: Inbox): Buffer[] {
  const pieces = []
  for (let piece = inbox.take(); piece !== undefined; piece = inbox.take()) pieces.push(piece)
  return pieces
}

describe('an inbox', () => {
  test('gives back exactly the bytes that came, in order, whenever they are taken', () => {
    fc.assert(
      fc.property(anyPieces, fc.array(fc.boolean()), (pieces, takes) => {
        const inbox = new Inbox()
        const taken: Buffer[] = []
        for (const [i, piece] of pieces.entries()) {
          inbox.add(piece)
          const early = takes[i] ? inbox.take() : undefined
          if (early) taken.push(early)
        }
        taken.push(...takeAll(inbox))
        expect(Buffer.concat(taken).equals(Buffer.concat(pieces))).toBe(true)
        expect(inbox.size).toBe(0)
      }),
    )
  })

  test('keeps at most four times as much memory as there are bytes in it, and few pieces', () => {
    fc.assert(
      fc.property(anyPieces, (pieces) => {
        const inbox = new Inbox()
        for (const piece of pieces) inbox.add(piece)
        const size = inbox.size
        const kept = takeAll(inbox)
        const memory = new Set(kept.map((piece) => piece.buffer))
        const held = [...memory].reduce((sum, buffer) => sum + buffer.byteLength, 0)
        expect(held).toBeLessThanOrEqual(4 * size + 2 * 65_536)
        expect(kept.length).toBeLessThanOrEqual((2 * size) / 1024 + 2)
      }),
    )
  })

  test('a million bytes that come one by one are a few blocks', () => {
    const inbox = new Inbox()
    const chunk = Buffer.alloc(65_536)
    for (let i = 0; i < 1_000_000; i++) inbox.add(chunk.subarray(i % 65_536, (i % 65_536) + 1))
    expect(takeAll(inbox).length).toBe(Math.ceil(1_000_000 / 65_536))
  })
})
