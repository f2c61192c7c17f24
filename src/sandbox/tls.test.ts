import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { expect, it } from 'vitest'
import { createCertificates } from './tls.ts'

it.each(['127.0.0.1', 'localhost'])('a client that has the CA believes the server at %s', async (host) => {
  const { ca, cert, key } = createCertificates()
  const server = createServer({ cert, key }, (socket) => socket.end('hello'))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const servername = host === 'localhost' ? host : ''
  const client: TLSSocket = connect({ host: '127.0.0.1', port, ca, servername })
  await once(client, 'secureConnect')
  expect(client.authorized).toBe(true)
  client.destroy()
  server.close()
})

it('signs with a CA that is made anew each time', () => {
  const one = createCertificates()
  const cert = new X509Certificate(one.cert)
  const ca = new X509Certificate(one.ca)
  expect(cert.verify(ca.publicKey)).toBe(true)
  expect(cert.verify(new X509Certificate(createCertificates().ca).publicKey)).toBe(false)
  expect(ca.ca).toBe(true)
  expect(cert.checkIP('127.0.0.1')).toBe('127.0.0.1')
  expect(cert.checkHost('localhost')).toBe('localhost')
  expect(cert.checkIP('127.0.0.2')).toBeUndefined()
})
