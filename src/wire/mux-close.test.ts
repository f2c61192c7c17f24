import { describe, expect, test, vi } from 'vitest'
import { duplexPair } from './duplex-pair.ts'
import { Mux } from './mux.ts'
import { bytesOf, connect, failure, open, settled } from './mux-testing.ts'

describe('the end of a connection', () => {
  test('by close: everything written arrives before, and both ends know how it ended', async () => {
    const connected = connect()
    const [client, server] = await open(connected)
    const received = bytesOf(server)
    server.end()
    client.end(Buffer.alloc(1_000_000, 'x'))
    await connected.client.close()
    expect((await received).length).toBe(1_000_000)
    expect((await connected.client.closed).kind).toBe('closed')
    expect((await connected.server.closed).kind).toBe('ended')
  })

  test('by close: channels that had not ended fail at both ends', async () => {
    const connected = connect()
    const [client, server] = await open(connected)
    const failures = Promise.all([failure(client), failure(server)])
    await connected.client.close()
    expect((await failures).map(({ message }) => message)).toEqual([
      'the connection was closed',
      'the other end closed the connection',
    ])
  })

  test('an answer that was complete can still be read after it', async () => {
    const connected = connect()
    const [client, server] = await open(connected)
    server.on('error', () => {}).end('the whole answer')
    await connected.server.close()
    client.on('error', () => {})
    expect((await bytesOf(client)).toString()).toBe('the whole answer')
  })

  test('a channel on which the other end had said its last, unread, fails too', async () => {
    const connected = connect()
    const [client, server] = await open(connected)
    server.on('error', () => {}).end()
    await settled()
    const failed = failure(client)
    await connected.server.close()
    expect((await failed).message).toBe('the other end closed the connection')
  })

  test('by the loss of the transport: channels fail, and say why', async () => {
    const [a, b] = duplexPair()
    const client = new Mux(a, { role: 'client' })
    const failed = failure(client.open(Buffer.from('x')))
    b.end()
    expect((await failed).message).toBe('the connection ended without a goodbye')
    expect((await client.closed).kind).toBe('lost')
  })

  test('by a failure of the transport: the message says which', async () => {
    const [a] = duplexPair()
    const client = new Mux(a, { role: 'client' })
    a.destroy(new Error('ECONNRESET'))
    expect(await client.closed).toEqual({ kind: 'lost', message: 'the connection failed: ECONNRESET' })
  })

  test('a channel opened afterwards fails at once', async () => {
    const { client } = connect()
    await client.close()
    expect((await failure(client.open(Buffer.from('x')))).message).toBe('the connection was closed')
  })

  test('close can be asked for twice, and does not wait for ever for a reader that stopped', async () => {
    const connected = connect({ window: 1000 })
    const [client, server] = await open(connected)
    client.write(Buffer.alloc(5000))
    const failures = Promise.all([failure(client), failure(server)])
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const closes = [connected.client.close(), connected.client.close()]
    await settled()
    vi.runAllTimers()
    vi.useRealTimers()
    await Promise.all([...closes, failures])
  })
})
