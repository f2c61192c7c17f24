import { describe, expect, test, vi } from 'vitest'
import { exec } from './exec.ts'
import { startExecServer, success } from './testing/exec-server.ts'
import { target } from './testing/running.ts'
import { answer, answerStatus, startServer } from './testing/server.ts'

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
