import { Duplex } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { encodeHello, MAX_DATA } from './frames.ts'
import { Mux } from './mux.ts'
import { settled } from './mux-testing.ts'

/** A transport to a greeted peer, which has done with a write only when `release` is called. */
function slowTransport(highWaterMark: number): { transport: Duplex; written: Buffer[]; release: () => void } {
  const written: Buffer[] = []
  const held: (() => void)[] = []
  const transport = new Duplex({
    highWaterMark,
    read() {},
    writev(chunks, done) {
      written.push(...chunks.map(({ chunk }) => chunk))
      held.push(() => done())
    },
  })
  transport.push(encodeHello(10_000_000))
  return { transport, written, release: () => held.shift()?.() }
}

describe('on a transport that is slow', () => {
  test('no more than a frame is queued beyond its high-water mark', async () => {
    const { transport, release } = slowTransport(16_384)
    const mux = new Mux(transport, { role: 'client' })
    for (let i = 0; i < 5; i++) mux.open(Buffer.from('bulk')).write(Buffer.alloc(1_000_000))
    for (let i = 0; i < 20; i++) {
      await settled()
      expect(transport.writableLength).toBeLessThan(16_384 + MAX_DATA + 100)
      release()
    }
  })

  test('a write is done only when the transport is: its memory may be used again then', async () => {
    const { transport, release } = slowTransport(1_000_000)
    const mux = new Mux(transport, { role: 'client' })
    await settled()
    release()
    const channel = mux.open(Buffer.from('bulk'))
    let done = false
    channel.write(Buffer.alloc(200_000), () => {
      done = true
    })
    await settled()
    expect(transport.writableLength).toBeGreaterThan(200_000)
    expect(done).toBe(false)
    release()
    await settled()
    expect(done).toBe(true)
  })

  test('what is urgent goes ahead of data that waits', async () => {
    const { transport, written, release } = slowTransport(16_384)
    const mux = new Mux(transport, { role: 'client' })
    mux.open(Buffer.from('bulk')).write(Buffer.alloc(1_000_000))
    await settled()
    mux.open(Buffer.from('next')).on('error', () => {})
    written.length = 0
    release()
    await settled()
    expect(written[0]?.toString('latin1', 9)).toBe('next')
  })
})
