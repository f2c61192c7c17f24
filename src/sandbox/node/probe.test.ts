import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Probed, probeOnce, probeResults } from './probe.ts'

let server: Server
let port: number
beforeEach(async () => {
  server = createServer((request, response) => {
    response.writeHead(request.url === '/healthy' ? 204 : 503).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})
afterEach(() => void server.close())

const target = (codes: readonly number[] = [], signal = new AbortController().signal): Probed => {
  const left = [...codes]
  const container = { name: 'app', ports: [{ name: 'web', containerPort: port }] }
  return { container, podIP: '127.0.0.1', signal, run: async () => left.shift() ?? 0 }
}

describe('one probe', () => {
  test('over HTTP: 200 to 399 is healthy; a port may have a name', async () => {
    expect(await probeOnce({ httpGet: { port: 'web', path: '/healthy' } }, target())).toBe(true)
    expect(await probeOnce({ httpGet: { port, path: '/' } }, target())).toBe(false)
    expect(await probeOnce({ httpGet: { port: 'other', path: '/healthy' } }, target())).toBe(false)
  })

  test('over TCP: whoever accepts is healthy', async () => {
    expect(await probeOnce({ tcpSocket: { port } }, target())).toBe(true)
    server.close()
    await once(server, 'close')
    expect(await probeOnce({ tcpSocket: { port } }, target())).toBe(false)
  })

  test('by a command: its exit code tells', async () => {
    expect(await probeOnce({ exec: { command: ['x'] } }, target([0]))).toBe(true)
    expect(await probeOnce({ exec: { command: ['x'] } }, target([1]))).toBe(false)
  })
})

test('results count when there are enough of them in a row', async () => {
  const gone = new AbortController()
  const results: boolean[] = []
  const spec = { exec: { command: ['x'] }, periodSeconds: 0.001, failureThreshold: 3, successThreshold: 2 }
  for await (const healthy of probeResults(spec, target([1, 1, 0, 1, 1, 1, 0, 0], gone.signal))) {
    results.push(healthy)
    if (healthy) gone.abort()
  }
  expect(results).toEqual([false, true])
})
