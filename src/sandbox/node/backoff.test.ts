import { expect, test } from 'vitest'
import { type BackOff, delayAfter, inWords, nextBackOff } from './backoff.ts'

/** The waits of a container that runs so long, again and again, in seconds. */
function waits(ranMs: number, times: number): number[] {
  let now = 0
  let backOff: BackOff | undefined
  return Array.from({ length: times }, () => {
    now += ranMs
    const finishedAt = now
    const wait = delayAfter(backOff, finishedAt)
    now += wait
    backOff = nextBackOff(backOff, finishedAt, now)
    return wait / 1000
  })
}

test('a container that ends again and again waits longer and longer', () => {
  expect(waits(1000, 8)).toEqual([0, 10, 20, 40, 80, 160, 300, 300])
})

test('one that ran for more than ten minutes does not wait', () => {
  expect(waits(601_000, 3)).toEqual([0, 0, 0])
  expect(waits(599_000, 3)).toEqual([0, 10, 20])
})

test.each([
  [10_000, 'back-off 10s'],
  [80_000, 'back-off 1m20s'],
  [300_000, 'back-off 5m0s'],
])('%i ms is said as %s', (ms, expected) => {
  expect(inWords(ms)).toBe(expected)
})
