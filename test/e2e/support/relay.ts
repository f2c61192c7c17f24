import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer, isIP } from 'node:net'
import { Transform } from 'node:stream'
import { KubeConfig } from '@kubernetes/client-node'
import { onTestFinished } from 'vitest'

/** A way to the API server on which it shows how much leaves for it, and which may be closed for a while. */
export interface Relay {
  /** Bytes so far, as encrypted. */
  sent: number
  /** Lets nothing more pass than so many bytes from the start. */
  limit: number
  /** Lets all pass again. */
  open(): void
}

/** Opens one until the test is over, and leads a kubeconfig to it. */
export async function relayed(kubeconfig: string): Promise<Relay> {
  const config = new KubeConfig()
  config.loadFromFile(kubeconfig)
  const address = config.getCurrentCluster()?.server ?? ''
  const { hostname, port } = new URL(address)
  let waiting: (() => void)[] = []
  const relay: Relay = {
    sent: 0,
    limit: Number.POSITIVE_INFINITY,
    open() {
      relay.limit = Number.POSITIVE_INFINITY
      for (const go of waiting.splice(0)) go()
    },
  }
  const counting = () =>
    new Transform({
      transform(bytes: Buffer, _, done) {
        relay.sent += bytes.length
        if (relay.sent < relay.limit) done(null, bytes)
        else waiting = [...waiting, () => done(null, bytes)]
      },
    })
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ host: hostname, port: Number(port || 443), allowHalfOpen: true })
    client.pipe(counting()).pipe(upstream).pipe(client)
    client.on('error', () => upstream.destroy())
    upstream.on('error', () => client.destroy())
    upstream.on('close', () => client.destroy())
    client.on('close', () => upstream.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
  })
  const bound = server.address()
  const here = `https://127.0.0.1:${typeof bound === 'object' ? bound?.port : ''}`
  const name = isIP(hostname) === 0 ? `\n    tls-server-name: ${hostname}` : ''
  writeFileSync(kubeconfig, readFileSync(kubeconfig, 'utf8').replace(address, here + name), { mode: 0o600 })
  return relay
}
