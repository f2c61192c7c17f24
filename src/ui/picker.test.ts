import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { draw, keysIn, matching, type Pressed, press } from './picker.ts'

const items = ['kind-dev', 'kind-test', 'prod-eu', 'prod-us'].map((name) => ({ name, note: '' }))
const frame = { title: 'Context:', columns: 40, height: 3, style: (_: unknown, text: string) => text }

/** What comes of typing, up to what ends it. */
function type(...keys: readonly string[]): Pressed {
  let pressed: Pressed = { next: { filter: '', at: 0 } }
  for (const key of keys) if ('next' in pressed) pressed = press(pressed.next, key, items)
  return pressed
}
const [up, down, enter, leave, back] = ['\x1b[A', '\x1b[B', '\r', '\x1b', '\x7f']

describe('a person picks', () => {
  test.each([
    ['the first with Enter', [enter], 'kind-dev'],
    ['the next with an arrow', [down, enter], 'kind-test'],
    ['the last going up', [up, enter], 'prod-us'],
    ['the first again past the last', [down, down, down, down, enter], 'kind-dev'],
    ['what is typed', [...'us', enter], 'prod-us'],
    ['what has all words, in any order and case', [...'EU pro', enter], 'prod-eu'],
    ['after a correction', [...'usx', back, enter], 'prod-us'],
    ['from all again after Escape', [...'prod', leave, enter], 'kind-dev'],
    [
      'nothing where nothing matches, until something does',
      [...'xyz', enter, back, back, back, enter],
      'kind-dev',
    ],
    ['nobody with Escape', [leave], undefined],
    ['nobody with ^C', [...'prod', '\x03'], undefined],
  ])('%s', (_, keys, picked) => {
    expect(type(...keys)).toEqual({ picked })
  })

  test('and keys that mean nothing do nothing', () => {
    expect(type('\x1b[15~', '\x01', '\x1b[1;5C')).toEqual({ next: { filter: '', at: 0 } })
  })
})

test('keys that come together are told apart', () => {
  expect(keysIn('a\x1b[A\x1bOB\x1b[5~🙂\r')).toEqual(['a', '\x1b[A', '\x1bOB', '\x1b[5~', '🙂', '\r'])
})

test('the list shows what is around the marked one, and how many more there are', () => {
  expect(draw({ filter: '', at: 3 }, items, frame)).toEqual([
    ...['Context: ', '  kind-test', '  prod-eu', '> prod-us', '  … 1 more'],
  ])
  expect(draw({ filter: 'x', at: 0 }, items, frame)).toEqual(['Context: x', '  nothing matches'])
})

test('notes stand in a column, and no name steers the terminal or is wider than it', () => {
  const odd = [
    { name: 'a\x1b[2J', note: 'reachable' },
    { name: 'long'.repeat(20), note: '' },
  ]
  const lines = draw({ filter: '', at: 0 }, odd, frame)
  expect(lines.join('\n')).not.toContain('\x1b')
  expect(lines.every((line) => line.length < frame.columns)).toBe(true)
})

test('whatever is typed, something that matches is marked, or nothing matches', () => {
  const key = fc.oneof(
    fc.constantFrom(up, down, leave, back, '\x1b[5~', '\x1b[6~', '\x15'),
    fc.string({ maxLength: 1 }),
  )
  fc.assert(
    fc.property(fc.array(key, { maxLength: 30 }), (keys) => {
      const pressed = type(...keys)
      if (!('next' in pressed)) return
      const { next } = pressed
      const lines = draw(next, items, frame)
      const marked = lines.filter((line) => line.startsWith('> '))
      expect(marked).toHaveLength(matching(items, next.filter).length === 0 ? 0 : 1)
      expect(lines.length).toBeLessThanOrEqual(frame.height + 2)
    }),
  )
})
