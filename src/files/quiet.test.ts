import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { AfterBursts } from './quiet.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

function counted() {
  const tidy = vi.fn()
  return { tidy, bursts: new AfterBursts(tidy) }
}

test('tidies once a burst is over', () => {
  const { tidy, bursts } = counted()
  for (let second = 0; second < 10; second++) {
    bursts.note(200)
    vi.advanceTimersByTime(1000)
  }
  expect(tidy).not.toHaveBeenCalled()
  vi.advanceTimersByTime(3000)
  expect(tidy).toHaveBeenCalledOnce()
})

test('leaves things alone after a few changes', () => {
  const { tidy, bursts } = counted()
  bursts.note(10)
  vi.advanceTimersByTime(60_000)
  expect(tidy).not.toHaveBeenCalled()
})

test('frees what nothing uses any more, and the process goes on', async () => {
  const { bursts } = counted()
  const leftOver = new WeakRef(Array.from({ length: 1000 }, String))
  bursts.note(1000)
  vi.advanceTimersByTime(4000)
  for (let i = 0; i < 10_000 && leftOver.deref() !== undefined; i++) await turn()
  expect(leftOver.deref()).toBeUndefined()
})
