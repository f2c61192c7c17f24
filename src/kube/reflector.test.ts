import fc from 'fast-check'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type ReflectEvent, reflect } from './reflector.ts'
import type { KubeObject } from './resource.ts'
import { Collection } from './testing/collection.ts'
import { answerStatus, startServer, type TestServer } from './testing/server.ts'

const path = '/api/v1/things'

/** Somebody who follows a collection and writes down what is told. */
class Follower {
  readonly told: string[] = []
  readonly events: ReflectEvent<KubeObject>[] = []
  /** What the events add up to. */
  readonly objects = new Map<string, KubeObject>()
  readonly #waiting = new Set<() => void>()

  readonly listen = (event: ReflectEvent<KubeObject>): void => {
    this.events.push(event)
    this.told.push(describeEvent(event))
    this.#add(event)
    for (const check of this.#waiting) check()
  }

  /** Resolves as soon as it holds, at the latest after the next event. */
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (!holds()) return
        this.#waiting.delete(check)
        resolve()
      }
      this.#waiting.add(check)
      check()
    })
  }

  /** Insists that each event can follow those before. */
  #add(event: ReflectEvent<KubeObject>): void {
    if (event.type === 'state') return
    if (event.type === 'synced') {
      expect(this.objects.size).toBe(0)
      for (const object of event.items) this.objects.set(nameOf(object), object)
      return
    }
    const { type, object } = event
    const before = this.objects.get(nameOf(object))
    expect(before === undefined).toBe(type === 'added')
    if (type !== 'added') expect(before?.metadata?.uid).toBe(object.metadata?.uid)
    if (type === 'modified') expect(versionOf(object)).toBeGreaterThan(versionOf(before))
    if (type === 'deleted') this.objects.delete(nameOf(object))
    else this.objects.set(nameOf(object), object)
  }
}

function nameOf(object: KubeObject): string {
  return object.metadata?.name ?? ''
}

function versionOf(object: KubeObject | undefined): number {
  return Number(object?.metadata?.resourceVersion)
}

function describeEvent(event: ReflectEvent<KubeObject>): string {
  if (event.type === 'state') return event.state
  if (event.type === 'synced') return `synced ${event.items.map(nameOf).sort().join(' ')}`.trim()
  return `${event.type} ${nameOf(event.object)}`
}

interface Scene {
  server: TestServer
  things: Collection
  follower: Follower
  abort: AbortController
  ended: Promise<void>
}

/** A server with these things, and somebody who follows them and knows them all. */
async function following(names: readonly string[]): Promise<Scene> {
  const server = await startServer()
  const things = new Collection()
  server.handle(things.handle)
  for (const name of names) things.put(name)
  const follower = new Follower()
  const abort = new AbortController()
  const client = await server.client()
  const ended = reflect(client, { path, signal: abort.signal }, follower.listen)
  onTestFinished(async () => {
    abort.abort()
    await ended.catch(() => undefined)
  })
  await until(() => things.watches === 1)
  return { server, things, follower, abort, ended }
}

