import { connect, createServer, type Server } from 'node:net'
import { cluster } from './cluster.ts'
import { place } from './place.ts'
import { must } from './run.ts'

/**
 * Has the API server answer pods at the address that they know it by: in test/cluster nobody does, as it has no kube-proxy.
 * Returns the way to end that. Elsewhere it does nothing.
 */
export async function serveApiToPods(): Promise<() => Promise<void>> {
  if (place !== 'cluster') return async () => {}
  const { spec } = await cluster.core.readNamespacedService({ namespace: 'default', name: 'kubernetes' })
  const [host = '', port = 443] = [spec?.clusterIP, spec?.ports?.[0]?.port]
  const { hostname, port: apiPort } = new URL(cluster.config.getCurrentCluster()?.server ?? '')
  await must('ip', ['address', 'add', `${host}/32`, 'dev', 'lo'])
  const server = createServer((socket) => {
    const api = connect(Number(apiPort), hostname)
    for (const [one, other] of [
      [socket, api],
      [api, socket],
    ] as const) {
      one.pipe(other)
      one.on('error', () => other.destroy())
    }
  })
  await new Promise<void>((resolve, reject) => server.listen(port, host, resolve).on('error', reject))
  return () => end(server, host)
}

async function end(server: Server, host: string): Promise<void> {
  server.close()
  await must('ip', ['address', 'del', `${host}/32`, 'dev', 'lo'])
}
