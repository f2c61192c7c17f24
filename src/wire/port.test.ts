import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { MessageChannel, Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Mux } from './mux.ts'
import { bytesOf, closing, failure, settled } from './mux-testing.ts'
import { portDuplex } from './port.ts'

function portPair(): [Duplex, Duplex] {
  const { port1, port2 } = new MessageChannel()
  return [portDuplex(port1), portDuplex(port2)]
}

/** The other end of a port in a thread that runs this code, in which `port` is its end. */
function thread(code: string): { stream: Duplex; worker: Worker } {
  const { port1, port2 } = new MessageChannel()
  const worker = new Worker(`const { workerData: { port } } = require('node:worker_threads'); ${code}`, {
    eval: true,
    workerData: { port: port2 },
    transferList: [port2],
  })
  return { stream: portDuplex(port1), worker }
}

describe('a duplex over a port', () => {
  test('carries bytes in order, both ways, and closes one direction at a time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 5000 }), { maxLength: 20 }), async (writes) => {
        const [a, b] = portPair()
        const question = bytesOf(b)
        for (const bytes of writes) a.write(bytes)
        a.end()
        const expected = Buffer.concat(writes)
        expect((await question).equals(expected)).toBe(true)
        const answer = bytesOf(a)
        b.end(expected)
        expect((await answer).equals(expected)).toBe(true)
      }),
      { numRuns: 30 },
    )
  })

  test('leaves what was written to whoever wrote it', async () => {
    const [a, b] = portPair()
    const bytes = Buffer.alloc(100_000, 'x')
    a.end(bytes)
    await bytesOf(b)
    b.end()
    expect(bytes.equals(Buffer.alloc(100_000, 'x'))).toBe(true)
  })

  test('lets a writer be no more than a window ahead of its reader', async () => {
    const [a, b] = portPair()
    let accepted = 0
    for (let i = 0; i < 100; i++) {
      a.write(Buffer.alloc(50_000), () => {
        accepted += 50_000
      })
    }
    await settled()
    expect(accepted).toBeGreaterThan(500_000)
    expect(accepted).toBeLessThan(2_000_000)
    a.end()
    expect((await bytesOf(b)).length).toBe(5_000_000)
    b.end()
  })

  test('that is destroyed fails at the other end with the message', async () => {
    const [a, b] = portPair()
    const failed = failure(b)
    a.on('error', () => {}).destroy(new Error('disk on fire'))
    expect((await failed).message).toBe('reset: disk on fire')
  })

  test('that ended in both directions closes in silence', async () => {
    const [a, b] = portPair()
    const closed = Promise.all([closing(a), closing(b)])
    a.resume().end('last words')
    b.resume().end()
    await closed
  })

  test('can be a transport for a mux', async () => {
    const [a, b] = portPair()
    const client = new Mux(a, { role: 'client' })
    const server = new Mux(b, { role: 'server' })
    server.onChannel((channel) => channel.pipe(channel))
    const channel = client.open(Buffer.from('echo'))
    channel.end(Buffer.alloc(3_000_000, 'x'))
    expect((await bytesOf(channel)).length).toBe(3_000_000)
    await client.close()
    expect((await server.closed).kind).toBe('ended')
  })

  test('fails when the thread at the other end is gone', async () => {
    const { stream, worker } = thread('port.on("message", () => {})')
    const failed = failure(stream)
    await once(worker, 'online')
    await worker.terminate()
    expect((await failed).message).toBe('the other thread is gone')
  })

  test('still delivers what a thread wrote before it left', async () => {
    const { stream } = thread(`
      port.postMessage(new Uint8Array([104, 105]).buffer)
      port.postMessage(null)
      port.close()
    `)
    stream.on('error', () => {})
    expect((await bytesOf(stream)).toString()).toBe('hi')
  })

  test('refuses what is not a signal of ours', async () => {
    const { stream } = thread('port.postMessage({ surprise: true })')
    expect((await failure(stream)).message).toBe('a message on a port that is not ours')
  })
})
