import { describe, expect, test } from 'vitest'
import { formatTime, parseTime } from './time.ts'

const now = new Date(2024, 4, 31, 17, 30, 0).getTime()

describe('a time', () => {
  test.each([
    ['10m', now - 600_000],
    ['1h30m', now - 5_400_000],
    ['3d', now - 3 * 86_400_000],
    ['1d12h', now - 1.5 * 86_400_000],
    ['09:15', new Date(2024, 4, 31, 9, 15).getTime()],
    ['9:15:20', new Date(2024, 4, 31, 9, 15, 20).getTime()],
    ['2024-02-29', new Date(2024, 1, 29).getTime()],
    ['2024-02-29 23:59', new Date(2024, 1, 29, 23, 59).getTime()],
    ['2024-02-29T23:59:01', new Date(2024, 1, 29, 23, 59, 1).getTime()],
    ['2024-02-29T23:59:01.250Z', Date.UTC(2024, 1, 29, 23, 59, 1, 250)],
  ])('%s', (text, expected) => {
    expect(parseTime(text, now)).toBe(expected)
  })

  test.each(['', 'd', 'yesterday', '25:00', '12:60', '2024-13-01', '2024', '10', '-1h', '1h1d'])(
    'is not %j',
    (text) => {
      expect(() => parseTime(text, now)).toThrow('is not a time')
    },
  )

  test('is read as it is shown', () => {
    expect(formatTime(now)).toBe('2024-05-31 17:30:00')
    expect(parseTime(formatTime(now))).toBe(now)
  })
})
