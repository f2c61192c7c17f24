import { expect, test, vi } from 'vitest'
import { share } from './shared.ts'

class Thing {
  closed = false
  vanish = () => {}
  readonly gone = new Promise<void>((resolve) => {
    this.vanish = resolve
  })
}

function shareThings(lingerMs = 0) {
  const things: Thing[] = []
  const open = vi.fn(async () => {
    const thing = new Thing()
    things.push(thing)
    return thing
  })
  const close = async (thing: Thing) => {
    thing.closed = true
  }
  return { things, open, shared: share({ open, close, gone: (thing) => thing.gone, lingerMs }) }
}

test('is opened for the first, shared by all, and closed after the last', async () => {
  const { things, shared } = shareThings()
  const leases = await Promise.all([shared.acquire(), shared.acquire()])
  expect(things).toHaveLength(1)
  leases[0]?.release()
  await new Promise((resolve) => setTimeout(resolve, 5))
  expect(things[0]?.closed).toBe(false)
  leases[1]?.release()
  await vi.waitFor(() => expect(things[0]?.closed).toBe(true))
})

test('stays for who comes back in a moment', async () => {
  const { things, shared } = shareThings(60_000)
  ;(await shared.acquire()).release()
  await shared.acquire()
  expect(things).toHaveLength(1)
})

test('one that is gone is opened anew', async () => {
  const { things, shared } = shareThings()
  await shared.acquire()
  things[0]?.vanish()
  await new Promise(setImmediate)
  await shared.acquire()
  expect(things).toHaveLength(2)
})

test('what could not be opened is tried again by the next', async () => {
  const { open, things, shared } = shareThings()
  open.mockRejectedValueOnce(new Error('no'))
  await expect(Promise.all([shared.acquire(), shared.acquire()])).rejects.toThrow('no')
  await new Promise(setImmediate)
  await shared.acquire()
  expect(things).toHaveLength(1)
})

test('closing ends it under its users, also while it opens', async () => {
  const { things, shared } = shareThings()
  const acquiring = shared.acquire()
  await shared.close()
  await acquiring
  expect(things[0]?.closed).toBe(true)
  await shared.close()
})
