import { readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { pipeline } from 'node:stream'

/** A way to an API server that counts what is sent there. */
export interface Meter {
  /** Bytes on the wire, TLS included. */
  readonly sent: number
  close(): void
}

/** Opens one, and writes a kubeconfig that goes through it. */
export async function openMeter({ from, to }: { from: string; to: string }): Promise<Meter> {
  const config = readFileSync(from, 'utf8')
  const [, url = ''] = /server: *(\S+)/.exec(config) ?? []
  const { hostname, port } = new URL(url)
  let sent = 0
  const open = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname)
    for (const socket of [client, upstream]) {
      open.add(socket)
      socket.setNoDelay(true)
      socket.once('close', () => open.delete(socket))
    }
    client.on('data', (chunk: Buffer) => {
      sent += chunk.length
    })
    pipeline(client, upstream, () => {})
    pipeline(upstream, client, () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port: own } = server.address() as AddressInfo
  writeFileSync(to, config.replace(url, `https://127.0.0.1:${own}`), { mode: 0o600 })
  return {
    get sent() {
      return sent
    },
    close() {
      server.close()
      for (const socket of open) socket.destroy()
    },
  }
}
