import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Spec } from '../config/spec.ts'
import { KubesyncError } from '../errors.ts'
import { newClusters } from './clusters.ts'
import { runSpec, type SpecRunner } from './spec-runner.ts'
import { openSpecState } from './state.ts'
import { demo, FakeWorld, phase, runningPod } from './testing/fake-world.ts'
import type { LogEvent } from './world.ts'

let stateRoot: string
let world: FakeWorld
let log: LogEvent[]
let runners: SpecRunner[]
let wake: () => void

beforeEach(async () => {
  stateRoot = await mkdtemp(join(tmpdir(), 'state-'))
  world = new FakeWorld()
  log = []
  runners = []
  wake = () => {}
})
afterEach(async () => {
  await Promise.all(runners.map((runner) => runner.stop()))
  await rm(stateRoot, { recursive: true, force: true })
})

function start(spec: Spec = demo): SpecRunner {
  const runner = runSpec({
    ...{ spec, world, stateRoot, clusters: newClusters(world) },
    log: (event) => log.push(event),
    changed: () => wake(),
  })
  runners.push(runner)
  return runner
}

/** Waits until something holds, looking at it again whenever a runner or a fake may have changed. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) {
    await Promise.race([
      new Promise<void>((resolve) => {
        wake = resolve
      }),
      new Promise((resolve) => setImmediate(resolve)),
    ])
  }
}

/** `a*` for a leader, `b` for a follower, of the sessions that go on. */
const going = () =>
  world.running
    .map(({ pod, role }) => (role === 'leader' ? `${pod}*` : pod))
    .sort()
    .join(' ')

const session = (pod: string) => {
  const found = world.running.find((one) => one.pod === pod)
  if (found === undefined) throw new Error(`no session with ${pod}`)
  return found
}

describe('what is told of a spec', () => {
  test('it waits until a container is there, then runs, and each step is told', async () => {
    const runner = start()
    expect(runner.status).toEqual({
      name: 'demo',
      state: 'waiting',
      message: 'looking for pods',
      sessions: [],
    })
    world.pods()
    await until(() => runner.status.message !== 'looking for pods')
    expect(runner.status).toMatchObject({
      state: 'waiting',
      message: 'no pod matches app=demo in namespace default',
    })
    world.pods(runningPod('a'))
    await until(() => runner.status.state === 'running')
    expect(runner.status.sessions).toEqual([{ pod: 'a', node: 'node-a', container: 'app', role: 'leader' }])
    await until(() => going() === 'a*')
    session('a').says(phase('scanning'))
    expect(runner.status.sessions[0]?.session?.phase).toBe('scanning')
    expect(runner.status.sessions[0]?.message).toBeUndefined()
  })

  test('the API server is away: told, what is known stays, and it goes on when the server is back', async () => {
    const runner = start()
    world.pods(runningPod('a'))
    await until(() => going() === 'a*')
    world.tell({ type: 'unreachable', error: new KubesyncError('SERVER_UNREACHABLE', 'no answer') })
    expect(runner.status).toMatchObject({
      state: 'disconnected',
      message: 'no answer',
      sessions: [{ pod: 'a' }],
    })
    world.tell({ type: 'reachable' })
    expect(runner.status).toMatchObject({ state: 'running', sessions: [{ pod: 'a' }] })
    expect(log.map(({ message }) => message)).toContain('the API server can be reached again')
  })

  test('what only a person can change is a failure, with what to do', async () => {
    const runner = start()
    await until(() => world.clustersOpen === 1)
    const error = new KubesyncError('FORBIDDEN', 'Not allowed to read pods.', { hint: 'Ask for it.' })
    world.tell({ type: 'unreachable', error })
    await until(() => runner.status.state === 'failed')
    expect(runner.status.message).toBe('Not allowed to read pods. Ask for it.')
  })

  test('a context that is not there is told, and tried again until it is', async () => {
    const error = new KubesyncError('NO_SUCH_CONTEXT', 'there is no context kind')
    world.before.openCluster = () => {
      if ((world.tried.openCluster ?? 0) < 3) throw error
    }
    const runner = start()
    await until(() => runner.status.state === 'failed')
    world.pods(runningPod('a'))
    await until(() => runner.status.state === 'running')
    expect(log.filter(({ message }) => message === 'there is no context kind')).toHaveLength(1)
  })

  test('a missing local folder fails the spec until it is there', async () => {
    let missing = true
    world.before.openLocal = () => {
      if (missing) throw new KubesyncError('NO_SUCH_DIRECTORY', 'there is no folder /home/me/demo')
    }
    const runner = start()
    world.pods(runningPod('a'))
    await until(() => runner.status.state === 'failed')
    expect(runner.status.message).toBe('there is no folder /home/me/demo')
    missing = false
    await until(() => going() === 'a*')
    expect(runner.status.state).toBe('running')
  })

  test('folders that another process syncs are left to it, with its pid', async () => {
    const other = await openSpecState(stateRoot, demo)
    const runner = start({ ...demo, name: 'other' })
    await until(() => runner.status.state === 'failed')
    expect(runner.status.message).toContain(`already synced with /srv/demo by process ${process.pid}`)
    world.pods(runningPod('a'))
    await other.close()
    await until(() => going() === 'a*')
  })
})

