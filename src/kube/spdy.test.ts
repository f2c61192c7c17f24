import { constants, inflateSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dataHeader, FIN, pingFrame, readFrames, synStreams } from './spdy.ts'

/** What a reader hears, with the pieces of a stream put together. */
function hear(chunks: readonly Buffer[]): { data: Map<number, string>; pings: number[] } {
  const data = new Map<number, string>()
  const pings: number[] = []
  const read = readFrames({
    onData: (stream, piece) => data.set(stream, (data.get(stream) ?? '') + piece.toString('latin1')),
    onPing: (id) => pings.push(id),
  })
  for (const chunk of chunks) read(chunk)
  return { data, pings }
}

function dataFrame(stream: number, text: string): Buffer {
  return Buffer.concat([dataHeader(stream, 0, text.length), Buffer.from(text, 'latin1')])
}

const frames = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('data' as const),
      stream: fc.constantFrom(1, 5, 7),
      text: fc.string({ maxLength: 40 }),
    }),
    fc.record({ kind: fc.constant('ping' as const), id: fc.nat() }),
    fc.record({
      kind: fc.constant('other' as const),
      type: fc.constantFrom(2, 3, 4, 7, 9),
      length: fc.nat(40),
    }),
  ),
)

function otherControl(type: number, length: number): Buffer {
  return Buffer.concat([Buffer.of(0x80, 3, 0, type, 0, 0, 0, length), Buffer.alloc(length, 'x')])
}

describe('reading', () => {
  test('gives the data of each stream and the pings, however the bytes are cut', () => {
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (list, sizes) => {
        const bytes = Buffer.concat(
          list.map((frame) => {
            if (frame.kind === 'data') return dataFrame(frame.stream, frame.text)
            return frame.kind === 'ping' ? pingFrame(frame.id) : otherControl(frame.type, frame.length)
          }),
        )
        const chunks: Buffer[] = []
        for (let from = 0, turn = 0; from < bytes.length; turn++) {
          const size = sizes[turn % sizes.length] ?? 1
          chunks.push(bytes.subarray(from, from + size))
          from += size
        }
        const texts = new Map<number, string>()
        for (const frame of list) {
          if (frame.kind !== 'data' || frame.text === '') continue
          const text = Buffer.from(frame.text, 'latin1').toString('latin1')
          texts.set(frame.stream, (texts.get(frame.stream) ?? '') + text)
        }
        const heard = hear(chunks)
        expect(heard.data).toEqual(texts)
        expect(heard.pings).toEqual(list.flatMap((frame) => (frame.kind === 'ping' ? [frame.id] : [])))
      }),
    )
  })

  test('refuses a control frame that would have to be kept in memory for long', () => {
    expect(() => hear([Buffer.of(0x80, 3, 0, 2, 0, 0xff, 0xff, 0xff)])).toThrow(/control frame of/)
  })
})

describe('writing', () => {
  test('the header of data holds stream, flags and length', () => {
    expect([...dataHeader(3, FIN, 0x010203)]).toEqual([0, 0, 0, 3, FIN, 1, 2, 3])
  })

  test('streams are opened by frames whose headers are one zlib stream', () => {
    const bytes = synStreams([
      { id: 1, type: 'error' },
      { id: 3, type: 'stdin' },
    ])
    const blocks: Buffer[] = []
    const ids: number[] = []
    for (let from = 0; from < bytes.length; ) {
      const length = bytes.readUIntBE(from + 5, 3)
      expect([...bytes.subarray(from, from + 4)]).toEqual([0x80, 3, 0, 1])
      ids.push(bytes.readUInt32BE(from + 8))
      blocks.push(bytes.subarray(from + 18, from + 8 + length))
      from += 8 + length
    }
    expect(ids).toEqual([1, 3])
    const pair = (value: string) => `\0\0\0\x01\0\0\0\x0astreamtype\0\0\0\x05${value}`
    const inflated = inflateSync(Buffer.concat(blocks), { finishFlush: constants.Z_SYNC_FLUSH })
    expect(inflated.toString('latin1')).toBe(pair('error') + pair('stdin'))
  })
})
