import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { expired, lastMoment, momentAt, momentsOf, newestAt, since, type Taken } from './choose.ts'

function item(path: string, at: number, size = 1, root = '/r'): Taken {
  return { path, at, size, place: { root } }
}

const paths = (items: readonly Taken[] | undefined) => items?.map(({ path, at }) => `${path}@${at}`)

describe('a moment', () => {
  test('is what was taken from one folder without a pause of a second', () => {
    const items = [
      item('a', 10_000),
      item('b', 10_900),
      item('c', 11_800),
      item('d', 12_800),
      item('e', 11_000, 1, '/s'),
    ]
    expect(momentsOf(items).map(paths)).toEqual([['d@12800'], ['e@11000'], ['a@10000', 'b@10900', 'c@11800']])
  })

  test('ends after a minute, however things go on', () => {
    const items = Array.from({ length: 300 }, (_, i) => item(`${i}`, i * 500))
    expect(momentsOf(items).map(({ length }) => length)).toEqual([60, 120, 120])
  })

  test('is undone to what was there before all of it, folders first', () => {
    const items = [item('d/f', 100), item('d', 200), item('d/f', 300), item('older', -5000)]
    expect(paths(lastMoment(items))).toEqual(['d@200', 'd/f@100'])
  })

  test('is found by a time that is cut to the second', () => {
    const items = [item('a', 10_700), item('b', 11_500)]
    for (const time of [10_000, 10_700, 11_000, 11_500]) expect(paths(momentAt(items, time))).toHaveLength(2)
    for (const time of [9_999, 11_501]) expect(momentAt(items, time)).toBeUndefined()
  })
})

describe('what comes back', () => {
  test('of a file is its newest version', () => {
    expect(paths(newestAt([item('f', 1), item('f', 3), item('f', 2), item('fx', 9)], 'f'))).toEqual(['f@3'])
  })

  test('of a folder is what was taken from it last, and not every file that ever was in it', () => {
    const items = [item('d/old', 1), item('d/f', 10_000), item('d', 10_001), item('e', 20_000)]
    expect(paths(newestAt(items, 'd'))).toEqual(['d@10001', 'd/f@10000'])
  })

  test('since a time is what was there then', () => {
    const items = [item('a', 1), item('a', 5), item('a', 9), item('b', 4)]
    expect(paths(since(items, 4))).toEqual(['a@5', 'b@4'])
  })
})

describe('retention', () => {
  const DAY = 86_400_000
  const now = 1000 * DAY
  const limits = { maxAge: 14 * DAY, maxSize: 100 }
  const gone = (...items: Taken[]) => paths([...expired(items, limits, now)])

  test('lets go what is too old, even if it is all there is', () => {
    expect(gone(item('a', now - 15 * DAY), item('b', now - 13 * DAY))).toEqual([`a@${now - 15 * DAY}`])
    expect(gone(item('a', now - 15 * DAY))).toHaveLength(1)
  })

  test('lets go the oldest of what is too much', () => {
    const items = [5, 4, 3, 2].map((days) => item(`${days}`, now - days * DAY, 40))
    expect(gone(...items)).toEqual([`4@${now - 4 * DAY}`, `5@${now - 5 * DAY}`])
  })

  test('by size alone never takes what was done last, however large', () => {
    const last = [item('huge', now - DAY, 1000), item('too', now - DAY, 1000)]
    expect(gone(...last, item('before', now - 2 * DAY))).toEqual([`before@${now - 2 * DAY}`])
  })

  test('of what changes all the time keeps the version before that, and as many of the newest as there is room for', () => {
    const versions = Array.from({ length: 100 }, (_, i) => item('log', now - DAY + i * 500, 10))
    const left = versions.filter((one) => !expired(versions, limits, now).has(one))
    expect(left).toHaveLength(10)
  })

  test('keeps a hundred versions of a path', () => {
    const versions = Array.from({ length: 150 }, (_, i) => item('f', now - DAY + i * 2000, 0))
    const lost = expired([...versions, item('g', now - 2 * DAY, 0)], limits, now)
    expect(lost).toEqual(new Set(versions.slice(0, 50)))
  })

  test('of 0 keeps nothing, but for what may be under way', () => {
    const items = [item('a', now - DAY), item('b', now - 1000)]
    for (const off of [
      { ...limits, maxAge: 0 },
      { ...limits, maxSize: 0 },
    ]) {
      expect(expired(items, off, now)).toEqual(new Set(items.slice(0, 1)))
    }
  })

  test('never keeps an older version and lets a newer one go that is not larger than there is room for', () => {
    const anyItem = fc.record({ path: fc.constantFrom('a', 'b'), at: fc.nat(20 * DAY), size: fc.nat(60) })
    fc.assert(
      fc.property(fc.array(anyItem, { maxLength: 30 }), (all) => {
        const items = all.map(({ path, at, size }) => item(path, now - at, size))
        const lost = expired(items, limits, now)
        const last = new Set(lastMoment(items))
        const kept = items.filter((one) => !lost.has(one))
        const old = kept.filter((one) => !last.has(one) && now - one.at >= 60_000)
        for (const one of kept) expect(now - one.at).toBeLessThanOrEqual(limits.maxAge)
        for (const one of lost) for (const other of old) expect(other.at).toBeGreaterThanOrEqual(one.at)
        const size = old.reduce((sum, one) => sum + one.size, 0)
        expect(size).toBeLessThanOrEqual(limits.maxSize)
      }),
    )
  })
})