describe('sessions', () => {
  test('the leader is synced as the spec says, followers receive; the local folder is scanned once', async () => {
    start()
    world.pods(runningPod('a'), runningPod('b'), runningPod('c'))
    await until(() => going() === 'a* b c')
    expect(world.running.map(({ parts }) => parts.binding.mode).sort()).toEqual([
      'to-remote-safe',
      'to-remote-safe',
      'two-way-safe',
    ])
    expect(world.locals).toHaveLength(1)
  })

  test('pods of one node share a connection', async () => {
    start()
    world.pods(runningPod('a', { node: 'n' }), runningPod('b', { node: 'n' }))
    await until(() => going() === 'a* b')
    expect(world.nodes).toHaveLength(1)
  })

  test('a container that restarts gets a new session, with its new id and after the old one ended', async () => {
    start()
    world.pods(runningPod('a'))
    await until(() => going() === 'a*')
    const old = session('a')
    world.pods(runningPod('a', { id: 'containerd://new' }))
    await until(() => world.sessions.length === 2)
    expect(old.running).toBe(false)
    expect(session('a').parts.binding.containerId).toBe('containerd://new')
    expect(session('a').parts.basePath).toBe(old.parts.basePath)
  })

  test('a pod that is deleted ends its session, and another leads', async () => {
    start()
    world.pods(runningPod('a'), runningPod('b'))
    await until(() => going() === 'a* b')
    world.pods(runningPod('a', { deleting: true }), runningPod('b'))
    await until(() => going() === 'b*')
    world.pods(runningPod('b'), runningPod('c'))
    await until(() => going() === 'b* c')
  })

  test('one alone writes the local folder, also while the lead changes', async () => {
    start()
    world.pods(runningPod('a'), runningPod('b'))
    await until(() => going() === 'a* b')
    let release = () => {}
    const slow = new Promise<void>((resolve) => {
      release = resolve
    })
    const old = session('a')
    const stop = old.stop.bind(old)
    old.stop = async () => {
      await slow
      await stop()
    }
    world.pods(runningPod('b'))
    await until(() => !world.running.some(({ pod, role }) => pod === 'b' && role === 'follower'))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(going()).toBe('a*')
    release()
    await until(() => going() === 'b*')
  })

  test('the agent is lost: told, and reached again', async () => {
    const runner = start()
    world.pods(runningPod('a'))
    await until(() => going() === 'a*')
    session('a').says(phase('in-sync'))
    world.before.connectNode = () => {
      if (world.tried.connectNode === 2)
        throw new KubesyncError('NO_AGENT', 'no agent', { hint: 'run `ksync init`' })
    }
    world.nodes[0]?.lose()
    await until(() => runner.status.sessions[0]?.message === 'no agent; run `ksync init`')
    expect(runner.status.sessions[0]?.session).toBeUndefined()
    await until(() => going() === 'a*')
    expect(log).toContainEqual({ level: 'warn', spec: 'demo', message: 'a/app: lost' })
  })

  test('one that cannot be reached slows no other, and is not waited for when its agent comes', async () => {
    const slowly = { firstMs: 60_000, maxMs: 60_000 }
    Object.assign(world, { pace: slowly })
    let missing = true
    world.before.connectNode = (node) => {
      if (node === 'node-b' && missing) throw new KubesyncError('NO_AGENT', 'no agent on node-b')
    }
    const runner = start()
    world.pods(runningPod('a'), runningPod('b'))
    await until(() => runner.status.sessions[1]?.message === 'no agent on node-b')
    await until(() => going() === 'a*')
    missing = false
    world.agentsChanged()
    await until(() => going() === 'a* b')
  })

  test('a leader that cannot be reached for a while gives way to one that can', async () => {
    world.before.connectNode = (node) => {
      if (node === 'node-a') throw new KubesyncError('NO_AGENT', 'no agent on node-a')
    }
    const runner = start()
    world.pods(runningPod('a'), runningPod('b'))
    await until(() => going() === 'b*')
    expect(runner.status.sessions.map(({ pod, role }) => `${pod} ${role}`)).toEqual([
      'a follower',
      'b leader',
    ])
  })

  test('that the server is away is no reason to change the leader', async () => {
    start()
    world.pods(runningPod('a'), runningPod('b'))
    await until(() => going() === 'a* b')
    world.before.connectNode = () => {
      if ((world.tried.connectNode ?? 0) < 14) throw new KubesyncError('SERVER_UNREACHABLE', 'no answer')
    }
    for (const node of world.nodes) node.lose()
    await until(() => world.running.length === 2)
    expect(going()).toBe('a* b')
  })

  test('a folder that its user may not write is told by path and uid', async () => {
    world.readOnly = 'permission denied'
    const runner = start()
    world.pods(runningPod('a'))
    await until(() => runner.status.sessions[0]?.message?.includes('may not be written') === true)
    expect(runner.status.sessions[0]?.message).toContain('/srv/demo in a/app may not be written by uid 1000')
  })

  test('a halted one goes on when it is told to', async () => {
    const runner = start()
    world.pods(runningPod('a'))
    await until(() => going() === 'a*')
    expect(runner.resume()).toBe(0)
    session('a').says(phase('halted', { halt: 'the folder was emptied' }))
    expect(runner.resume()).toBe(1)
    expect(session('a').resumed).toBe(1)
    expect(log).toContainEqual({
      level: 'error',
      spec: 'demo',
      message: 'a/app: halted: the folder was emptied',
    })
  })

  test('a pod that comes and goes while it is being reached leaves nothing open', async () => {
    const releases: (() => void)[] = []
    const slow = () => new Promise<void>((resolve) => releases.push(resolve))
    world.before.openReplica = slow
    const runner = start()
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
    const runner = start()
    world.pods(runningPod('a'), runningPod('b'))
    await until(() => going() === 'a* b')
    await runner.stop()
    expect(world.running).toEqual([])
    expect(world.locals[0]?.isClosed).toBe(true)
    await until(() => world.nodes.every(({ isClosed }) => isClosed) && world.clustersOpen === 0)
  })
})

