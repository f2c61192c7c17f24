import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { KubesyncError } from '../errors.ts'
import { openSpecState } from './state.ts'
import { demo, type FakeWorld, phase, runningPod } from './testing/fake-world.ts'
import { Stage, until } from './testing/stage.ts'

let stage: Stage
let world: FakeWorld
beforeEach(async () => {
  stage = await Stage.set()
  world = stage.world
})
afterEach(() => stage.strike())

describe('what is told of a spec', () => {
  test('it waits until a container is there, then runs, and each step is told', async () => {
    const runner = stage.start()
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
    await stage.goes('a*')
    stage.session('a').says(phase('scanning'))
    expect(runner.status.sessions[0]?.session?.phase).toBe('scanning')
    expect(runner.status.sessions[0]?.message).toBeUndefined()
  })

  test('the API server is away: told, what is known stays, and it goes on when the server is back', async () => {
    const runner = stage.start()
    world.pods(runningPod('a'))
    await stage.goes('a*')
    world.tell({ type: 'unreachable', error: new KubesyncError('SERVER_UNREACHABLE', 'no answer') })
    expect(runner.status).toMatchObject({
      state: 'disconnected',
      message: 'no answer',
      sessions: [{ pod: 'a' }],
    })
    world.tell({ type: 'reachable' })
    expect(runner.status).toMatchObject({ state: 'running', sessions: [{ pod: 'a' }] })
    expect(stage.log.map(({ message }) => message)).toContain('the API server can be reached again')
  })

  test('what only a person can change is a failure, with what to do', async () => {
    const runner = stage.start()
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
    const runner = stage.start()
    await until(() => runner.status.state === 'failed')
    world.pods(runningPod('a'))
    await until(() => runner.status.state === 'running')
    expect(stage.log.filter(({ message }) => message === 'there is no context kind')).toHaveLength(1)
  })

  test('a missing local folder fails the spec until it is there', async () => {
    let missing = true
    world.before.openLocal = () => {
      if (missing) throw new KubesyncError('NO_SUCH_DIRECTORY', 'there is no folder /home/me/demo')
    }
    const runner = stage.start()
    world.pods(runningPod('a'))
    await until(() => runner.status.state === 'failed')
    expect(runner.status.message).toBe('there is no folder /home/me/demo')
    missing = false
    await stage.goes('a*')
    expect(runner.status.state).toBe('running')
  })

  test('the container is looked at while the folder here is, and left when that turns out to be missing', async () => {
    let scanned = () => {}
    world.before.openLocal = async () => {
      if (world.nodes[0]?.replicas.length !== 1) await new Promise<void>((resolve) => (scanned = resolve))
      throw new KubesyncError('NO_SUCH_DIRECTORY', 'there is no folder /home/me/demo')
    }
    const runner = stage.start()
    world.pods(runningPod('a'))
    await until(() => world.nodes[0]?.replicas.length === 1)
    scanned()
    await until(() => runner.status.state === 'failed')
    const [node] = world.nodes
    await until(() => node?.replicas[0]?.isClosed === true)
  })

  test('folders that another process syncs are left to it, with its pid', async () => {
    const other = await openSpecState(stage.stateRoot, demo)
    const runner = stage.start({ ...demo, name: 'other' })
    await until(() => runner.status.state === 'failed')
    expect(runner.status.message).toContain(`already synced with /srv/demo by process ${process.pid}`)
    world.pods(runningPod('a'))
    await other.close()
    await stage.goes('a*')
  })
})
