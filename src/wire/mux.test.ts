import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { duplexPair } from './duplex-pair.ts'
import { type Channel, Mux } from './mux.ts'
import { bytesOf, closing, connect, cutter, failure, open, settled } from './mux-testing.ts'

describe('a channel', () => {
  test('arrives with its header, from either end', async () => {
    const connected = connect()
    connected.client.open(Buffer.from('replica /app'))
    expect((await connected.accept()).header).toBe('replica /app')
    const header = new Promise((resolve) => {
      connected.client.onChannel((_, bytes) => resolve(bytes.toString()))
    })
    connected.server.open(Buffer.from('from the server'))
    expect(await header).toBe('from the server')
  })

  test('can be written to before the other end has answered anything', async () => {
    const connected = connect()
    const channel = connected.client.open(Buffer.from('x'))
    channel.end('hello')
    expect((await bytesOf((await connected.accept()).channel)).toString()).toBe('hello')
  })

  test('closes one direction at a time', async () => {
    const [client, server] = await open(connect())
    const closed = Promise.all([closing(client), closing(server)])
    client.end('question')
    expect((await bytesOf(server)).toString()).toBe('question')
    const answer = bytesOf(client)
    server.write('ans')
    await settled()
    server.end('wer')
    expect((await answer).toString()).toBe('answer')
    await closed
  })

  test('that is destroyed fails at the other end with the message', async () => {
    const [client, server] = await open(connect())
    const failed = failure(server)
    client.on('error', () => {})
    client.destroy(new Error('no space left'))
    expect((await failed).message).toBe('reset: no space left')
    expect(server.destroyed).toBe(true)
  })

  test('that is destroyed without an error fails at the other end too, if it had not ended', async () => {
    const [client, server] = await open(connect())
    const failed = failure(server)
    client.destroy()
    expect((await failed).message).toBe('reset: closed')
  })

  test('that ended in both directions ends in silence, however its ends are disposed of', async () => {
    const [client, server] = await open(connect())
    const errors: Error[] = []
    for (const each of [client, server]) each.on('error', (error) => errors.push(error)).resume()
    client.end()
    server.end()
    await settled()
    client.destroy()
    server.destroy()
    await settled()
    expect(errors).toEqual([])
  })

  test('can be destroyed in the turn it was opened in', async () => {
    const connected = connect()
    connected.client.open(Buffer.from('first')).destroy()
    connected.client.open(Buffer.from('second'))
    expect((await connected.accept()).header).toBe('second')
  })

  test('nobody listens for is reset', async () => {
    const [a, b] = duplexPair()
    const client = new Mux(a, { role: 'client' })
    new Mux(b, { role: 'server' })
    expect((await failure(client.open(Buffer.from('x')))).message).toBe(
      'reset: nobody listens for channels here',
    )
  })

  test('whose listener throws is reset with what it threw, and the others live', async () => {
    const [a, b] = duplexPair()
    const client = new Mux(a, { role: 'client' })
    const server = new Mux(b, { role: 'server' })
    server.onChannel((channel, header) => {
      if (header.toString() === 'bad') throw new Error('unknown kind')
      channel.end('fine')
    })
    expect((await failure(client.open(Buffer.from('bad')))).message).toBe('reset: unknown kind')
    expect((await bytesOf(client.open(Buffer.from('good')))).toString()).toBe('fine')
  })

  test('works in a pipeline as source and as destination', async () => {
    const [client, server] = await open(connect())
    const echoed = pipeline(server, new PassThrough(), server)
    const source = new PassThrough()
    source.end('to be echoed')
    const [back] = await Promise.all([bytesOf(client), pipeline(source, client), echoed])
    expect(back.toString()).toBe('to be echoed')
  })
})

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
    expect(await arrived).toBeLessThan(200_000)
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
