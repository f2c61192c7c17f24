import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fetchContent, listConflicts, resolveConflict } from './settle.ts'
import type { SpecRunner } from './spec-runner.ts'
import { runningPod } from './testing/fake-world.ts'
import { Stage } from './testing/stage.ts'

const conflict = { path: 'f', message: 'both changed it' }

let stage: Stage
let runner: SpecRunner
beforeEach(async () => {
  stage = await Stage.set()
  stage.world.pods(runningPod('a'), runningPod('b'))
  runner = stage.start()
  await stage.goes('a* b')
})
afterEach(() => stage.strike())

describe('the conflicts of a spec', () => {
  test('are those of all its containers', async () => {
    stage.session('b').details = [conflict]
    expect(await listConflicts(runner.sessions)).toEqual([{ pod: 'b', container: 'app', ...conflict }])
  })

  test('at a path are settled for local in all of them', async () => {
    for (const pod of ['a', 'b']) stage.session(pod).details = [conflict]
    expect(await resolveConflict(runner.sessions, { path: 'f' }, 'local')).toBe(2)
    expect([stage.session('a').kept, stage.session('b').kept]).toEqual([['f local'], ['f local']])
  })

  test('of which one remote version is to stay have to be told apart', async () => {
    for (const pod of ['a', 'b']) stage.session(pod).details = [conflict]
    await expect(resolveConflict(runner.sessions, { path: 'f' }, 'remote')).rejects.toMatchObject({
      code: 'WHICH_POD',
      message: expect.stringContaining('a, b'),
    })
    expect(await resolveConflict(runner.sessions, { path: 'f', pod: 'b' }, 'remote')).toBe(1)
    expect([stage.session('a').kept, stage.session('b').kept]).toEqual([[], ['f remote']])
  })

  test('elsewhere are none', async () => {
    await expect(resolveConflict(runner.sessions, { path: 'g' }, 'local')).rejects.toMatchObject({
      code: 'NO_SUCH_CONFLICT',
    })
  })
})

test('content comes from the leader, or from the pod that is named', async () => {
  expect((await fetchContent(runner.sessions, { path: 'f' })).toString()).toBe('f of a')
  expect((await fetchContent(runner.sessions, { path: 'f', pod: 'b' })).toString()).toBe('f of b')
  await expect(fetchContent(runner.sessions, { path: 'f', pod: 'c' })).rejects.toMatchObject({
    code: 'NO_CONTAINER',
  })
})
