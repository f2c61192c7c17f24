import { expect, test } from 'vitest'
import { ageOf, humanDuration } from './duration.ts'

const [second, minute, hour, day] = [1000, 60_000, 3_600_000, 86_400_000]

test.each([
  [-5 * second, '<invalid>'],
  [-1 * second, '0s'],
  [119 * second, '119s'],
  [2 * minute, '2m'],
  [2 * minute + 3 * second, '2m3s'],
  [10 * minute + 3 * second, '10m'],
  [3 * hour + 5 * minute, '3h5m'],
  [8 * hour + 5 * minute, '8h'],
  [2 * day + 3 * hour, '2d3h'],
  [8 * day + 3 * hour, '8d'],
  [3 * 365 * day + 4 * day, '3y4d'],
  [9 * 365 * day, '9y'],
])('%i milliseconds are %s', (milliseconds, text) => {
  expect(humanDuration(milliseconds)).toBe(text)
})

test('what has no time has no age', () => {
  expect(ageOf(undefined, new Date())).toBe('<unknown>')
  expect(ageOf('2026-01-01T00:00:00Z', new Date('2026-01-01T00:01:00Z'))).toBe('60s')
})
