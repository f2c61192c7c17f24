import { once } from 'node:events'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { STDOUT } from './exec-transport.ts'
import { success } from './testing/exec-server.ts'
import { until } from './testing/follower.ts'
import { protocols, running } from './testing/running.ts'

afterEach(() => {
  vi.useRealTimers()
})

describe.each(protocols)('silence of %s', (protocol) => {
  async function withFakeClock() {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    return running(protocol)
  }

  test('of a peer that answers no ping is a cut', async () => {
    const { stream, peer } = await withFakeClock()
    stream.resume()
    stream.on('error', () => undefined)
    peer.pause()
    for (let turn = 0; turn < 4; turn++) vi.advanceTimersByTime(10_000)
    expect(await stream.exit).toMatchObject({ kind: 'cut', message: /nothing came for 40 s/ })
    expect(vi.getTimerCount()).toBe(0)
  })

  test('is none while pings are answered', async () => {
    const { stream, peer } = await withFakeClock()
    stream.resume()
    for (let turn = 0; turn < 12; turn++) {
      vi.advanceTimersByTime(10_000)
      const heard = once(stream, 'data')
      await peer.send(STDOUT, 'x')
      await heard
    }
    await peer.exit(success)
    expect(await stream.exit).toMatchObject({ kind: 'exited' })
  })

  test('is not held against a peer that we do not listen to', async () => {
    const { stream, peer } = await withFakeClock()
    const sent = (async () => {
      for (let turn = 0; turn < 32; turn++) await peer.send(STDOUT, Buffer.alloc(1 << 20))
      await peer.exit(success)
    })()
    await until(() => stream.readableLength >= 512 << 10)
    for (let turn = 0; turn < 12; turn++) vi.advanceTimersByTime(10_000)
    stream.resume()
    await sent
    expect(await stream.exit).toMatchObject({ kind: 'exited' })
  })
})
