import type { Duplex } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { duplexPair } from './duplex-pair.ts'
import {
  CREDIT,
  DATA,
  END,
  encodeFrame,
  encodeHello,
  encodeU32,
  HELLO,
  MAX_DATA,
  MAX_WINDOW,
  OPEN,
  RESET,
} from './frames.ts'
import { type Channel, Mux } from './mux.ts'
import { settled } from './mux-testing.ts'

const WINDOW = 1000

interface Victim {
  /** What the other end writes to. */
  readonly wire: Duplex
  readonly mux: Mux
  readonly channels: Channel[]
}

function victim(): Victim {
  const [wire, transport] = duplexPair()
  const mux = new Mux(transport, { role: 'server', window: WINDOW })
  const channels: Channel[] = []
  mux.onChannel((channel) => {
    channels.push(channel.on('error', () => {}))
  })
  wire.on('error', () => {}).resume()
  return { wire, mux, channels }
}

const hello = encodeHello(WINDOW)
const open = (channel: number) => encodeFrame({ type: OPEN, channel }, Buffer.from('x'))
const data = (channel: number, size: number) => encodeFrame({ type: DATA, channel }, Buffer.alloc(size))
const credit = (channel: number, bytes: number) => encodeFrame({ type: CREDIT, channel }, encodeU32(bytes))
const end = (channel: number) => encodeFrame({ type: END, channel })
const reset = (channel: number) => encodeFrame({ type: RESET, channel }, Buffer.from('sorry'))

describe('an end that breaks the protocol loses the connection, with the reason', () => {
  test.each<[string, Buffer[], string]>([
    ['another protocol', [Buffer.from('sh: node: not found\n')], 'it said "sh: node: not found\\n"'],
    [
      'another version',
      [encodeFrame({ type: HELLO, channel: 0 }, Buffer.from('kubesync mux 9\n1234'))],
      'version',
    ],
    ['no hello', [open(1)], 'no hello'],
    ['data before hello', [data(1, 1)], 'no hello'],
    ['hello twice', [hello, hello], 'a second hello'],
    ['hello on a channel', [encodeFrame({ type: HELLO, channel: 1 }, Buffer.alloc(19))], 'no hello'],
    ['a window of nothing', [encodeHello(0)], 'credit that makes no sense'],
    ['an unknown type', [hello, encodeFrame({ type: 6, channel: 1 })], 'unknown type 6'],
    ['an id of the wrong end', [hello, open(2)], 'channel 2 opened by the wrong end'],
    ['an id of the connection', [hello, open(0)], 'channel 0 opened by the wrong end'],
    ['opening twice', [hello, open(1), open(1)], 'channel 1 opened twice'],
    ['opening an older id', [hello, open(5), open(3)], 'channel 3 opened twice'],
    ['data for a channel never opened', [hello, data(1, 1)], 'channel 1, which was never opened'],
    ['data for a channel of ours never opened', [hello, data(2, 1)], 'channel 2, which was never opened'],
    ['data for the connection', [hello, data(0, 1)], 'channel 0, which was never opened'],
    ['a reset of the connection', [hello, reset(0)], 'channel 0, which was never opened'],
    ['more data than the window', [hello, open(1), data(1, WINDOW), data(1, 1)], 'than its window allows'],
    [
      'a frame of data that is too large',
      [hello, open(1), data(1, MAX_DATA + 1)],
      `a frame of ${MAX_DATA + 1} bytes`,
    ],
    [
      'a header that is too large',
      [hello, encodeFrame({ type: OPEN, channel: 1 }, Buffer.alloc(16_385))],
      '16385',
    ],
    ['data after the end', [hello, open(1), end(1), data(1, 1)], 'data after the end of channel 1'],
    ['ending twice', [hello, open(1), end(1), end(1)], 'a second end of channel 1'],
    ['credit of nothing', [hello, open(1), credit(1, 0)], 'credit that makes no sense'],
    ['credit without end', [hello, open(1), credit(1, MAX_WINDOW)], 'too much credit'],
    ['credit of the wrong size', [hello, open(1), encodeFrame({ type: CREDIT, channel: 1 })], 'no sense'],
    [
      'too many channels',
      [hello, ...Array.from({ length: 1025 }, (_, i) => open(2 * i + 1))],
      'more than 1024',
    ],
  ])('%s', async (_, frames, message) => {
    for (const cut of [false, true]) {
      const { wire, mux, channels } = victim()
      const bytes = Buffer.concat(frames)
      if (cut) for (const byte of bytes) wire.write(Buffer.of(byte))
      else wire.write(bytes)
      const closed = await mux.closed
      expect(closed.kind).toBe('lost')
      if (!cut || frames.length > 1) expect(closed.message).toContain(message)
      await settled()
      // One that had ended properly can be read first.
      for (const channel of channels) channel.resume()
      await settled()
      expect(channels.every((channel) => channel.destroyed)).toBe(true)
    }
  })

  test('whatever bytes arrive, nothing is thrown and nothing more than the window is kept', async () => {
    const frame = fc.oneof(
      fc.integer({ min: 0, max: 5 }).map(open),
      fc
        .tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 500 }))
        .map(([id, size]) => data(id, size)),
      fc.tuple(fc.integer({ min: 0, max: 5 }), fc.nat({ max: 5000 })).map(([id, size]) => credit(id, size)),
      fc.integer({ min: 0, max: 5 }).map(end),
      fc.integer({ min: 1, max: 5 }).map(reset),
      fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { maxLength: 30 }), async (frames) => {
        const { wire, channels } = victim()
        wire.write(Buffer.concat([hello, ...frames]))
        await settled()
        for (const channel of channels) expect(channel.readableLength).toBeLessThanOrEqual(WINDOW)
        wire.destroy()
      }),
      { numRuns: 200 },
    )
  })
})

describe('an end that is only late is forgiven', () => {
  test.each([
    ['data', data(1, 10)],
    ['credit', credit(1, 10)],
    ['an end', end(1)],
    ['a reset', reset(1)],
  ])('%s for a channel that was destroyed meanwhile', async (_, late) => {
    const { wire, channels } = victim()
    wire.write(Buffer.concat([hello, open(1)]))
    await settled()
    channels[0]?.destroy()
    await settled()
    wire.write(Buffer.concat([late, open(3)]))
    await settled()
    expect(channels.map((channel) => channel.destroyed)).toEqual([true, false])
    wire.destroy()
  })
})

test('bytes that come one by one and are not read are kept together', async () => {
  const { wire, channels } = victim()
  wire.write(Buffer.concat([hello, open(1)]))
  for (let i = 0; i < WINDOW; i++) {
    wire.write(data(1, 1))
    await new Promise(process.nextTick)
  }
  const pieces: number[] = []
  channels[0]?.on('data', (chunk: Buffer) => pieces.push(chunk.length))
  await settled()
  expect(pieces.reduce((sum, size) => sum + size, 0)).toBe(WINDOW)
  expect(pieces.length).toBeLessThan(5)
})
