import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { podOf } from './pod-spec.ts'
import { servePortForward } from './portforward.ts'

const pod = podOf({
  ...{ apiVersion: 'v1', kind: 'Pod', spec: { containers: [] } },
  metadata: { name: 'web', namespace: 'default', uid: '11111111-2222-3333-4444-555555555555' },
})

/** A client of one port, and what came on each of its two channels. */
async function forward(port: number) {
  const api = createHttpServer().on('upgrade', (request, socket, head) =>
    servePortForward(pod, { request, socket, head }),
  )
  await once(api.listen(0, '127.0.0.1'), 'listening')
  const url = `ws://127.0.0.1:${(api.address() as AddressInfo).port}/portforward?ports=${port}`
  const socket = new WebSocket(url, ['v5.channel.k8s.io', 'v4.channel.k8s.io'])
  onTestFinished(() => {
    socket.terminate()
    api.close()
  })
  const said = ['', '']
  socket.on('message', (message: Buffer) => {
    said[message[0] ?? 0] += message.subarray(1).toString('latin1')
  })
  await once(socket, 'open')
  return { socket, said }
}

const announced = (port: number) => String.fromCharCode(port & 255, port >> 8)

test('a port is reached over one WebSocket: its number first, on each channel, then its bytes', async () => {
  const echo = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1')
  await once(echo, 'listening')
  onTestFinished(() => void echo.close())
  const { port } = echo.address() as AddressInfo
  const { socket, said } = await forward(port)
  socket.send(Buffer.from('\0hello'))
  await expect.poll(() => said).toEqual([`${announced(port)}hello`, announced(port)])
})

test('that nobody listens comes on the other channel, and ends it', async () => {
  const { socket, said } = await forward(1)
  await once(socket, 'close')
  expect(said[1]).toMatch(/connection refused$/)
})
