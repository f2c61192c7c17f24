import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Supervisor, startSupervisor } from './supervisor.ts'
import { demo, FakeWorld, phase, runningPod } from './testing/fake-world.ts'

let stateRoot: string
let world: FakeWorld
let supervisor: Supervisor

beforeEach(async () => {
  stateRoot = await mkdtemp(join(tmpdir(), 'state-'))
  world = new FakeWorld()
  world.pods(runningPod('a'))
  supervisor = startSupervisor({ world, stateRoot, log: () => {} })
})
afterEach(async () => {
  await supervisor.stop()
  await rm(stateRoot, { recursive: true, force: true })
})

const other = { ...demo, name: 'other', local: '/home/me/other', remote: '/srv/other' }
const soon = (check: () => unknown) => vi.waitFor(check, { interval: 2, timeout: 5000 })
const names = () => supervisor.status.map(({ name }) => name)

test('specs come and go while others run on', async () => {
  supervisor.update([demo])
  await soon(() => expect(world.running).toHaveLength(1))
  const [first] = world.running
  supervisor.update([demo, other])
  expect(names()).toEqual(['demo', 'other'])
  await soon(() => expect(world.running).toHaveLength(2))
  supervisor.update([other])
  expect(names()).toEqual(['other'])
  await soon(() => expect(first?.running).toBe(false))
  expect(world.running).toHaveLength(1)
  expect(world.clustersOpen).toBe(1)
})

test('a spec that changed is begun anew, after the old one ended', async () => {
  supervisor.update([demo])
  await soon(() => expect(world.running).toHaveLength(1))
  supervisor.update([{ ...demo, mode: 'to-remote-safe' }])
  await soon(() => expect(world.sessions).toHaveLength(2))
  expect(world.running.map(({ parts }) => parts.binding.mode)).toEqual(['to-remote-safe'])
})

test('what a deleted spec agreed on is forgotten, but not when it only has another name', async () => {
  supervisor.update([demo])
  await soon(() => expect(world.running).toHaveLength(1))
  const [kept] = await readdir(stateRoot)
  supervisor.update([demo, other])
  await soon(() => expect(world.running).toHaveLength(2))
  supervisor.update([{ ...demo, name: 'renamed' }])
  await soon(async () => expect(await readdir(stateRoot)).toEqual([kept]))
  await soon(() => expect(world.running).toHaveLength(1))
})

test('what specs agreed on outlives the end of the supervisor', async () => {
  supervisor.update([demo])
  await soon(() => expect(world.running).toHaveLength(1))
  await supervisor.stop()
  expect(await readdir(stateRoot)).toHaveLength(1)
  supervisor.update([demo])
  expect(world.running).toEqual([])
})

test('halted sessions go on by the name of their spec', async () => {
  supervisor.update([demo])
  await soon(() => expect(world.running).toHaveLength(1))
  world.running[0]?.says(phase('halted', { halt: 'emptied' }))
  expect(supervisor.resume('demo')).toBe(1)
  expect(supervisor.resume('unknown')).toBeUndefined()
})
