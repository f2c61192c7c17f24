import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { version } from '../version.ts'
import { openApi } from './api.ts'
import { loadCatalog } from './catalog.ts'
import { serveControl } from './control.ts'
import type { SandboxStatus } from './control-client.ts'
import { startControllers } from './controllers/controllers.ts'
import type { Node, Pod } from './controllers/kinds.ts'
import { condition } from './controllers/status.ts'
import { badRequest } from './failure.ts'
import { createFaults, type Faults } from './faults.ts'
import type { Weather } from './faulty.ts'
import { openFront } from './front.ts'
import { writeKubeconfig } from './kubeconfig.ts'
import { nodesDir, removeLeftovers } from './leftovers.ts'
import { type SandboxNode, startNode } from './node/node.ts'
import type { KubeObject } from './object.ts'
import type { Store } from './store.ts'
import { createCertificates } from './tls.ts'

export interface SandboxOptions {
  /** Its state: kubeconfig, containers, control socket. Made if it is missing, for this user only. */
  readonly dir: string
  /** How many nodes; one unless given. */
  readonly nodes?: number
}

export interface Sandbox {
  /** Path of a kubeconfig. */
  readonly kubeconfig: string
  /** The API server's URL. */
  readonly server: string
  readonly faults: Faults
  /** Settles once somebody asked for its end over the control socket. */
  readonly downAsked: Promise<void>
  /** Ends every process of it, and removes the containers. */
  close(): Promise<void>
}

/**
 * Starts a cluster in this process: an API server, controllers, and nodes whose containers are processes of this machine.
 * That is no isolation at all. What an earlier sandbox left in the directory is ended and removed.
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { dir, nodes: amount = 1 } = options
  removeLeftovers(dir)
  const dataDir = nodesDir(dir)
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const certificates = createCertificates()
  const token = randomBytes(24).toString('base64url')
  const nodes = new Map<string, SandboxNode>()
  const nodeOf = (pod: KubeObject): SandboxNode => {
    const name = (pod as Pod).spec.nodeName ?? ''
    const node = nodes.get(name)
    if (node === undefined) throw badRequest(`pod ${pod.metadata.name} is not on a node of this sandbox`)
    return node
  }
  const api = openApi({
    catalog: loadCatalog(),
    token,
    streams: {
      exec: (pod, how, upgrade) => nodeOf(pod).streams.exec(pod, how, upgrade),
      portForward: (pod, upgrade) => nodeOf(pod).streams.portForward(pod, upgrade),
      logs: (pod, how, response) => nodeOf(pod).streams.logs(pod, how, response),
    },
  })
  const weather: Weather = { latencyMs: 0, hole: undefined, limits: new Map() }
  const front = await openFront({ certificates, weather, handle: api.handle, upgrade: api.upgrade })
  const server = `https://127.0.0.1:${front.port}`
  const kubeconfig = join(dir, 'kubeconfig')
  await writeKubeconfig(kubeconfig, { server, ca: certificates.ca, token })
  const controllers = startControllers(api.writer, { ca: certificates.ca })
  for (let number = 1; number <= amount; number++) {
    const name = `node-${number}`
    const access = { host: '127.0.0.1', port: front.port, token }
    nodes.set(name, startNode({ name, writer: api.writer, dataDir: join(dataDir, name), api: access }))
  }
  const faults = createFaults({
    ...{ writer: api.writer, dataDir, weather, front },
    killContainer: (pod, container) =>
      nodeOf(pod).killContainer(pod.metadata.namespace ?? '', pod.metadata.name, container),
  })
  const startedAt = new Date().toISOString()
  let down = () => {}
  const downAsked = new Promise<void>((resolve) => {
    down = resolve
  })
  const about = { pid: process.pid, version, kubeconfig, server, startedAt }
  const control = await serveControl({
    socket: join(dir, 'control.sock'),
    faults,
    status: () => ({ ...about, ...countsOf(api.store), faults: faults.inForce() }),
    down,
  })
  return {
    kubeconfig,
    server,
    faults,
    downAsked,
    async close() {
      controllers.close()
      await faults.carryOut({ fault: 'free-disk' })
      await front.stop()
      await Promise.all([...nodes.values()].map((node) => node.close()))
      await control.close()
      removeLeftovers(dir)
    },
  }
}

/** Nodes, pods and objects, as they are counted in the status. */
function countsOf(store: Store): Pick<SandboxStatus, 'nodes' | 'pods'> {
  const pods = store.list('pods') as Pod[]
  const nodes = (store.list('nodes') as Node[]).map(({ metadata: { name }, status }) => ({
    name,
    ready: condition(status?.conditions, 'Ready')?.status === 'True',
    pods: pods.filter(({ spec }) => spec.nodeName === name).length,
  }))
  const running = pods.filter(({ status }) => status?.phase === 'Running').length
  return { nodes, pods: { running, total: pods.length } }
}
