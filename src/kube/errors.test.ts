import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { KubesyncError } from '../errors.ts'
import { KubeClient } from './client.ts'
import { loadContext } from './config.ts'
import { exec } from './exec.ts'
import { clientCertificate, clientKey, otherCa } from './testing/certificates.ts'
import { answer, answerStatus, base64, contextOptions, startServer } from './testing/server.ts'

const shell = { namespace: 'mine', pod: 'p', container: 'c', command: ['sh'] }

/** A client of whatever is said to be there. */
async function clientOf(server: string): Promise<KubeClient> {
  const client = new KubeClient(await loadContext(await contextOptions(server, {}, {})))
  onTestFinished(() => client.close())
  return client
}

/** Listens, and lets a test say what happens then. */
async function listening(server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return (server.address() as AddressInfo).port
}

async function failureOf(promise: Promise<unknown>): Promise<KubesyncError> {
  return promise.then(
    () => {
      throw new Error('it did not fail')
    },
    (error: KubesyncError) => error,
  )
}

/** What a request and an exec fail with. */
async function failures(client: KubeClient, timeoutMs?: number): Promise<KubesyncError[]> {
  return [
    await failureOf(client.request({ path: '/version', timeoutMs })),
    await failureOf(exec(client, { ...shell, timeoutMs })),
  ]
}

afterEach(() => {
  vi.useRealTimers()
})

describe('no answer', () => {
  test('a server that is down', async () => {
    const server = await startServer()
    const client = await server.client()
    await server.stop()
    for (const error of await failures(client)) {
      expect(error).toMatchObject({
        code: 'SERVER_UNREACHABLE',
        message: expect.stringContaining(server.url),
      })
      expect(error.message).toContain('refuses connections')
      expect(error.hint).toContain('Context "test"')
    }
  })

  test('a name that does not exist', async () => {
    const client = await clientOf('https://no-such-host.invalid:6443')
    for (const error of await failures(client, 3_000)) {
      expect(error).toMatchObject({ code: 'SERVER_UNREACHABLE', message: /no-such-host\.invalid/ })
    }
  })

  test('a server that accepts and says nothing is given up after 10 seconds', async () => {
    const silent = createServer()
    const client = await clientOf(`https://127.0.0.1:${await listening(silent)}`)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const accepted = once(silent, 'connection')
    const failure = failureOf(client.request({ path: '/version' }))
    await accepted
    vi.advanceTimersByTime(10_000)
    expect(await failure).toMatchObject({
      code: 'SERVER_UNREACHABLE',
      message: /did not answer within 10 s/,
      hint: /VPN/,
    })
  })

  test('an exec that nobody answers is given up after 10 seconds, and names the pod', async () => {
    const server = await startServer()
    server.handle((_request, response) => answer(response, { major: '1', minor: '31' }))
    const asked = new Promise<void>((resolve) => server.handleUpgrades(() => resolve()))
    const client = await server.client()
    await client.discovery.version()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const failure = failureOf(exec(client, shell))
    await asked
    vi.advanceTimersByTime(10_000)
    expect(await failure).toMatchObject({ code: 'SERVER_UNREACHABLE', message: /mine\/p .* 10 s/ })
  })

  test('an answer that stops in the middle is given up', async () => {
    const server = await startServer()
    server.handle((_request, response) => response.writeHead(200).write('{"half":'))
    const client = await server.client()
    const error = await failureOf(client.request({ path: '/version', timeoutMs: 200 }))
    expect(error).toMatchObject({ code: 'SERVER_UNREACHABLE', message: /did not answer within 0.2 s/ })
  })

  test('something that does not speak TLS', async () => {
    const plain = createHttpServer((_request, response) => response.end('hello'))
    const client = await clientOf(`https://127.0.0.1:${await listening(plain)}`)
    for (const error of await failures(client)) {
      expect(error).toMatchObject({ code: 'SERVER_UNREACHABLE', message: /does not speak TLS/ })
    }
  })

  test('something that is no API server', async () => {
    const server = await startServer()
    server.handle((_request, response) => response.end('<html>It works!</html>'))
    const error = await failureOf((await server.client()).request({ path: '/version' }))
    expect(error).toMatchObject({ code: 'NOT_KUBERNETES', message: /It works!/ })
  })
})

