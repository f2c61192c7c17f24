import { expect, test } from 'vitest'
import { Rhythm } from './rhythm.ts'

/** The waits of changes that come `every` so many milliseconds, each looked at after its wait. */
function waits(every: number, changes: number): number[] {
  const rhythm = new Rhythm()
  let now = 0
  return Array.from({ length: changes }, () => {
    const wait = rhythm.wait(now)
    rhythm.looked(now + wait)
    now += Math.max(every, wait)
    return wait
  })
}

test('edits that come every so often are all seen at once', () => {
  expect(new Set(waits(40, 200))).toEqual(new Set([1]))
})

test('while changes never stop, looks become rare, but not rarer than ten a second', () => {
  const [first, ...rest] = waits(0, 20)
  expect(first).toBe(1)
  expect(rest.at(-1)).toBe(100)
  expect(rest.toSorted((a, b) => a - b)).toEqual(rest)
})

test('after a burst, the next change is seen at once', () => {
  const rhythm = new Rhythm()
  for (let look = 0; look < 10; look++) rhythm.looked(look)
  expect(rhythm.wait(10)).toBeGreaterThan(50)
  expect(rhythm.wait(500)).toBe(1)
})
