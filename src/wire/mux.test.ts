import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describe, expect, test } from 'vitest'
import { duplexPair } from './duplex-pair.ts'
import { readMessages, writeMessage } from './messages.ts'
import { Mux } from './mux.ts'
import { bytesOf, closing, connect, failure, open, settled } from './mux-testing.ts'

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

  test('that is given up at once is told of all the same: its header may be waited for', async () => {
    const connected = connect()
    const header = new Promise<string>((resolve) => {
      connected.server.onChannel((channel, bytes) => {
        channel.on('error', (error) => resolve(`${bytes} ${error.message}`))
      })
    })
    connected.client
      .open(Buffer.from('apply 7'))
      .on('error', () => {})
      .destroy(new Error('no source'))
    expect(await header).toBe('apply 7 reset: no source')
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

  test('carries messages that are larger than its window', async () => {
    const [client, server] = await open(connect({ window: 10_000 }))
    const message = Buffer.alloc(100_000, 'x')
    void writeMessage(client, message)
    client.end()
    const received = []
    for await (const each of readMessages(server)) received.push(each.length)
    expect(received).toEqual([100_000])
  })

  test('can be read in portions of a given size, also larger than a frame', async () => {
    const [client, server] = await open(connect())
    client.end(Buffer.alloc(500_000, 'x'))
    const portions: number[] = []
    server.on('readable', () => {
      for (let portion = server.read(200_000); portion !== null; portion = server.read(200_000)) {
        portions.push(portion.length)
      }
    })
    await new Promise((resolve) => server.on('end', resolve))
    expect(portions).toEqual([200_000, 200_000, 100_000])
  })

  test('can carry a whole mux, which is lost when the outer one is', async () => {
    const outer = connect()
    const [a, b] = await open(outer)
    const client = new Mux(a, { role: 'client' })
    const server = new Mux(b, { role: 'server' })
    server.onChannel((channel) => channel.pipe(channel).on('error', () => {}))
    const echo = client.open(Buffer.from('echo'))
    echo.end(Buffer.alloc(1_000_000, 'x'))
    expect((await bytesOf(echo)).length).toBe(1_000_000)
    await outer.server.close()
    expect(await client.closed).toEqual({ kind: 'lost', message: 'the other end closed the connection' })
    expect(await server.closed).toEqual({ kind: 'lost', message: 'the connection was closed' })
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
