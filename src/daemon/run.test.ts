import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { KubesyncError } from '../errors.ts'
import { type RunResult, runOne } from './run.ts'
import { openSpecState } from './state.ts'
import type { SpecStatus } from './status.ts'
import { demo, FakeWorld, phase, runningPod } from './testing/fake-world.ts'

let stateRoot: string
let world: FakeWorld
let statuses: SpecStatus[]
let controller: AbortController

beforeEach(async () => {
  stateRoot = await mkdtemp(join(tmpdir(), 'state-'))
  world = new FakeWorld()
  statuses = []
  controller = new AbortController()
})
afterEach(() => rm(stateRoot, { recursive: true, force: true }))

function run(once: boolean, { spec = demo, approve = false } = {}): Promise<RunResult> {
  const onStatus = (status: SpecStatus) => statuses.push(status)
  return runOne({ spec, world, stateRoot, once, approve, log: () => {}, onStatus, signal: controller.signal })
}

const sessions = (count: number) =>
  vi.waitFor(() => expect(world.running).toHaveLength(count), { interval: 1 })

describe('run', () => {
  test('goes on for as long as there is a pod, and tells what happens', async () => {
    world.pods(runningPod('a'))
    const result = run(false)
    await sessions(1)
    world.running[0]?.says(phase('in-sync'))
    world.pods(runningPod('a', { deleting: true }))
    expect(await result).toMatchObject({ kind: 'gone' })
    expect(statuses.some(({ sessions: [first] }) => first?.session?.phase === 'in-sync')).toBe(true)
    expect(world.running).toEqual([])
  })

  test('waits for a pod that is not there yet', async () => {
    world.pods()
    const result = run(false)
    await vi.waitFor(() => expect(statuses.at(-1)?.message).toContain('no pod matches'))
    world.pods(runningPod('a'))
    await sessions(1)
    controller.abort()
    expect(await result).toMatchObject({ kind: 'stopped' })
  })

  test('a container that restarts does not end it', async () => {
    world.pods(runningPod('a'))
    const result = run(false)
    await sessions(1)
    world.pods(runningPod('a', { id: '' }))
    world.pods(runningPod('a', { id: 'containerd://again' }))
    await vi.waitFor(() => expect(world.sessions).toHaveLength(2), { interval: 1 })
    controller.abort()
    expect(await result).toMatchObject({ kind: 'stopped' })
  })

  test('fails at once when it cannot begin', async () => {
    world.before.openCluster = () => {
      throw new KubesyncError('NO_SUCH_CONTEXT', 'there is no context kind')
    }
    expect(await run(false)).toMatchObject({ kind: 'failed', message: 'there is no context kind' })
  })

  test('fails at once when no pod has the container that is named', async () => {
    world.pods(runningPod('a'))
    const result = await run(false, { spec: { ...demo, container: 'none' } })
    expect(result).toMatchObject({ kind: 'failed', message: expect.stringContaining('no container none') })
  })

  test('fails when another process syncs the same', async () => {
    const other = await openSpecState(stateRoot, demo)
    expect(await run(false)).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining(`${process.pid}`),
    })
    await other.close()
  })

  test('fails when the server cannot be reached from the start, but not later', async () => {
    const error = new KubesyncError('SERVER_UNREACHABLE', 'no answer')
    const first = run(false)
    await vi.waitFor(() => expect(world.clustersOpen).toBe(1), { interval: 1 })
    await vi.waitFor(() => {
      world.tell({ type: 'unreachable', error })
      expect(statuses.at(-1)?.state).toBe('disconnected')
    })
    expect(await first).toMatchObject({ kind: 'failed', message: 'no answer' })
    world.pods(runningPod('a'))
    const second = run(false)
    await sessions(1)
    world.tell({ type: 'unreachable', error })
    expect(statuses.at(-1)?.state).toBe('disconnected')
    world.tell({ type: 'reachable' })
    controller.abort()
    expect(await second).toMatchObject({ kind: 'stopped' })
  })
})

describe('run --once', () => {
  test('ends when all containers are in sync, with what is left to decide', async () => {
    world.pods(runningPod('a'), runningPod('b'))
    const result = run(true)
    await sessions(2)
    const conflicts = [{ path: 'x', message: 'both changed it' }]
    world.running[0]?.says(phase('in-sync', { conflicts }))
    world.running[1]?.says(phase('syncing'))
    world.running[1]?.says(phase('in-sync'))
    const ended = await result
    expect(ended.kind).toBe('in-sync')
    expect(ended.status.sessions.flatMap(({ session }) => session?.conflicts ?? [])).toEqual(conflicts)
  })

  test('fails when a session halts', async () => {
    world.pods(runningPod('a'))
    const result = run(true)
    await sessions(1)
    world.running[0]?.says(phase('halted', { halt: 'the folder was emptied' }))
    expect(await result).toMatchObject({ kind: 'failed', message: 'a: the folder was emptied' })
  })

  test('goes on where it would halt if that is approved, but not for ever', async () => {
    world.pods(runningPod('a'))
    const result = run(true, { approve: true })
    await sessions(1)
    const halted = phase('halted', { halt: 'the folder is not there' })
    world.running[0]?.says(halted)
    expect(world.running[0]?.resumed).toBe(1)
    world.running[0]?.says(halted)
    expect(await result).toMatchObject({ kind: 'failed', message: 'a: the folder is not there' })
  })

  test('fails when a container cannot be reached', async () => {
    world.pods(runningPod('a'))
    world.before.connectNode = () => {
      throw new KubesyncError('NO_AGENT', 'no agent', { hint: 'run `ksync init`' })
    }
    expect(await run(true)).toMatchObject({ kind: 'failed', message: 'no agent; run `ksync init`' })
  })

  test('fails when the local folder is missing', async () => {
    world.pods(runningPod('a'))
    world.before.openLocal = () => {
      throw new KubesyncError('NO_SUCH_DIRECTORY', 'there is no folder')
    }
    expect(await run(true)).toMatchObject({ kind: 'failed', message: 'there is no folder' })
  })
})
