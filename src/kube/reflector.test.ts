import { afterEach, describe, expect, test, vi } from 'vitest'
import { reflect } from './reflector.ts'
import { Collection } from './testing/collection.ts'
import { describeEvent, Follower, following, path, until } from './testing/follower.ts'
import { answerStatus, startServer, type TestServer } from './testing/server.ts'

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

  test('whoever ends it when told that it is back is not kept waiting', async () => {
    const { server, follower, abort, ended } = await following(['a'])
    await server.stop()
    const back = follower.until(() => {
      const isBack = follower.told.slice(2).join() === 'disconnected,connected'
      if (isBack) abort.abort()
      return isBack
    })
    await follower.until(() => follower.told.includes('disconnected'))
    await server.start()
    await back
    await ended
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
    await until(() => watchesIn(server).length > 3)
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
