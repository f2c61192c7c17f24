/** Counts the bytes that leave for the API server: a relay in a thread of its own, and a kubeconfig that leads to it. */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect, createServer, isIP } from 'node:net'
import { join } from 'node:path'
import { parentPort, Worker, workerData } from 'node:worker_threads'
import { must } from './run.ts'
import { environment, kubectl, scratch } from './settings.ts'

export interface Meter {
  readonly kubeconfig: string
  /** Bytes so far, as encrypted. */
  sent(): number
  close(): void
}

export async function meter(): Promise<Meter> {
  const config = must(kubectl, ['config', 'view', '--raw', '--minify', '--flatten'], { env: environment })
  const address = /server: (https:\/\/\S+)/.exec(config)?.[1]
  if (address === undefined) throw new Error('the kubeconfig has no server')
  const { hostname, port } = new URL(address)
  const counter = new Float64Array(new SharedArrayBuffer(8))
  const relay = new Worker(process.argv[1] ?? '', {
    argv: ['relay'],
    workerData: { hostname, port: Number(port || 443), counter },
  })
  const [own]: number[] = await once(relay, 'message')
  const kubeconfig = join(scratch, `kubeconfig-${own}`)
  const name = isIP(hostname) === 0 ? `\n    tls-server-name: ${hostname}` : ''
  writeFileSync(kubeconfig, config.replace(address, `https://127.0.0.1:${own}${name}`), { mode: 0o600 })
  return { kubeconfig, sent: () => counter[0] ?? 0, close: () => void relay.terminate() }
}

/** What the thread does. */
export function runRelay(): void {
  const { hostname, port, counter }: { hostname: string; port: number; counter: Float64Array } = workerData
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ host: hostname, port, allowHalfOpen: true })
    client.on('data', (bytes) => {
      counter[0] = (counter[0] ?? 0) + bytes.length
    })
    client.pipe(upstream).pipe(client)
    client.on('error', () => upstream.destroy())
    upstream.on('error', () => client.destroy())
  })
  server.listen(0, '127.0.0.1', () => {
    const bound = server.address()
    parentPort?.postMessage(bound !== null && typeof bound === 'object' ? bound.port : 0)
  })
}
