import { expect, test } from 'vitest'
import { Rhythm } from './rhythm.ts'

/** The waits of changes that each come so many milliseconds after the look at the one before. */
function waits(rhythm: Rhythm, pause: number, changes: number): number[] {
  let now = 0
  return Array.from({ length: changes }, () => {
    now += pause
    const wait = rhythm.wait(now)
    now += wait
    rhythm.looked(now)
    return wait
  })
}

test('edits that come every so often are all seen at once', () => {
  expect(new Set(waits(new Rhythm(), 40, 200))).toEqual(new Set([1]))
})

test('while changes never stop, looks become rare, but not rarer than ten a second', () => {
  const [first, ...rest] = waits(new Rhythm(), 0, 20)
  expect(first).toBe(1)
  expect(rest.at(-1)).toBe(100)
  expect(rest.toSorted((a, b) => a - b)).toEqual(rest)
})

test('edits after a burst are seen at once, however soon they follow each other', () => {
  const rhythm = new Rhythm()
  waits(rhythm, 0, 20)
  expect(new Set(waits(rhythm, 2040, 1))).toEqual(new Set([1]))
  expect(waits(rhythm, 40, 5).slice(1)).toEqual([1, 1, 1, 1])
})
