import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { testWith } from './support/place.ts'
import { type Listing, listLocal, makeTree } from './support/trees.ts'
import { until } from './support/until.ts'
import { type World, withWorld } from './support/world.ts'

const pod = 'plain'

/** Fills both sides with what the other one does not have; all of it. */
async function fill({ lab, folder }: World, files: number): Promise<Listing> {
  makeTree(folder, { files, bytes: files * 40_000, seed: 3 })
  await lab.deploy(pod)
  const write = `for i in $(seq ${files}); do head -c 40000 /dev/urandom >theirs-$i; done`
  const sums = await lab.sh(pod, `mkdir folder && cd folder && ${write} && sha256sum theirs-*`)
  const theirs = sums.split('\n').filter(Boolean)
  return [...listLocal(folder), ...theirs.map((line) => `file ${line.replace('  ', ' ')}`)].sort()
}

// Each of them breaks a sandbox of its own, and most of the time they wait.
describe.concurrent('a network that fails', () => {
  testWith('faults')(
    'silent: `get` says so and never `in sync`; edits made meanwhile on both sides arrive',
    () =>
      withWorld({}, async (world) => {
        const { lab, folder } = world
        const all = await fill(world, 5)
        await world.sync(pod)
        expect(await world.equal(pod, 1)).toEqual(all)
        // By way of the machine, as nothing reaches the container otherwise.
        const container = (await lab.sh(pod, 'pwd')).trim()
        // The agent's streams are given up after 40 to 50 seconds of silence.
        await world.fault({ fault: 'drop', ms: 55_000 })
        writeFileSync(join(folder, 'here'), 'here')
        writeFileSync(join(container, 'folder/there'), 'there')
        const said = await world.saidUntil((session) => session?.message !== undefined)
        expect(said.at(-1)).toMatch(/nothing came for/)
        expect(said.slice(1).join('\n')).not.toContain('in-sync')
        expect(await world.equal(pod, 1)).toHaveLength(all.length + 2)
      }),
  )

  testWith('faults')('slow: all arrives on both sides, and `get` calls it neither cut nor disconnected', () =>
    withWorld({}, async (world) => {
      const all = await fill(world, 40)
      await world.fault({ fault: 'latency', ms: 100 })
      await world.sync(pod)
      const said = await world.saidUntil((session) => session?.session?.phase === 'in-sync')
      expect(said.join('\n')).not.toMatch(/disconnected|cut/)
      expect(await world.equal(pod, 1)).toEqual(all)
    }),
  )

  testWith('faults')('of streams that break before they carried all: `get` says so, and all arrives', () =>
    withWorld({}, async (world) => {
      const all = await fill(world, 100)
      await world.fault({ fault: 'cut-after', use: 'exec', bytes: 1_500_000 })
      await world.sync(pod)
      const said = await world.saidUntil((session) => session?.session?.phase === 'in-sync')
      expect(said.join('\n')).toMatch(/stream was cut/)
      expect(await world.equal(pod, 1)).toEqual(all)
    }),
  )

  testWith('faults')('cut whenever something has arrived: what has arrived stays, and all arrives', () =>
    withWorld({}, async (world) => {
      const { lab, folder } = world
      const all = await fill(world, 100)
      const sides = [folder, join((await lab.sh(pod, 'pwd')).trim(), 'folder')]
      const arrived = () =>
        sides.flatMap((side) => readdirSync(side, { recursive: true, encoding: 'utf8' })).length
      await world.fault({ fault: 'latency', ms: 50 })
      await world.sync(pod)
      let before = arrived()
      for (let cuts = 0; cuts < 5; cuts++) {
        before = await until('more has arrived', arrived, { holds: (now) => now > before, every: 5 })
        expect(before).toBeLessThan(2 * all.length)
        await world.fault({ fault: 'cut', use: 'exec' })
      }
      expect(await world.equal(pod, 1)).toEqual(all)
    }),
  )

  testWith('faults')('with watches that expire: pods that come and go afterwards are noticed', () =>
    withWorld({}, async (world) => {
      const { lab, folder } = world
      writeFileSync(join(folder, 'file'), '1')
      await lab.deploy('demo')
      await world.sync('demo')
      await world.equal('demo', 3)
      await world.fault({ fault: 'expire' })
      await lab.replacePod('demo')
      writeFileSync(join(folder, 'file'), '2')
      expect(await world.equal('demo', 3)).toHaveLength(1)
    }),
  )
})

describe.concurrent('a node', () => {
  testWith('faults')(
    'that a pod leaves for another one: it is seeded there, and the laptop loses nothing',
    () =>
      withWorld({ nodes: 2 }, async (world) => {
        const { lab, laptop, folder } = world
        makeTree(folder, { files: 200, bytes: 2_000_000, seed: 5 })
        const before = listLocal(folder)
        await lab.deploy('demo')
        await world.sync('demo')
        await world.equal('demo', 3)
        const [name = ''] = await lab.pods('demo')
        const moved = await world.fault({ fault: 'move-pod', namespace: lab.namespace, name })
        await lab.ready('demo')
        expect(await world.equal('demo', 3)).toEqual(before)
        const names = (await laptop.sessions('it')).map((session) => session.pod)
        expect(names).toContain(moved)
        expect(names).not.toContain(name)
      }),
  )

  testWith('faults', 'mounts')(
    'without room: `get` names what does not fit, and it arrives once it does',
    () =>
      withWorld({ megabytes: 64 }, async (world) => {
        const { lab, laptop, folder } = world
        writeFileSync(join(folder, 'small'), 'fits')
        await lab.deploy(pod)
        await world.sync(pod)
        await world.equal(pod, 1)
        const inContainer = join((await lab.sh(pod, 'pwd')).trim(), 'folder')
        await world.fault({ fault: 'fill-disk' })
        // At once: a file that is empty for a moment would fit.
        for (const name of ['large', 'small']) {
          writeFileSync(join(laptop.home, name), 'does not fit '.repeat(10_000))
          renameSync(join(laptop.home, name), join(folder, name))
        }
        const said = await world.saidUntil((session) => (session?.session?.problems.length ?? 0) > 0)
        expect(said.at(-1)).toMatch(/"(large|small)"/)
        // It is said of the file that was tried, or of the volume that others wait for.
        await until('get names it', () => laptop.did('get'), {
          holds: (text) => /(large|small).*no space is left/.test(text),
        })
        expect(readdirSync(inContainer)).toEqual(['small'])
        expect(readFileSync(join(inContainer, 'small'), 'utf8')).toBe('fits')
        await world.fault({ fault: 'free-disk' })
        expect(await world.equal(pod, 1)).toHaveLength(2)
      }),
  )
})
