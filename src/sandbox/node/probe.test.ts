import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Probed, probeLoop, probeOnce } from './probe.ts'

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

const target = (codes: readonly number[] = []): Probed => {
  const left = [...codes]
  return {
    container: { ports: [{ name: 'web', containerPort: port }] },
    podIP: '127.0.0.1',
    run: async () => ({ code: left.shift() ?? 0, output: 'said' }),
  }
}

describe('one probe', () => {
  test('over HTTP: 200 to 399 is healthy; a port may have a name', async () => {
    expect(await probeOnce({ httpGet: { port: 'web', path: '/healthy' } }, target())).toBeUndefined()
    expect(await probeOnce({ httpGet: { port, path: '/' } }, target())).toContain('statuscode: 503')
    expect(await probeOnce({ httpGet: { port: 'other' } }, target())).toContain("couldn't find port: other")
  })

  test('over TCP: whoever accepts is healthy', async () => {
    expect(await probeOnce({ tcpSocket: { port } }, target())).toBeUndefined()
    server.close()
    await once(server, 'close')
    expect(await probeOnce({ tcpSocket: { port } }, target())).toContain('ECONNREFUSED')
  })

  test('by a command: its exit code tells', async () => {
    expect(await probeOnce({ exec: { command: ['x'] } }, target([0]))).toBeUndefined()
    expect(await probeOnce({ exec: { command: ['x'] } }, target([1]))).toBe('said')
  })
})

test('results count when there are enough of them in a row', async () => {
  const gone = new AbortController()
  const results: boolean[] = []
  const spec = { exec: { command: ['x'] }, periodSeconds: 0.001, failureThreshold: 3, successThreshold: 2 }
  const codes = [1, 1, 0, 1, 1, 1, 0, 0]
  await probeLoop({
    ...{ spec, target: target(codes), signal: gone.signal },
    onResult: (healthy) => {
      results.push(healthy)
      if (healthy) gone.abort()
    },
  })
  expect(results).toEqual([false, true])
})