describe('certificates', () => {
  test('a server whose certificate another authority signed', async () => {
    const server = await startServer()
    const client = await server.client({}, { 'certificate-authority-data': base64(otherCa) })
    for (const error of await failures(client)) {
      expect(error).toMatchObject({
        code: 'CERTIFICATE_REFUSED',
        message: expect.stringContaining(server.url),
      })
      expect(error.hint).toContain('certificate-authority-data')
    }
    expect(server.asked).toEqual([])
  })

  test('a server whose certificate is for another name', async () => {
    const server = await startServer()
    const client = await server.client({}, { 'tls-server-name': 'other.test' })
    for (const error of await failures(client)) {
      expect(error).toMatchObject({ code: 'CERTIFICATE_REFUSED', message: /other\.test/ })
    }
  })

  test('the name to check can be said, and checking can be switched off', async () => {
    const server = await startServer()
    server.handle((_request, response) => answer(response, {}))
    await (await server.client({}, { 'tls-server-name': 'kube.test' })).request({ path: '/version' })
    const lax = { 'certificate-authority-data': undefined, 'insecure-skip-tls-verify': true }
    await (await server.client({}, lax)).request({ path: '/version' })
  })

  test('a server that wants a certificate gets ours, and refuses us without one', async () => {
    const server = await startServer({ requestCert: true })
    server.handle((_request, response) => answer(response, {}))
    const certificate = {
      'client-certificate-data': base64(clientCertificate),
      'client-key-data': base64(clientKey),
    }
    await (await server.client(certificate)).request({ path: '/version' })
    for (const error of await failures(await server.client({}))) {
      expect(error).toMatchObject({ code: 'UNAUTHORIZED', message: /client certificate/ })
    }
  })
})

describe('the server says no', () => {
  test.each<[number, string, string]>([
    [401, 'Unauthorized', 'UNAUTHORIZED'],
    [403, 'Forbidden', 'FORBIDDEN'],
    [404, 'NotFound', 'NOT_FOUND'],
    [409, 'Conflict', 'CONFLICT'],
    [409, 'AlreadyExists', 'ALREADY_EXISTS'],
    [410, 'Expired', 'GONE'],
    [422, 'Invalid', 'INVALID'],
    [500, 'InternalError', 'INTERNAL_ERROR'],
    [503, 'ServiceUnavailable', 'SERVER_UNAVAILABLE'],
  ])('%i %s is %s', async (status, reason, code) => {
    const server = await startServer()
    server.handle((_request, response) => answerStatus(response, status, reason, 'because'))
    const error = await failureOf((await server.client()).request({ path: '/api/v1/pods' }))
    expect(error).toMatchObject({ code, status: { code: status, reason, message: 'because' } })
    expect(error.message).toContain('because')
  })

  test('what is no Status is shown as far as it helps', async () => {
    const server = await startServer()
    server.handle((_request, response) => response.writeHead(502).end('Bad Gateway'))
    const error = await failureOf((await server.client()).request({ path: '/version' }))
    expect(error).toMatchObject({ code: 'SERVER_ERROR', message: /Bad Gateway/ })
  })

  test.each([
    [403, 'Forbidden', 'FORBIDDEN'],
    [404, 'NotFound', 'NOT_FOUND'],
    [500, 'InternalError', 'INTERNAL_ERROR'],
  ])('to an exec with %i %s', async (status, reason, code) => {
    const server = await startServer()
    server.handle((_request, response) => answerStatus(response, status, reason, 'because'))
    const error = await failureOf(exec(await server.client(), shell))
    expect(error).toMatchObject({ code, message: /because/ })
  })
})
