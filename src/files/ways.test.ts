import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Direction } from '../merge/decide.ts'
import { type Exclusions, Ways } from './ways.ts'

const none: Exclusions = { upload: [], download: [] }
const anyDirection = fc.constantFrom<Direction>('two-way', 'to-remote', 'to-local')

describe('the way of a path', () => {
  test.each<[Direction, Partial<Exclusions>, string]>([
    ['two-way', {}, 'two-way'],
    ['two-way', { upload: ['a'] }, 'to-local'],
    ['two-way', { download: ['a'] }, 'to-remote'],
    ['two-way', { upload: ['a'], download: ['a'] }, 'none'],
    ['to-remote', { upload: ['a'] }, 'none'],
    ['to-remote', { download: ['a'] }, 'to-remote'],
    ['to-local', { download: ['a'] }, 'none'],
    ['two-way', { upload: ['*', '!a'] }, 'two-way'],
    ['two-way', { upload: ['a/'] }, 'two-way'],
    ['two-way', { upload: ['/b/a'] }, 'two-way'],
  ])('%s with %j is %s', (direction, exclusions, way) => {
    const ways = new Ways(direction, { ...none, ...exclusions })
    expect(ways.below(ways.first, 'a', false)).toBe(way)
  })

  test('is never wider than that of its directory', () => {
    const anyPatterns = fc.array(fc.constantFrom('a', '!a', '*', 'a/b', 'b/', '!*'), { maxLength: 3 })
    const allowed = { 'two-way': 3, 'to-remote': 1, 'to-local': 2, none: 0 } as const
    fc.assert(
      fc.property(
        anyDirection,
        anyPatterns,
        anyPatterns,
        fc.boolean(),
        (direction, upload, download, isDirectory) => {
          const ways = new Ways(direction, { upload, download })
          const above = ways.below(ways.first, 'a', true)
          const below = ways.below(above, 'a/b', isDirectory)
          expect(allowed[below] & ~allowed[above]).toBe(0)
        },
      ),
    )
  })
})
