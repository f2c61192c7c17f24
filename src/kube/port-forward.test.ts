import { once } from 'node:events'
import { expect, test } from 'vitest'
import { portForward } from './port-forward.ts'
import { startExecServer } from './testing/exec-server.ts'
import { target } from './testing/running.ts'
import { answerStatus, startServer } from './testing/server.ts'

const [data, error] = [0, 1]
/** Its number comes first on each channel, in two bytes, the low one first. */
const port = 7070
const announced = Buffer.of(port & 255, port >> 8)

async function forward() {
  const { server, next } = await startExecServer('v4.channel.k8s.io')
  const stream = await portForward(await server.client(), { ...target, port })
  stream.on('error', () => {})
  return { stream, peer: await next() }
}

test('what is written comes to the port, and what the port says is read, without its number', async () => {
  const { stream, peer } = await forward()
  expect(peer.url.pathname).toMatch(/\/pods\/[^/]+\/portforward$/)
  expect(peer.url.searchParams.get('ports')).toBe('7070')
  stream.write('knock')
  expect(String((await once(peer.stdin, 'data'))[0])).toBe('knock')
  await peer.send(data, announced)
  await peer.send(error, announced)
  await peer.send(data, 'come ')
  await peer.send(data, 'in')
  let said = ''
  stream.on('data', (chunk: Buffer) => {
    said += chunk
  })
  await expect.poll(() => said).toBe('come in')
})

test('that nobody listens is how it ends', async () => {
  const { stream, peer } = await forward()
  stream.resume()
  await peer.send(data, announced)
  await peer.send(error, announced)
  await peer.send(error, 'dial tcp4 127.0.0.1:7070: connect: connection refused')
  peer.cut()
  expect(await stream.exit).toEqual({
    kind: 'failed',
    message: 'dial tcp4 127.0.0.1:7070: connect: connection refused',
  })
})

test('who may not do it is told which right is missing', async () => {
  const server = await startServer()
  server.handle((_, response) => answerStatus(response, 403, 'Forbidden'))
  await expect(portForward(await server.client(), { ...target, port })).rejects.toMatchObject({
    code: 'FORBIDDEN',
    message: expect.stringContaining('pods/portforward'),
  })
})
