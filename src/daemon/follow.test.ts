import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { KubesyncError } from '../errors.ts'
import { type FakeWorld, phase, runningPod } from './testing/fake-world.ts'
import { Stage, until } from './testing/stage.ts'

let stage: Stage
let world: FakeWorld
beforeEach(async () => {
  stage = await Stage.set()
  world = stage.world
})
afterEach(() => stage.strike())

describe('sessions', () => {
  test('the leader is synced as the spec says, followers receive; the local folder is scanned once', async () => {
    stage.start()
    world.pods(runningPod('a'), runningPod('b'), runningPod('c'))
    await stage.goes('a* b c')
    expect(world.running.map(({ parts }) => parts.binding.mode).sort()).toEqual([
      'to-remote-safe',
      'to-remote-safe',
      'two-way-safe',
    ])
    expect(world.locals).toHaveLength(1)
  })

  test('pods of one node share a connection', async () => {
    stage.start()
    world.pods(runningPod('a', { node: 'n' }), runningPod('b', { node: 'n' }))
    await stage.goes('a* b')
    expect(world.nodes).toHaveLength(1)
  })

  test('a container that restarts gets a new session, with its new id and after the old one ended', async () => {
    stage.start()
    world.pods(runningPod('a'))
    await stage.goes('a*')
    const old = stage.session('a')
    world.pods(runningPod('a', { id: 'containerd://new' }))
    await until(() => world.sessions.length === 2)
    expect(old.running).toBe(false)
    expect(stage.session('a').parts.binding.containerId).toBe('containerd://new')
    expect(stage.session('a').parts.base.path).toBe(old.parts.base.path)
  })

  test('a pod that is deleted ends its session, and another leads', async () => {
    stage.start()
    world.pods(runningPod('a'), runningPod('b'))
    await stage.goes('a* b')
    world.pods(runningPod('a', { deleting: true }), runningPod('b'))
    await stage.goes('b*')
    world.pods(runningPod('b'), runningPod('c'))
    await stage.goes('b* c')
  })

  test('one alone writes the local folder, also while the lead changes', async () => {
    stage.start()
    world.pods(runningPod('a'), runningPod('b'))
    await stage.goes('a* b')
    let release = () => {}
    const slow = new Promise<void>((resolve) => {
      release = resolve
    })
    const old = stage.session('a')
    const stop = old.stop.bind(old)
    old.stop = async () => {
      await slow
      await stop()
    }
    world.pods(runningPod('b'))
    await until(() => !world.running.some(({ pod, role }) => pod === 'b' && role === 'follower'))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(stage.going).toBe('a*')
    release()
    await stage.goes('b*')
  })

  test('the agent is lost: told, and reached again', async () => {
    const runner = stage.start()
    world.pods(runningPod('a'))
    await stage.goes('a*')
    stage.session('a').says(phase('in-sync'))
    world.before.connectNode = () => {
      if (world.tried.connectNode === 2)
        throw new KubesyncError('NO_AGENT', 'no agent', { hint: 'run `ksync init`' })
    }
    world.nodes[0]?.lose()
    await until(() => runner.status.sessions[0]?.message === 'no agent; run `ksync init`')
    expect(runner.status.sessions[0]?.session).toBeUndefined()
    await stage.goes('a*')
    expect(stage.log).toContainEqual({ level: 'warn', spec: 'demo', message: 'a/app: lost' })
  })

  test('one that cannot be reached slows no other, and is not waited for when its agent comes', async () => {
    const slowly = { firstMs: 60_000, maxMs: 60_000 }
    Object.assign(world, { pace: slowly })
    let missing = true
    world.before.connectNode = (node) => {
      if (node === 'node-b' && missing) throw new KubesyncError('NO_AGENT', 'no agent on node-b')
    }
    const runner = stage.start()
    world.pods(runningPod('a'), runningPod('b'))
    await until(() => runner.status.sessions[1]?.message === 'no agent on node-b')
    await stage.goes('a*')
    missing = false
    world.agentsChanged()
    await stage.goes('a* b')
  })

  test('a leader that cannot be reached for a while gives way to one that can', async () => {
    world.before.connectNode = (node) => {
      if (node === 'node-a') throw new KubesyncError('NO_AGENT', 'no agent on node-a')
    }
    const runner = stage.start()
    world.pods(runningPod('a'), runningPod('b'))
    await stage.goes('b*')
    expect(runner.status.sessions.map(({ pod, role }) => `${pod} ${role}`)).toEqual([
      'a follower',
      'b leader',
    ])
  })

  test('that the server is away is no reason to change the leader', async () => {
    stage.start()
    world.pods(runningPod('a'), runningPod('b'))
    await stage.goes('a* b')
    world.before.connectNode = () => {
      if ((world.tried.connectNode ?? 0) < 14) throw new KubesyncError('SERVER_UNREACHABLE', 'no answer')
    }
    for (const node of world.nodes) node.lose()
    await stage.goes('')
    await until(() => world.running.length === 2)
    expect(stage.going).toBe('a* b')
  })

  test('a folder that its user may not write is told by path and uid', async () => {
    world.readOnly = 'permission denied'
    const runner = stage.start()
    world.pods(runningPod('a'))
    await until(() => runner.status.sessions[0]?.message?.includes('may not be written') === true)
    expect(runner.status.sessions[0]?.message).toContain('/srv/demo in a/app may not be written by uid 1000')
  })

  test('a halted one goes on when it is told to', async () => {
    const runner = stage.start()
    world.pods(runningPod('a'))
    await stage.goes('a*')
    expect(runner.resume()).toBe(0)
    stage.session('a').says(phase('halted', { halt: 'the folder was emptied' }))
    expect(runner.resume()).toBe(1)
    expect(stage.session('a').resumed).toBe(1)
    expect(stage.log).toContainEqual({
      level: 'error',
      spec: 'demo',
      message: 'a/app: halted: the folder was emptied',
    })
  })

  test('a pod that comes and goes while it is being reached leaves nothing open', async () => {
    const releases: (() => void)[] = []
    const slow = () => new Promise<void>((resolve) => releases.push(resolve))
    world.before.openReplica = slow
    const runner = stage.start()
    world.pods(runningPod('a'))
    await until(() => releases.length === 1)
    world.pods()
    await until(() => runner.status.sessions.length === 0)
    for (const release of releases) release()
    await runner.stop()
    await until(() => world.nodes.every(({ isClosed }) => isClosed))
    expect(world.nodes.flatMap(({ replicas }) => replicas).every(({ isClosed }) => isClosed)).toBe(true)
    expect(world.sessions).toEqual([])
  })

  test('stopping ends and closes everything', async () => {
    const runner = stage.start()
    world.pods(runningPod('a'), runningPod('b'))
    await stage.goes('a* b')
    await runner.stop()
    expect(world.running).toEqual([])
    expect(world.locals[0]?.isClosed).toBe(true)
    await until(() => world.nodes.every(({ isClosed }) => isClosed) && world.clustersOpen === 0)
  })
})
