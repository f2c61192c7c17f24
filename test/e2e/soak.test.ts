import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { agentProcesses, residentMemory } from './support/memory.ts'
import { testWith } from './support/place.ts'
import { random } from './support/trees.ts'
import { until } from './support/until.ts'
import { Worker } from './support/work.ts'
import { type World, withWorld } from './support/world.ts'

/** How often each is done; KUBESYNC_RUNS asks for more than a quick run of all tests has time for. */
const asked = process.env.KUBESYNC_RUNS
const runs = Number(asked ?? 3)

interface Scene {
  readonly world: World
  readonly workers: readonly [here: Worker, there: Worker]
  /** Waits until both sides hold exactly what the workers left. */
  settled(during?: () => Promise<unknown>): Promise<void>
}

/** Two who work at the two ends of one sync, each on files of their own: nothing may be missing, and nothing too much. */
async function scene(world: World, skewMs = 0): Promise<Scene> {
  const { lab, folder } = world
  await lab.deploy('plain')
  await lab.sh('plain', 'mkdir folder')
  // By way of the machine, as somebody does who is in the container.
  const container = join((await lab.sh('plain', 'pwd')).trim(), 'folder')
  const here = new Worker(folder, { name: 'here', seed: 1, skewMs })
  const there = new Worker(container, { name: 'there', seed: 2 })
  const sides = [folder, container]
  const settled = async (during: () => Promise<unknown> = async () => {}) => {
    const expected = new Map([...here.files, ...there.files])
    const wrong = () => sides.flatMap((side) => differences(contentOf(side), expected))
    await until('both sides hold what was left there', () => during().then(wrong), {
      holds: (all) => all.length === 0,
      limit: 60_000,
      every: 100,
    })
  }
  await world.sync('plain')
  return { world, workers: [here, there], settled }
}

function contentOf(root: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const path of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    if (statSync(join(root, path)).isFile()) found.set(path, readFileSync(join(root, path), 'utf8'))
  }
  return found
}

function differences(side: ReadonlyMap<string, string>, expected: ReadonlyMap<string, string>): string[] {
  const lacking = [...expected].filter(([path, text]) => side.get(path) !== text)
  const surplus = [...side.keys()].filter((path) => !expected.has(path))
  return [...lacking.map(([path]) => `-${path}`), ...surplus.map((path) => `+${path}`)]
}

describe.concurrent(`${runs} times over`, () => {
  testWith('faults')('a stream cut after any number of bytes loses nothing, and nothing comes back', () =>
    withWorld({}, async (world) => {
      const { workers, settled } = await scene(world)
      const next = random(3)
      for (let run = 0; run < runs; run++) {
        for (const worker of workers) worker.work(40)
        let bytes = Math.floor(next() * 100_000)
        await world.fault({ fault: 'cut-after', use: 'exec', bytes })
        await world.fault({ fault: 'cut', use: 'exec' })
        // Some cuts leave too little for anything to arrive: the next one comes later.
        await settled(async () => {
          bytes = Math.floor(bytes * 1.3) + 100
          await world.fault({ fault: 'cut-after', use: 'exec', bytes })
        })
      }
    }),
  )

  for (const skewMs of [3_600_000, -3_600_000]) {
    testWith('faults')(
      `edits while the clock here is an hour ${skewMs > 0 ? 'ahead' : 'behind'} arrive as any others`,
      () =>
        withWorld({ skewMs }, async (world) => {
          const { workers, settled } = await scene(world, skewMs)
          for (let run = 0; run < runs; run++) {
            for (const worker of workers) worker.work(20)
            await settled()
          }
          const [session] = await world.laptop.inSync('it', 1)
          expect(session?.session?.conflicts).toEqual([])
        }),
    )
  }

  // A few rounds tell nothing, and what else runs on this machine counts as well.
  const testLong = asked === undefined ? test.skip : testWith('faults')
  testLong('a day of work leaves the memory of both ends where it was', () =>
    withWorld({}, async (world) => {
      const { workers, settled } = await scene(world)
      const memory = () => Math.max(...[world.watch, ...agentProcesses()].map(residentMemory))
      const seen: number[] = []
      for (let run = 0; run < runs; run++) {
        for (const worker of workers) worker.work(100)
        await settled()
        seen.push(memory())
      }
      const half = Math.floor(runs / 2)
      const [early, late] = [seen.slice(0, half), seen.slice(half)].map((part) => Math.max(0, ...part))
      console.log(`resident, MiB: ${seen.map(Math.round).join(' ')}`)
      expect(late ?? 0).toBeLessThan((early ?? 0) + 40)
    }),
  )
})
