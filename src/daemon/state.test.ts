import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FakeWorld, phase, runningPod } from './testing/fake-world.ts'
import { Stage, until } from './testing/stage.ts'

let stage: Stage
let world: FakeWorld
beforeEach(async () => {
  stage = await Stage.set()
  world = stage.world
})
afterEach(() => stage.strike())

describe('what is remembered', () => {
  const remembered = async (...path: string[]) => {
    const [folder = ''] = await readdir(stage.stateRoot)
    return (await readdir(join(stage.stateRoot, folder, ...path))).sort()
  }

  async function inSync(pod: string): Promise<void> {
    await until(() => world.running.some((one) => one.pod === pod))
    const { parts } = stage.session(pod)
    await writeFile(parts.base.path, 'base')
    stage.session(pod).says(phase('in-sync'))
  }

  test('containers that were there at first are no successors, later ones are', async () => {
    stage.start()
    world.pods(runningPod('a'), runningPod('b'))
    await inSync('a')
    expect(stage.session('a').parts.successor).toBe(false)
    await until(async () => (await remembered()).includes('in-sync'))
    world.pods(runningPod('a', { id: 'containerd://again' }), runningPod('b'), runningPod('c'))
    await stage.goes('a* b c')
    expect(world.running.map(({ pod, parts }) => [pod, parts.successor]).sort()).toEqual([
      ['a', true],
      ['b', false],
      ['c', true],
    ])
  })

  test('who led leads again after a restart of the watch, though another is older', async () => {
    const first = stage.start()
    world.pods(runningPod('b'))
    await stage.goes('b*')
    await until(async () => (await remembered()).includes('leader'))
    await first.stop()
    stage.start()
    world.pods(runningPod('a'), runningPod('b'))
    await stage.goes('a b*')
  })

  test('the base of a pod that is gone is kept until another is in sync', async () => {
    stage.start()
    world.pods(runningPod('a'))
    await inSync('a')
    world.pods(runningPod('b'))
    await stage.goes('b*')
    expect(await remembered('bases')).toEqual(['uid-a.app'])
    await inSync('b')
    await until(async () => !(await remembered('bases')).includes('uid-a.app'))
    expect(await remembered('bases')).toEqual(['uid-b.app'])
  })
})
