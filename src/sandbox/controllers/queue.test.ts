import { afterEach, expect, it, vi } from 'vitest'
import { ApiFailure } from '../failure.ts'
import { type Queue, startQueue } from './queue.ts'

let queue: Queue

afterEach(() => {
  queue.close()
  vi.useRealTimers()
})

it('works once on a key that was added many times', () => {
  vi.useFakeTimers()
  const work = vi.fn()
  queue = startQueue(work)
  for (const key of ['a', 'b', 'a', 'a']) queue.add(key)
  vi.runAllTimers()
  expect(work.mock.calls).toEqual([['a'], ['b']])
})

it('works again on a key that was added by its own work', () => {
  vi.useFakeTimers()
  let times = 0
  queue = startQueue((key) => {
    times += 1
    if (times < 3) queue.add(key)
  })
  queue.add('a')
  vi.runAllTimers()
  expect(times).toBe(3)
})

it('tries again what the API refused, later each time, and others meanwhile', () => {
  vi.useFakeTimers()
  const at: number[] = []
  const others = vi.fn()
  const began = Date.now()
  queue = startQueue((key) => {
    if (key === 'other') return others()
    // A turn of the event loop takes a millisecond of fake time.
    at.push(Math.floor((Date.now() - began) / 100) * 100)
    if (at.length < 4) throw new ApiFailure(403, 'Forbidden', 'no')
  })
  queue.add('refused')
  queue.add('other')
  vi.runAllTimers()
  expect(at).toEqual([0, 100, 300, 700])
  expect(others).toHaveBeenCalledOnce()
})

it('does nothing any more once it is closed', () => {
  vi.useFakeTimers()
  const work = vi.fn()
  queue = startQueue(work)
  queue.add('a')
  queue.addAfter('b', 10)
  queue.close()
  vi.runAllTimers()
  expect(work).not.toHaveBeenCalled()
})
