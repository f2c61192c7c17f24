import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MAX_DATA } from './frames.ts'
import type { Channel } from './mux.ts'
import { bytesOf, connect, cutter, open, settled } from './mux-testing.ts'

describe('many channels', () => {
  const anyWrites = fc.array(
    fc.record({
      channel: fc.integer({ min: 0, max: 3 }),
      fromServer: fc.boolean(),
      size: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 150_000 })),
      pause: fc.boolean(),
    }),
    { maxLength: 25 },
  )

  test('each get exactly their bytes in order, whatever the transport, the window and the order', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyWrites,
        fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 200_000 }),
        async (writes, sizes, window) => {
          const connected = connect({ cut: cutter(sizes), window: Math.max(window, 300) })
          const channels: Channel[][] = []
          for (let i = 0; i < 4; i++) channels.push(await open(connected))
          const expected = channels.map(() => [[], []] as Buffer[][])
          const actual = channels.map((ends) => ends.map((end) => bytesOf(end)))
          for (const [i, { channel, fromServer, size, pause }] of writes.entries()) {
            const from = fromServer ? 1 : 0
            const bytes = Buffer.alloc(size, `${i}.`)
            expected[channel]?.[1 - from]?.push(bytes)
            channels[channel]?.[from]?.write(bytes)
            if (pause) await new Promise(setImmediate)
          }
          for (const end of channels.flat()) end.end()
          const received = await Promise.all(actual.map((ends) => Promise.all(ends)))
          const same = received.map((ends, c) =>
            ends.map((bytes, e) => bytes.equals(Buffer.concat(expected[c]?.[e] ?? []))),
          )
          expect(same).toEqual(channels.map(() => [true, true]))
        },
      ),
      { numRuns: 60 },
    )
  })

  test('one whose reader stops holds up neither the others nor more than its window in memory', async () => {
    const window = 100_000
    const connected = connect({ window })
    const [stuck, unread] = await open(connected)
    const [client, server] = await open(connected)
    let accepted = 0
    for (let i = 0; i < 500; i++) {
      stuck.write(Buffer.alloc(1000), () => {
        accepted += 1000
      })
    }
    client.end(Buffer.alloc(2_000_000))
    expect((await bytesOf(server)).length).toBe(2_000_000)
    expect(accepted).toBeLessThanOrEqual(window)
    unread.resume()
    await settled()
    expect(accepted).toBe(500_000)
  })

  test('a small write goes ahead of what is left of a large one', async () => {
    const connected = connect({ highWaterMark: 1000 })
    const [bulk, bulkEnd] = await open(connected)
    const [small, smallEnd] = await open(connected)
    let received = 0
    bulkEnd.on('data', (chunk: Buffer) => {
      received += chunk.length
    })
    const arrived = new Promise<number>((resolve) => smallEnd.once('data', () => resolve(received)))
    bulk.write(Buffer.alloc(3_000_000))
    small.write('now')
    expect(await arrived).toBeLessThan(2 * MAX_DATA)
  })

  test('take turns when they all have much to send', async () => {
    const connected = connect({ highWaterMark: 1000 })
    const turns: [channel: number, bytes: number][] = []
    const pairs = [await open(connected), await open(connected), await open(connected)]
    const ends = pairs.map(([, server], i) => {
      server.on('data', (chunk: Buffer) => turns.push([i, chunk.length]))
      return new Promise((resolve) => server.on('end', resolve))
    })
    for (const [client] of pairs) client.end(Buffer.alloc(1_000_000))
    await Promise.all(ends)
    const longest = turns.map(([channel], i) => {
      const next = turns.findIndex(([other], j) => j > i && other !== channel)
      return turns.slice(i, next < 0 ? i : next).reduce((sum, [, bytes]) => sum + bytes, 0)
    })
    expect(Math.max(...longest)).toBeLessThanOrEqual(2 * MAX_DATA)
  })

  test('can be opened and closed any number of times', async () => {
    const connected = connect()
    connected.server.onChannel((channel) => channel.resume().end())
    for (let i = 0; i < 3000; i++) {
      const channel = connected.client.open(Buffer.from('short'))
      channel.end('x')
      await bytesOf(channel)
    }
  })
})
