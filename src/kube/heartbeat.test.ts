import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Heartbeat, startHeartbeat } from './heartbeat.ts'

const INTERVAL_MS = 1000

let now = 0
let heartbeat: Heartbeat
let pings = 0
let deaf = false
let silence: number | undefined

/** The clock and the timers go on together, as long as this process does nothing else. */
function pass(seconds: number): void {
  for (let second = 0; second < seconds; second++) {
    now += INTERVAL_MS
    vi.advanceTimersByTime(INTERVAL_MS)
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setImmediate'] })
  vi.spyOn(performance, 'now').mockImplementation(() => now)
  now = 0
  pings = 0
  deaf = false
  silence = undefined
  heartbeat = startHeartbeat({
    ping: () => (pings += 1),
    deaf: () => deaf,
    onSilence: (ms) => (silence = ms),
    intervalMs: INTERVAL_MS,
    limitMs: 4 * INTERVAL_MS,
  })
})

afterEach(() => {
  heartbeat.stop()
  vi.useRealTimers()
  vi.restoreAllMocks()
})

test('asks at every interval', () => {
  pass(3)
  expect(pings).toBe(3)
})

test('tells once of silence that reached the limit, and stops', () => {
  pass(3)
  expect(silence).toBeUndefined()
  pass(2)
  expect(silence).toBe(4 * INTERVAL_MS)
  expect(vi.getTimerCount()).toBe(0)
})

test('any sign of life starts the count again', () => {
  pass(3)
  heartbeat.alive()
  pass(3)
  expect(silence).toBeUndefined()
  pass(2)
  expect(silence).toBeDefined()
})

test('time in which this process did not run says nothing of the peer', () => {
  pass(3)
  now += 3600 * 1000
  vi.advanceTimersByTime(INTERVAL_MS)
  pass(3)
  expect(silence).toBeUndefined()
  pass(2)
  expect(silence).toBeDefined()
})

test('time in which we did not listen says nothing of the peer', () => {
  deaf = true
  pass(100)
  deaf = false
  pass(3)
  expect(silence).toBeUndefined()
})

test('what waited to be read when the limit was reached is heard first', () => {
  pass(3)
  now += INTERVAL_MS
  vi.advanceTimersToNextTimer()
  heartbeat.alive()
  vi.advanceTimersByTime(0)
  expect(silence).toBeUndefined()
  pass(1)
  expect(pings).toBe(4)
})

test('is quiet once it is stopped', () => {
  pass(4)
  heartbeat.stop()
  pass(10)
  expect(vi.getTimerCount()).toBe(0)
})
