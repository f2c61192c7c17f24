import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startPulse } from './pulse.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('an agent that answers is asked again, for ever', async () => {
  const silent = vi.fn()
  const ask = vi.fn(async () => {})
  startPulse(ask, silent)
  await vi.advanceTimersByTimeAsync(600_000)
  expect(ask).toHaveBeenCalledTimes(40)
  expect(silent).not.toHaveBeenCalled()
})

test('one that does not answer is told of, once, within a minute', async () => {
  const silent = vi.fn()
  startPulse(() => new Promise(() => {}), silent)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(silent).toHaveBeenCalledTimes(1)
  await vi.advanceTimersByTimeAsync(600_000)
  expect(silent).toHaveBeenCalledTimes(1)
})

test('once stopped it asks and tells nothing', async () => {
  const silent = vi.fn()
  const ask = vi.fn(() => new Promise(() => {}))
  const stop = startPulse(ask, silent)
  await vi.advanceTimersByTimeAsync(20_000)
  stop()
  await vi.advanceTimersByTimeAsync(600_000)
  expect(ask).toHaveBeenCalledTimes(1)
  expect(silent).not.toHaveBeenCalled()
})
