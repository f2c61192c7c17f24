import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { buffer, text } from 'node:stream/consumers'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { STATUS, STDERR, STDOUT } from './exec-transport.ts'
import { success } from './testing/exec-server.ts'
import { protocols, quiet, running } from './testing/running.ts'

function exitCode(code: number): object {
  return {
    status: 'Failure',
    reason: 'NonZeroExitCode',
    message: `command terminated with non-zero exit code: ${code}`,
    details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
  }
}

afterEach(() => {
  vi.useRealTimers()
})

describe.each(protocols)('%s', (protocol) => {
  test('asks for the command in the container of the pod', async () => {
    const { peer } = await running(protocol)
    expect(peer.url.pathname).toBe('/api/v1/namespaces/mine/pods/p/exec')
    expect(peer.url.searchParams.getAll('command')).toEqual(['cat', '-u', 'a b&c'])
    expect(peer.url.searchParams.get('container')).toBe('c')
  })

  test('gives stdout, stderr and the exit code, each for itself', async () => {
    const { stream, peer } = await running(protocol)
    const outputs = Promise.all([text(stream), text(stream.stderr)])
    await peer.send(STDOUT, 'out')
    await peer.send(STDERR, 'err')
    await peer.send(STDOUT, 'put')
    await peer.exit(exitCode(3))
    expect(await outputs).toEqual(['output', 'err'])
    expect(await stream.exit).toEqual({ kind: 'exited', code: 3 })
  })

  test('success is exit code 0', async () => {
    const { stream, peer } = await running(protocol)
    stream.resume()
    await peer.exit(success)
    expect(await stream.exit).toEqual({ kind: 'exited', code: 0 })
  })

  test('a command that could not be run says why', async () => {
    const { stream, peer } = await running(protocol)
    stream.resume()
    await peer.exit({ status: 'Failure', reason: 'InternalError', message: 'no such file' })
    expect(await stream.exit).toEqual({ kind: 'failed', message: 'no such file' })
  })

  test('all that is written arrives, however it is cut, and all that is sent comes back', async () => {
    const { stream, peer } = await running(protocol)
    const data = randomBytes(3_000_000)
    const arrived = new Promise<Buffer>((resolve) => {
      const chunks: Buffer[] = []
      peer.stdin.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        const all = Buffer.concat(chunks)
        if (all.length === data.length) resolve(all)
      })
    })
    for (let from = 0, size = 1; from < data.length; from += size, size = (size * 7) % 400_009) {
      stream.write(data.subarray(from, from + size))
    }
    expect((await arrived).equals(data)).toBe(true)
    const back = buffer(stream)
    for (let from = 0, size = 1; from < data.length; from += size, size = (size * 7) % 400_009) {
      await peer.send(STDOUT, data.subarray(from, from + size))
    }
    await peer.exit(success)
    expect((await back).equals(data)).toBe(true)
  })

  test('a reader that does not read makes the sender wait', async () => {
    const { stream, peer } = await running(protocol)
    const chunk = Buffer.alloc(1 << 20)
    let taken = 0
    const total = 64
    const sent = (async () => {
      for (; taken < total; taken++) await peer.send(STDOUT, chunk)
      await peer.exit(success)
    })()
    await quiet(() => taken)
    // What was taken is in the kernel's buffers, but for what was read ahead.
    expect(taken).toBeLessThan(32)
    expect(stream.readableLength).toBeLessThan(4 << 20)
    let received = 0
    for await (const piece of stream) received += piece.length
    await sent
    expect(received).toBe(total << 20)
  })

  test('a command that does not read makes the writer wait', async () => {
    const { stream, peer } = await running(protocol)
    peer.pause()
    const chunk = Buffer.alloc(1 << 20)
    let done = 0
    const total = 64
    for (let turn = 0; turn < total; turn++) stream.write(chunk, () => (done += 1))
    await quiet(() => done)
    expect(done).toBeLessThan(32)
    let arrived = 0
    const all = new Promise<void>((resolve) => {
      peer.stdin.on('data', (piece: Buffer) => {
        arrived += piece.length
        if (arrived === total << 20) resolve()
      })
    })
    peer.resume()
    await all
  })

  test('stderr that nobody reads holds nothing back, and keeps its end', async () => {
    const { stream, peer } = await running(protocol)
    for (let turn = 0; turn < 64; turn++) await peer.send(STDERR, Buffer.alloc(64 << 10, 'a'))
    await peer.send(STDERR, 'the last words')
    await peer.send(STDOUT, 'done')
    await peer.exit(success)
    expect(await text(stream)).toBe('done')
    const kept = await text(stream.stderr)
    expect(kept.length).toBeLessThanOrEqual(256 << 10)
    expect(kept).toMatch(/^a+the last words$/)
  })

  test('a broken connection is a cut, and the stream fails', async () => {
    const { stream, peer } = await running(protocol)
    const failed = once(stream, 'error')
    stream.resume()
    peer.cut()
    expect(await stream.exit).toMatchObject({ kind: 'cut' })
    expect(await failed).toMatchObject([{ code: 'STREAM_CUT' }])
  })

  test('what we close is closed, for the command too', async () => {
    const { stream, peer } = await running(protocol)
    stream.destroy()
    expect(await stream.exit).toEqual({ kind: 'closed' })
    await peer.closed
  })

  test('aborting closes it', async () => {
    const abort = new AbortController()
    const { stream, peer } = await running(protocol, abort.signal)
    abort.abort()
    expect(await stream.exit).toEqual({ kind: 'closed' })
    await peer.closed
  })

  test('what is written after the command ended is dropped', async () => {
    const { stream, peer } = await running(protocol)
    stream.resume()
    await peer.exit(success)
    await stream.exit
    await new Promise((resolve) => stream.write('more', resolve))
    await new Promise<void>((resolve) => stream.end(resolve))
  })

  test('a server that does not close after the status is not waited for', async () => {
    const { stream, peer } = await running(protocol)
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    stream.resume()
    const last = once(stream, 'data')
    await peer.send(STATUS, JSON.stringify(success))
    await peer.send(STDOUT, 'x')
    await last
    vi.advanceTimersByTime(2_000)
    expect(await stream.exit).toEqual({ kind: 'exited', code: 0 })
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('closing stdin', () => {
  test.each(['v5.channel.k8s.io', 'SPDY/3.1'] as const)('%s can, and stdout stays open', async (protocol) => {
    const { stream, peer } = await running(protocol)
    expect(stream.canEndStdin).toBe(true)
    stream.end('last')
    expect(await text(peer.stdin)).toBe('last')
    await peer.send(STDOUT, 'still here')
    await peer.exit(success)
    expect(await text(stream)).toBe('still here')
  })

  test('v4 cannot, and says so', async () => {
    const { stream, peer } = await running('v4.channel.k8s.io')
    expect(stream.canEndStdin).toBe(false)
    stream.end('last')
    await peer.send(STDOUT, 'still here')
    await peer.exit(success)
    expect(await text(stream)).toBe('still here')
  })
})