describe('what is remembered', () => {
  const remembered = async (...path: string[]) => {
    const [folder = ''] = await readdir(stateRoot)
    return (await readdir(join(stateRoot, folder, ...path))).sort()
  }

  async function inSync(pod: string): Promise<void> {
    await until(() => world.running.some((one) => one.pod === pod))
    const { parts } = session(pod)
    await writeFile(parts.basePath, 'base')
    session(pod).says(phase('in-sync'))
  }

  test('containers that were there at first are no successors, later ones are', async () => {
    start()
    world.pods(runningPod('a'), runningPod('b'))
    await inSync('a')
    expect(session('a').parts.successor).toBe(false)
    while (!(await remembered()).includes('in-sync'));
    world.pods(runningPod('a', { id: 'containerd://again' }), runningPod('b'), runningPod('c'))
    await until(() => going() === 'a* b c')
    expect(world.running.map(({ pod, parts }) => [pod, parts.successor]).sort()).toEqual([
      ['a', true],
      ['b', false],
      ['c', true],
    ])
  })

  test('the base of a pod that is gone is kept until another is in sync', async () => {
    start()
    world.pods(runningPod('a'))
    await inSync('a')
    world.pods(runningPod('b'))
    await until(() => going() === 'b*')
    expect(await remembered('bases')).toEqual(['uid-a.app'])
    await inSync('b')
    while ((await remembered('bases')).includes('uid-a.app'));
    expect(await remembered('bases')).toEqual(['uid-b.app'])
  })
})
