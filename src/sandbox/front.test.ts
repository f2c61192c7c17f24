import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Agent, request } from 'node:https'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Weather } from './faulty.ts'
import { type Front, openFront } from './front.ts'
import { createCertificates } from './tls.ts'

const certificates = createCertificates()
const weather: Weather = { latencyMs: 0, hole: undefined, limits: new Map() }
let front: Front
/** The answers to `?watch=1`, which stay open. */
let watches: ServerResponse[]
let agent: Agent

beforeEach(async () => {
  Object.assign(weather, { latencyMs: 0, hole: undefined })
  watches = []
  agent = new Agent({ keepAlive: true, ca: certificates.ca })
  front = await openFront({
    ...{ certificates, weather },
    handle(request, response) {
      if (!request.url?.includes('watch=1')) return response.end(`you asked for ${request.url}`)
      watches.push(response)
      return response.write('begun')
    },
    upgrade(_request, socket) {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
      socket.pipe(socket)
    },
  })
})

afterEach(async () => {
  agent.destroy()
  weather.hole = undefined
  await front.stop()
})

const base = () => ({ host: '127.0.0.1', port: front.port, agent })

async function ask(path: string): Promise<IncomingMessage> {
  const sent = request({ ...base(), path }).end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  return response.setEncoding('utf8')
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of response) text += chunk
  return text
}

async function echo(path: string) {
  const headers = { connection: 'Upgrade', upgrade: 'echo' }
  const sent = request({ ...base(), path, headers, agent: false, ca: certificates.ca }).end()
  const [, socket] = await once(sent, 'upgrade')
  return socket
}

const exec = '/api/v1/namespaces/default/pods/web/exec?command=sh'

it('answers over TLS, again and again on one connection', async () => {
  expect(await textOf(await ask('/a'))).toBe('you asked for /a')
  expect(await textOf(await ask('/b'))).toBe('you asked for /b')
  expect(front.cut('all')).toBe(1)
})

it('hands over upgraded connections, both ways', async () => {
  const socket = await echo(exec)
  socket.write('hello')
  expect(String((await once(socket, 'data'))[0])).toBe('hello')
  socket.destroy()
})

it('carries much, with back-pressure', async () => {
  const socket = await echo(exec)
  const sent = Buffer.alloc(20 * 1024 * 1024, 'x')
  socket.write(sent)
  let received = 0
  for await (const chunk of socket) {
    received += chunk.length
    if (received === sent.length) break
  }
  expect(received).toBe(sent.length)
})

describe('a cut', () => {
  it('breaks the connections of its kind only', async () => {
    const watch = await ask('/api/v1/pods?watch=1')
    const socket = await echo(exec)
    expect(front.cut('watch')).toBe(1)
    await expect(textOf(watch)).rejects.toThrow('aborted')
    socket.write('still here')
    expect(String((await once(socket, 'data'))[0])).toBe('still here')
    expect(front.cut('exec')).toBe(1)
    await once(socket, 'close')
  })

  it('comes after so many bytes, in each new stream, until it is lifted', async () => {
    weather.limits.set('exec', 200)
    for (let time = 0; time < 2; time++) {
      const socket = await echo(exec)
      socket.on('error', () => {})
      socket.write(Buffer.alloc(1000))
      let received = 0
      socket.on('data', (chunk: Buffer) => {
        received += chunk.length
      })
      await once(socket, 'close')
      expect(received).toBeGreaterThan(0)
      expect(received).toBeLessThan(200)
    }
    weather.limits.clear()
    const socket = await echo(exec)
    socket.write('hello')
    expect(String((await once(socket, 'data'))[0])).toBe('hello')
    socket.destroy()
  })
})

it('latency delays each answer', async () => {
  await textOf(await ask('/a'))
  weather.latencyMs = 100
  const began = performance.now()
  await textOf(await ask('/a'))
  expect(performance.now() - began).toBeGreaterThanOrEqual(99)
})

describe('a black hole', () => {
  let open = () => {}
  beforeEach(() => {
    weather.hole = new Promise<void>((resolve) => {
      open = () => {
        weather.hole = undefined
        resolve()
      }
    })
  })

  it('accepts connections and answers when it is over', async () => {
    let answered = false
    const answer = ask('/a').then((response) => {
      answered = true
      return textOf(response)
    })
    const probe = connect(front.port, '127.0.0.1')
    await once(probe, 'connect')
    expect(answered).toBe(false)
    open()
    expect(await answer).toBe('you asked for /a')
    probe.destroy()
  })

  it('silences streams that are open, and loses nothing of them', async () => {
    open()
    const watch = await ask('/api/v1/pods?watch=1')
    let seen = ''
    watch.on('data', (text: string) => {
      seen += text
    })
    await expect.poll(() => seen).toBe('begun')
    weather.hole = new Promise<void>((resolve) => {
      open = resolve
    })
    watches[0]?.write(' and')
    watches[0]?.end(' ended')
    await new Promise((resolve) => setImmediate(resolve))
    expect(seen).toBe('begun')
    weather.hole = undefined
    open()
    await once(watch, 'end')
    expect(seen).toBe('begun and ended')
  })
})

it('a stopped one refuses connections, breaks those that are open, and comes back on its port', async () => {
  const { port } = front
  const watch = await ask('/api/v1/pods?watch=1')
  await front.stop()
  await expect(textOf(watch)).rejects.toThrow('aborted')
  await expect(ask('/a')).rejects.toThrow('ECONNREFUSED')
  await front.start()
  expect(front.port).toBe(port)
  expect(await textOf(await ask('/a'))).toBe('you asked for /a')
})
