import { describe, expect, test } from 'vitest'
import { parseConfig } from './document.ts'
import { isTrashOn } from './trash.ts'

const DAY = 86_400_000
const limits = (text: string) => parseConfig(text, 'config').config.trash

describe('the trash', () => {
  test.each([
    ['', 14 * DAY, 2 ** 30],
    ['trash:', 14 * DAY, 2 ** 30],
    ['trash: {maxAge: 36h}', 1.5 * DAY, 2 ** 30],
    ['trash: {maxAge: 2w, maxSize: 1.5 GiB}', 14 * DAY, 1.5 * 2 ** 30],
    ['trash: {maxSize: 500MiB}', 14 * DAY, 500 * 2 ** 20],
  ])('of %j', (text, maxAge, maxSize) => {
    expect(limits(text)).toEqual({ maxAge, maxSize })
    expect(isTrashOn(limits(text))).toBe(true)
  })

  test.each(['trash: {maxAge: 0}', 'trash: {maxSize: 0}', "trash: {maxSize: '0'}"])(
    'of %j is off',
    (text) => {
      expect(isTrashOn(limits(text))).toBe(false)
    },
  )

  test.each([
    ['maxAge: 14', 'trash.maxAge: must be something like 14d'],
    ['maxAge: -1d', 'trash.maxAge: must be something like 14d'],
    ['maxAge: forever', 'trash.maxAge: must be something like 14d'],
    ['maxSize: 1GB', 'trash.maxSize: must be something like 1GiB'],
    ['maxFiles: 1', 'unknown key maxFiles'],
  ])('of {%s} is refused', (text, message) => {
    expect(() => limits(`trash: {${text}}`)).toThrow(message)
  })
})
