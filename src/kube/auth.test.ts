import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { temporaryFile } from './testing/files.ts'
import { answer, answerStatus, startServer, type TestServer } from './testing/server.ts'

/** A server that answers with the credentials it was given, and refuses those that `accepts` does not. */
async function mirrorServer(accepts: (authorization: string) => boolean = () => true): Promise<TestServer> {
  const server = await startServer()
  server.handle((request, response) => {
    const { authorization = '', ...headers } = request.headers
    if (!accepts(authorization)) return answerStatus(response, 401, 'Unauthorized')
    answer(response, { authorization, headers })
  })
  return server
}

async function authorizationOf(server: TestServer, user: object): Promise<unknown> {
  const client = await server.client(user)
  return (await client.request({ path: '/version' })).authorization
}

/** An exec plugin: a script of Node, and the file in which it counts its runs. */
async function plugin(script: string, settings: object = {}) {
  const log = await temporaryFile('log', '')
  const path = await temporaryFile(
    'plugin.cjs',
    `const fs = require('node:fs')
     fs.appendFileSync(${JSON.stringify(log)}, 'x')
     const run = fs.readFileSync(${JSON.stringify(log)}, 'utf8').length
     const print = (status) => console.log(JSON.stringify({ kind: 'ExecCredential', apiVersion: 'client.authentication.k8s.io/v1', status }))
     ${script}`,
  )
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: process.execPath,
    args: [path],
    ...settings,
  }
  return { user: { exec }, path, runs: async () => (await readFile(log, 'utf8')).length }
}

describe('credentials of a kubeconfig', () => {
  test('a token', async () => {
    expect(await authorizationOf(await mirrorServer(), { token: 'secret' })).toBe('Bearer secret')
  })

  test('a name and a password', async () => {
    const user = { username: 'me', password: 'pass:word' }
    const expected = `Basic ${Buffer.from('me:pass:word').toString('base64')}`
    expect(await authorizationOf(await mirrorServer(), user)).toBe(expected)
  })

  test('a token file wins over a token, and is read again when its token is refused', async () => {
    const tokenFile = await temporaryFile('token', 'old\n')
    let accepted = 'Bearer old'
    const server = await mirrorServer((authorization) => authorization === accepted)
    const client = await server.client({ tokenFile, token: 'ignored' })
    await client.request({ path: '/version' })
    await writeFile(tokenFile, 'new\n')
    accepted = 'Bearer new'
    expect((await client.request({ path: '/version' })).authorization).toBe('Bearer new')
  })

  test('a token file that is not there is named', async () => {
    const client = await (await mirrorServer()).client({ tokenFile: '/nowhere/token' })
    const promise = client.request({ path: '/version' })
    await expect(promise).rejects.toMatchObject({ code: 'UNAUTHORIZED', message: /\/nowhere\/token/ })
  })

  test('somebody to act as', async () => {
    const client = await (await mirrorServer()).client({
      token: 'secret',
      as: 'other',
      'as-uid': '7',
      'as-groups': ['a', 'b'],
      'as-user-extra': { 'example.com/Team': ['red'] },
    })
    expect((await client.request({ path: '/version' })).headers).toMatchObject({
      'impersonate-user': 'other',
      'impersonate-uid': '7',
      'impersonate-group': 'a, b',
      'impersonate-extra-example.com%2fteam': 'red',
    })
  })

  test('a certificate that cannot be read is an error of the kubeconfig', async () => {
    const client = await (await mirrorServer()).client({ 'client-certificate': '/nowhere/me.pem' })
    const promise = client.request({ path: '/version' })
    await expect(promise).rejects.toMatchObject({ code: 'KUBECONFIG_INVALID', message: /"test".*me\.pem/ })
  })

  test('a key that is none is an error of the kubeconfig', async () => {
    const rubbish = Buffer.from('rubbish').toString('base64')
    const client = await (await mirrorServer()).client({
      'client-certificate-data': rubbish,
      'client-key-data': rubbish,
    })
    const promise = client.request({ path: '/version' })
    await expect(promise).rejects.toMatchObject({ code: 'KUBECONFIG_INVALID', hint: /user "user"/ })
  })
})