/** For what the server sees and nobody is told. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}

function watchesIn(server: TestServer): string[] {
  return server.asked.filter((url) => url.includes('watch=true'))
}

function versionAsked(url: string | undefined): string | null {
  return new URL(url?.slice(4) ?? '', 'https://localhost').searchParams.get('resourceVersion')
}

afterEach(() => {
  vi.useRealTimers()
})

describe('in good weather', () => {
  test('all there is comes first, then what becomes of it', async () => {
    const { things, follower } = await following(['a', 'b'])
    things.put('c')
    things.put('a')
    things.remove('b')
    await follower.until(() => follower.told.length === 5)
    expect(follower.told).toEqual(['connected', 'synced a b', 'added c', 'modified a', 'deleted b'])
  })

  test('a large collection comes in pages, and is told at once', async () => {
    const names = Array.from({ length: 1200 }, (_, index) => `thing-${index}`)
    const { server, follower } = await following(names)
    expect(follower.objects.size).toBe(1200)
    expect(server.asked.filter((url) => url.includes('limit=500'))).toHaveLength(3)
  })

  test('the selectors hold for the list and for the watch', async () => {
    const server = await startServer()
    const things = new Collection()
    server.handle(things.handle)
    const abort = new AbortController()
    const options = { path, labelSelector: 'app=a', fieldSelector: 'metadata.name=b', signal: abort.signal }
    const ended = reflect(await server.client(), options, () => undefined)
    await until(() => things.watches === 1)
    abort.abort()
    await ended
    expect(server.asked).toHaveLength(2)
    for (const url of server.asked)
      expect(url).toContain('labelSelector=app%3Da&fieldSelector=metadata.name%3Db')
  })
})

describe('a watch that ends', () => {
  test.each(['endWatches', 'breakWatches'] as const)(
    'is opened again where it ended, and nobody hears of it: %s',
    async (end) => {
      const { server, things, follower } = await following(['a'])
      things.put('b')
      await follower.until(() => follower.told.includes('added b'))
      things[end]()
      await until(() => things.watches === 0)
      things.put('c')
      await follower.until(() => follower.told.includes('added c'))
      expect(follower.told).toEqual(['connected', 'synced a', 'added b', 'added c'])
      expect(versionAsked(watchesIn(server)[1])).toBe('3')
      expect(server.asked).toHaveLength(3)
    },
  )

  test('is opened again after the last bookmark', async () => {
    const { server, things, follower } = await following(['a'])
    things.pass()
    things.pass()
    things.bookmark()
    things.put('b')
    things.remove('b')
    things.pass()
    things.bookmark()
    await follower.until(() => follower.told.includes('deleted b'))
    things.endWatches()
    await until(() => watchesIn(server).length === 2)
    expect(versionAsked(watchesIn(server)[1])).toBe('7')
  })

  test('is opened again when it has been silent for too long', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { server, things, follower } = await following(['a'])
    for (const name of ['b', 'c']) {
      things.put(name)
      await follower.until(() => follower.told.includes(`added ${name}`))
      vi.advanceTimersByTime(74_000)
    }
    expect(watchesIn(server)).toHaveLength(1)
    vi.advanceTimersByTime(2_000)
    await until(() => watchesIn(server).length === 2)
    expect(follower.told).toEqual(['connected', 'synced a', 'added b', 'added c'])
  })
})

describe('a version that the server forgot', () => {
  test.each(['status', 'event'] as const)('by %s: exactly what is different is told', async (goneBy) => {
    const { things, follower } = await following(['a', 'b', 'c'])
    things.goneBy = goneBy
    things.breakWatches()
    await until(() => things.watches === 0)
    things.put('a')
    things.remove('b')
    things.put('d')
    things.put('e')
    things.remove('e')
    things.remove('c')
    things.put('c')
    things.pass()
    things.compact()
    await follower.until(() => follower.told.includes('added c'))
    const [connected, synced, ...changes] = follower.told
    expect([connected, synced]).toEqual(['connected', 'synced a b c'])
    expect(changes.sort()).toEqual(['added c', 'added d', 'deleted b', 'deleted c', 'modified a'])
  })

  test('or never had, as after a restore: the same', async () => {
    const { server, things, follower } = await following(['a', 'b'])
    things.pass()
    things.bookmark()
    const restored = new Collection()
    restored.put('a')
    server.handle(restored.handle)
    things.endWatches()
    await until(() => restored.watches === 1)
    const changes = follower.told.slice(2)
    expect(changes).toEqual(['deleted b'])
  })
})

describe('a server that is away', () => {
  test('is a state, with the reason, and back is one too', async () => {
    const { server, things, follower } = await following(['a'])
    await server.stop()
    await follower.until(() => follower.told.includes('disconnected'))
    things.put('b')
    await server.start()
    await follower.until(() => follower.told.includes('added b'))
    expect(follower.told).toEqual(['connected', 'synced a', 'disconnected', 'connected', 'added b'])
    expect(follower.events[2]).toMatchObject({ error: { code: 'SERVER_UNREACHABLE' } })
  })

  test('from the beginning: what is there is told when it comes', async () => {
    const server = await startServer()
    const things = new Collection()
    server.handle(things.handle)
    const client = await server.client()
    await server.stop()
    const abort = new AbortController()
    const follower = new Follower()
    const ended = reflect(client, { path, signal: abort.signal }, follower.listen)
    await follower.until(() => follower.told.length === 1)
    things.put('a')
    await server.start()
    await follower.until(() => follower.told.includes('synced a'))
    expect(follower.told).toEqual(['disconnected', 'connected', 'synced a'])
    abort.abort()
    await ended
  })

  test('why it is away is told again only when the reason changes', async () => {
    const { server, follower } = await following(['a'])
    server.handle((_request, response) => answerStatus(response, 403, 'Forbidden', 'not yours'))
    server.cut()
    await until(() => watchesIn(server).length > 4)
    server.handle((_request, response) => answerStatus(response, 500, 'InternalError', 'broken'))
    await follower.until(() => follower.told.length === 4)
    expect(follower.told).toEqual(['connected', 'synced a', 'disconnected', 'disconnected'])
    expect(follower.events[2]).toMatchObject({ error: { code: 'FORBIDDEN' } })
    expect(follower.events[3]).toMatchObject({ error: { code: 'INTERNAL_ERROR' } })
  })
})

describe('the end', () => {
  test('comes with the signal, and leaves nothing behind', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
    const { things, abort, ended, follower } = await following(['a'])
    abort.abort()
    await ended
    await until(() => things.watches === 0)
    expect(vi.getTimerCount()).toBe(0)
    expect(follower.told).toEqual(['connected', 'synced a'])
  })

  test('comes at once while the server is away', async () => {
    const { server, abort, ended, follower } = await following(['a'])
    await server.stop()
    await follower.until(() => follower.told.includes('disconnected'))
    abort.abort()
    await ended
  })

  test('comes with the event at which the handler asks for it', async () => {
    const server = await startServer()
    const things = new Collection()
    server.handle(things.handle)
    things.put('a')
    const abort = new AbortController()
    const told: string[] = []
    await reflect(await server.client(), { path, signal: abort.signal }, (event) => {
      told.push(describeEvent(event))
      abort.abort()
    })
    expect(told).toEqual(['connected'])
  })

  test('comes with what the handler throws', async () => {
    const server = await startServer()
    server.handle(new Collection().handle)
    const following = reflect(await server.client(), { path, signal: new AbortController().signal }, () => {
      throw new Error('a defect')
    })
    await expect(following).rejects.toThrow('a defect')
  })
})

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
