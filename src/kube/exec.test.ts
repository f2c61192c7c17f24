import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { buffer, text } from 'node:stream/consumers'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type ExecStream, exec } from './exec.ts'
import { type Peer, type Protocol, startExecServer, success } from './testing/exec-server.ts'
import { answer, answerStatus, startServer } from './testing/server.ts'

const STDOUT = 1
const STDERR = 2
const target = { namespace: 'mine', pod: 'p', container: 'c' }
const protocols: readonly Protocol[] = ['v5.channel.k8s.io', 'v4.channel.k8s.io', 'SPDY/3.1']

/** A command that runs, from both ends. */
async function running(
  protocol: Protocol,
  signal?: AbortSignal,
): Promise<{ stream: ExecStream; peer: Peer }> {
  const { server, next } = await startExecServer(protocol)
  const client = await server.client()
  const stream = await exec(client, { ...target, command: ['cat', '-u', 'a b&c'], signal })
  onTestFinished(() => {
    stream.on('error', () => undefined).destroy()
  })
  const peer = await next()
  // The first thing that both sides have heard of each other.
  await peer.send(STDOUT, '.')
  await once(stream, 'readable')
  stream.read(1)
  return { stream, peer }
}

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
    await peer.send(3, JSON.stringify(success))
    await peer.send(STDOUT, 'x')
    await last
    vi.advanceTimersByTime(2_000)
    expect(await stream.exit).toEqual({ kind: 'exited', code: 0 })
    expect(vi.getTimerCount()).toBe(0)
  })
})

/** Resolves when a value has not changed for 100 ms: there is no event for "nothing more happens". */
async function quiet(value: () => number): Promise<void> {
  for (let before = -1; before !== value(); ) {
    before = value()
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

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
    await quiet(() => stream.readableLength)
    for (let turn = 0; turn < 12; turn++) vi.advanceTimersByTime(10_000)
    stream.resume()
    await sent
    expect(await stream.exit).toMatchObject({ kind: 'exited' })
  })
})

describe('a proxy that knows one kind of upgrade only', () => {
  test.each([
    ['SPDY/3.1', 'v1.31.0'],
    ['v4.channel.k8s.io', 'v1.29.0'],
  ] as const)('is passed with %s, though the server is %s', async (protocol, gitVersion) => {
    const { server, next } = await startExecServer(protocol)
    server.handle((_request, response) => answer(response, { gitVersion }))
    const stream = await exec(await server.client(), { ...target, command: ['cat'] })
    stream.resume()
    await (await next()).exit(success)
    expect(await stream.exit).toEqual({ kind: 'exited', code: 0 })
  })
})

test('a pod that is not there is not asked for twice', async () => {
  const server = await startServer()
  server.handle((request, response) => {
    if (request.url === '/version') answer(response, { gitVersion: 'v1.31.0' })
    else answerStatus(response, 404, 'NotFound', 'pods "p" not found')
  })
  const promise = exec(await server.client(), { ...target, command: ['cat'] })
  await expect(promise).rejects.toMatchObject({ code: 'NOT_FOUND', message: /pods "p" not found/ })
  expect(server.asked).toHaveLength(2)
})

test.each(['v1.29.0', 'v1.31.0'])('a refusal by %s leaves no connection behind', async (gitVersion) => {
  const server = await startServer()
  server.handle((request, response) => {
    if (request.url === '/version') answer(response, { gitVersion })
    else answerStatus(response, 400, 'BadRequest', 'no such container')
  })
  const client = await server.client()
  await expect(exec(client, { ...target, command: ['cat'] })).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  client.close()
  await vi.waitUntil(() => server.connections() === 0)
})