describe('a plugin', () => {
  test('runs once when it names no expiry', async () => {
    const { user, runs } = await plugin(`print({ token: 'token-' + run })`)
    const client = await (await mirrorServer()).client(user)
    const requests = [1, 2, 3].map(() => client.request({ path: '/version' }))
    const answers = await Promise.all(requests)
    expect(answers.map(({ authorization }) => authorization)).toEqual(Array(3).fill('Bearer token-1'))
    expect(await runs()).toBe(1)
  })

  test('runs again when what it gave has expired', async () => {
    const { user } = await plugin(
      `print({ token: 'token-' + run, expirationTimestamp: new Date(run === 1 ? 0 : 9e12) })`,
    )
    const context = await (await mirrorServer()).context(user)
    const options = { headers: {} }
    await context.config.applyToHTTPSOptions(options)
    await context.config.applyToHTTPSOptions(options)
    expect(options.headers).toEqual({ Authorization: 'Bearer token-2' })
  })

  test('runs again when what it gave is refused', async () => {
    const { user } = await plugin(`print({ token: 'token-' + run })`)
    const server = await mirrorServer((authorization) => authorization === 'Bearer token-2')
    expect(await authorizationOf(server, user)).toBe('Bearer token-2')
  })

  test('runs again once for many requests that are refused together', async () => {
    const { user, runs } = await plugin(`print({ token: 'token-' + run })`)
    const server = await mirrorServer((authorization) => authorization === 'Bearer token-2')
    const client = await server.client(user)
    await Promise.all([1, 2, 3].map(() => client.request({ path: '/version' })))
    expect(await runs()).toBe(2)
  })

  test('is not asked for ever when all it gives is refused', async () => {
    const { user, runs } = await plugin(`print({ token: 'token-' + run })`)
    const client = await (await mirrorServer(() => false)).client(user)
    const promise = client.request({ path: '/version' })
    await expect(promise).rejects.toMatchObject({ code: 'UNAUTHORIZED', message: /context "test"/ })
    expect(await runs()).toBe(2)
  })

  test('is told about the cluster, gets its environment, and is never asked to be interactive', async () => {
    const { user } = await plugin(
      `print({ token: Buffer.from(process.env.WHO + process.env.KUBERNETES_EXEC_INFO).toString('base64url') })`,
      { env: [{ name: 'WHO', value: 'me' }], provideClusterInfo: true },
    )
    const server = await mirrorServer()
    const authorization = String(await authorizationOf(server, user))
    const told = Buffer.from(authorization.slice('Bearer '.length), 'base64url').toString('utf8')
    expect(told.slice(0, 2)).toBe('me')
    expect(JSON.parse(told.slice(2))).toMatchObject({
      kind: 'ExecCredential',
      spec: { interactive: false, cluster: { server: server.url } },
    })
  })

  test('that fails is quoted, and can be tried by hand', async () => {
    const { user, path } = await plugin(`console.error('please log in'); process.exit(1)`)
    const client = await (await mirrorServer()).client(user)
    await expect(client.request({ path: '/version' })).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      message: /user "user" failed: please log in/,
      hint: expect.stringContaining(path),
    })
  })

  test('that is tried again after it failed may succeed', async () => {
    const { user } = await plugin(`run === 1 ? process.exit(1) : print({ token: 'late' })`)
    const client = await (await mirrorServer()).client(user)
    await expect(client.request({ path: '/version' })).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    expect((await client.request({ path: '/version' })).authorization).toBe('Bearer late')
  })

  test('that is not installed is named, with how to get it', async () => {
    const exec = { apiVersion: 'v1', command: 'no-such-plugin', installHint: 'brew install it' }
    const client = await (await mirrorServer()).client({ exec })
    await expect(client.request({ path: '/version' })).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      message: /no-such-plugin of user "user" is not installed/,
      hint: 'brew install it',
    })
  })

  test('that prints something else is an error', async () => {
    const { user } = await plugin(`console.log('hello')`)
    const client = await (await mirrorServer()).client(user)
    await expect(client.request({ path: '/version' })).rejects.toThrow(/did not print an ExecCredential/)
  })
})

test('a proxy of the cluster carries the connection', async () => {
  const server = await mirrorServer()
  const through: (string | undefined)[] = []
  const proxy = createServer()
  proxy.on('connect', (request, client, head) => {
    through.push(request.url)
    const upstream = connect(Number(new URL(server.url).port), 'localhost', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      upstream.write(head)
      upstream.pipe(client).pipe(upstream)
    })
    client.on('error', () => upstream.destroy())
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  onTestFinished(() => {
    proxy.close()
    proxy.closeAllConnections()
  })
  const { port } = proxy.address() as AddressInfo
  const client = await server.client({ token: 'secret' }, { 'proxy-url': `http://127.0.0.1:${port}` })
  expect((await client.request({ path: '/version' })).authorization).toBe('Bearer secret')
  expect(through).toEqual([new URL(server.url).host])
})
