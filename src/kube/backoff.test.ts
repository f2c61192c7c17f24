import { expect, test } from 'vitest'
import { backoff } from './backoff.ts'

test('the first attempt is at once, the others wait ever longer, up to ten seconds', () => {
  const { next } = backoff(() => 0)
  expect(Array.from({ length: 9 }, next)).toEqual([0, 250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000])
})

test('chance takes off up to a half', () => {
  const { next } = backoff(() => 1)
  expect(Array.from({ length: 4 }, next)).toEqual([0, 125, 250, 500])
})

test('a success starts it again', () => {
  const { next, reset } = backoff(() => 0)
  next()
  next()
  reset()
  expect([next(), next()]).toEqual([0, 250])
})
