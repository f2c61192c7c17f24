import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Control, serveControl } from './control.ts'
import { askDown, askStatus } from './control-client.ts'
import { World } from './controllers/testing/world.ts'
import { createFaults, type Faults } from './faults.ts'
import type { Weather } from './faulty.ts'

let world: World
let faults: Faults
let weather: Weather
let stopped: boolean
const killContainer = vi.fn()
const cut = vi.fn(() => 2)

beforeEach(() => {
  vi.clearAllMocks()
  world = new World({ nodes: 2 })
  weather = { latencyMs: 0, hole: undefined, limits: new Map() }
  stopped = false
  const front = {
    ...{ port: 1, cut },
    get isListening() {
      return !stopped
    },
    start: async () => {
      stopped = false
    },
    stop: async () => {
      stopped = true
    },
  }
  faults = createFaults({ writer: world.writer, dataDir: tmpdir(), weather, front, killContainer })
})

afterEach(() => world.close())

async function deploy(): Promise<string> {
  const labels = { app: 'web' }
  world.writer.create({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'any' }] } },
    },
  })
  await world.settled()
  return world.pods()[0]?.metadata.name ?? ''
}

describe('a pod is moved', () => {
  it('to another node, and its node takes pods again', async () => {
    const name = await deploy()
    const from = world.pods()[0]?.spec.nodeName
    const moved = await faults.carryOut({ fault: 'move-pod', namespace: 'default', name })
    await world.settled()
    expect(world.pods().map(({ metadata }) => metadata.name)).toEqual([moved])
    expect(world.pods()[0]?.spec.nodeName).not.toBe(from)
    for (const node of world.store.list('nodes')) expect(node.spec).toEqual({})
  })

  it('but not one that nobody would make anew', async () => {
    const metadata = { name: 'alone', namespace: 'default' }
    world.addPod('alone')
    await world.settled()
    await expect(faults.carryOut({ fault: 'move-pod', ...metadata })).rejects.toMatchObject({
      code: 'POD_STAYS',
    })
    await expect(faults.carryOut({ fault: 'move-pod', ...metadata, name: 'other' })).rejects.toMatchObject({
      code: 'NO_SUCH_POD',
    })
  })
})

it('a black hole ends by itself, and a later one counts', async () => {
  vi.useFakeTimers()
  await faults.carryOut({ fault: 'drop', ms: 50 })
  await faults.carryOut({ fault: 'drop', ms: 100 })
  expect(faults.inForce()).toEqual(['nothing travels'])
  await vi.advanceTimersByTimeAsync(60)
  expect(faults.inForce()).toEqual(['nothing travels'])
  await vi.advanceTimersByTimeAsync(60)
  expect(faults.inForce()).toEqual([])
  vi.useRealTimers()
})

it('watches from before an expiry are answered with 410', async () => {
  const { revision } = world.store
  world.addNode('later')
  expect(world.store.since(revision, 'nodes')).toHaveLength(1)
  await faults.carryOut({ fault: 'expire' })
  expect(() => world.store.since(revision, 'nodes')).toThrow('too old resource version')
})

describe('over the control socket', () => {
  let dir: string
  let socket: string
  let control: Control
  const down = vi.fn()

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'kubesync-control-'))
    socket = join(dir, 'control.sock')
    const about = { pid: 7, version: '1', kubeconfig: '/k', server: 'https://s', startedAt: '', nodes: [] }
    const status = () => ({ ...about, pods: { running: 0, total: 0 }, faults: faults.inForce() })
    control = await serveControl({ socket, faults, status, down })
  })

  afterEach(async () => {
    await control.close()
    rmSync(dir, { recursive: true, force: true })
  })

  /** Has a fault come over the socket; the answer. */
  async function ask(fault: object): Promise<unknown> {
    const sent = request({ socketPath: socket, method: 'POST', path: '/faults', agent: false })
    sent.end(JSON.stringify(fault))
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    return json(response)
  }

  it('only this user may ask', () => {
    expect(statSync(socket).mode & 0o777).toBe(0o600)
  })

  it('what is wrong is told', async () => {
    await ask({ fault: 'latency', ms: 100 })
    await ask({ fault: 'cut-after', use: 'exec', bytes: 5 })
    await ask({ fault: 'stop-server' })
    expect((await askStatus(socket))?.faults).toEqual([
      'answers come 100 ms late',
      'connections (exec) break after 5 bytes',
      'the API server is stopped',
    ])
    expect(weather.latencyMs).toBe(100)
    await ask({ fault: 'latency', ms: 0 })
    await ask({ fault: 'cut-after', use: 'exec' })
    await ask({ fault: 'start-server' })
    expect((await askStatus(socket))?.faults).toEqual([])
  })

  it('a fault answers with what came of it', async () => {
    expect(await ask({ fault: 'cut', use: 'watch' })).toEqual({ result: 2 })
    expect(cut).toHaveBeenCalledWith('watch')
    const pod = await deploy()
    const { result: name } = (await ask({ fault: 'move-pod', namespace: 'default', name: pod })) as {
      result: string
    }
    await world.settled()
    expect(name).toBe(world.pods()[0]?.metadata.name)
    const container = { namespace: 'default', name: name, container: 'web' }
    await ask({ fault: 'kill-container', ...container })
    expect(killContainer).toHaveBeenCalledWith(world.pods()[0], 'web')
  })

  it('what is no fault is refused', async () => {
    for (const fault of [{ fault: 'latency', ms: -1 }, { fault: 'rain' }, { fault: 'expire', now: true }]) {
      expect(await ask(fault)).toMatchObject({ code: 'BAD_FAULT' })
    }
  })

  it('it is asked to end', async () => {
    expect(await askDown(socket)).toBe(process.pid)
    await vi.waitFor(() => expect(down).toHaveBeenCalledOnce())
  })

  it('nobody is there when it has ended', async () => {
    await control.close()
    expect(await askStatus(socket)).toBeUndefined()
    expect(await askDown(socket)).toBeUndefined()
  })
})
