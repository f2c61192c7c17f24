import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Mode, modes } from './mode.ts'
import { type Exclusions, Ways, writes } from './ways.ts'

const none: Exclusions = { upload: [], download: [] }
const anyMode = fc.constantFrom(...modes)

describe('the way of a path', () => {
  test.each<[Mode, Partial<Exclusions>, string]>([
    ['two-way-safe', {}, 'two-way-safe'],
    ['two-way-local-wins', { upload: ['b'] }, 'two-way-local-wins'],
    ['two-way-newest-wins', { upload: ['a'] }, 'to-local-safe'],
    ['two-way-safe', { download: ['a'] }, 'to-remote-safe'],
    ['two-way-safe', { upload: ['a'], download: ['a'] }, 'none'],
    ['to-remote-safe', { upload: ['a'] }, 'none'],
    ['to-remote-mirror', { download: ['a'] }, 'to-remote-mirror'],
    ['to-local-mirror', { download: ['a'] }, 'none'],
    ['two-way-safe', { upload: ['*', '!a'] }, 'two-way-safe'],
    ['two-way-safe', { upload: ['a/'] }, 'two-way-safe'],
    ['two-way-safe', { upload: ['/b/a'] }, 'two-way-safe'],
  ])('%s with %j is %s', (mode, exclusions, way) => {
    const ways = new Ways(mode, { ...none, ...exclusions })
    expect(ways.below(ways.first, 'a', false)).toBe(way)
  })

  test('is never wider than that of its directory', () => {
    const anyPatterns = fc.array(fc.constantFrom('a', '!a', '*', 'a/b', 'b/', '!*'), { maxLength: 3 })
    fc.assert(
      fc.property(anyMode, anyPatterns, anyPatterns, fc.boolean(), (mode, upload, download, isDirectory) => {
        const ways = new Ways(mode, { upload, download })
        const above = ways.below(ways.first, 'a', true)
        const below = ways.below(above, 'a/b', isDirectory)
        for (const side of ['local', 'remote'] as const) {
          if (writes(below, side)) expect(writes(above, side)).toBe(true)
        }
      }),
    )
  })
})
