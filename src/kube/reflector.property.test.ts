import fc from 'fast-check'
import { expect, test } from 'vitest'
import { following, type Scene, versionOf } from './testing/follower.ts'

type Step = readonly [name: keyof typeof steps, thing: string]

const steps = {
  put: ({ things }: Scene, name: string) => things.put(name),
  remove: ({ things }: Scene, name: string) => things.remove(name),
  replace: ({ things }: Scene, name: string) => {
    things.remove(name)
    things.put(name)
  },
  pass: ({ things }: Scene) => things.pass(),
  bookmark: ({ things }: Scene) => things.bookmark(),
  compact: ({ things }: Scene) => things.compact(),
  end: ({ things }: Scene) => things.endWatches(),
  break: ({ things }: Scene) => things.breakWatches(),
  cut: ({ server }: Scene) => server.cut(),
  restart: async ({ server }: Scene) => {
    await server.stop()
    await server.start()
  },
  goneByEvent: ({ things }: Scene) => {
    things.goneBy = 'event'
  },
  wait: () => new Promise<void>((resolve) => setTimeout(resolve, 5)),
}

const step: fc.Arbitrary<Step> = fc.tuple(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.constantFrom('put' as const, 'remove' as const, 'replace' as const, 'wait' as const),
    },
    { weight: 1, arbitrary: fc.constantFrom(...(Object.keys(steps) as (keyof typeof steps)[])) },
  ),
  fc.constantFrom('a', 'b', 'c', 'd'),
)

test('whatever happens: what was told adds up to what is there, and all of it was once so', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (list) => {
      const scene = await following(['a', 'b'])
      const { things, follower, abort, ended } = scene
      for (const [name, thing] of list) await steps[name](scene, thing)
      things.put('last')
      await follower.until(() => follower.objects.has('last'))
      expect([...follower.objects.values()].map(versionOf).sort()).toEqual(
        things.objects.map(versionOf).sort(),
      )
      const versions = new Set(things.history.map(({ object }) => versionOf(object)))
      for (const event of follower.events) {
        if (event.type === 'synced' || event.type === 'state') continue
        expect(versions).toContain(versionOf(event.object))
      }
      abort.abort()
      await ended
    }),
    { numRuns: 40 },
  )
}, 60_000)
