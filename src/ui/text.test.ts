import { describe, expect, test } from 'vitest'
import {
  bytes,
  count,
  duration,
  grouped,
  printable,
  printableJson,
  printableLines,
  truncate,
} from './text.ts'

describe('printable', () => {
  test.each([
    ['plain names stay', 'héllo wörld 漢字 🙂.txt', 'héllo wörld 漢字 🙂.txt'],
    ['a colour sequence', '\x1b[31mred', '\\x1b[31mred'],
    ['a window title', '\x1b]0;owned\x07', '\\x1b]0;owned\\x07'],
    ['an 8-bit control sequence introducer', '\x9b31m', '\\x9b31m'],
    ['line ends and tabs', 'a\nb\r\tc', 'a\\nb\\r\\tc'],
    ['text that runs backwards', 'gpj.\u202eexe', 'gpj.\\u202eexe'],
    ['invisible characters', 'a\u200bb\ufeff', 'a\\u200bb\\ufeff'],
    ['half a surrogate pair', 'a\ud800b', 'a\\ud800b'],
  ])('%s', (_what, given, expected) => {
    expect(printable(given)).toBe(expected)
  })

  test('of several lines keeps line ends and tabs, and nothing else that controls', () => {
    expect(printableLines('one\r\n\ttwo\x1b[2J')).toBe('one\n\ttwo\\x1b[2J')
  })
})

test('JSON means the same, without what could steer a terminal', () => {
  const value = { 'a\x9b31m\u202e': ['b\x1b[2J\n', '漢\ufeff🙂'] }
  const text = printableJson(JSON.stringify(value, null, 2))
  expect(JSON.parse(text)).toEqual(value)
  expect(printableLines(text)).toBe(text)
})

test('numbers read as a person says them', () => {
  expect([count(1, 'file'), count(0, 'file'), count(12345, 'file')]).toEqual([
    '1 file',
    '0 files',
    '12,345 files',
  ])
  expect(count(2, 'entry', 'entries')).toBe('2 entries')
  expect([999, 1000, 1234567].map(grouped)).toEqual(['999', '1,000', '1,234,567'])
})

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1536, '1.5 KiB'],
  [1024 * 1024 - 1, '1.0 MiB'],
  [23 * 1024 ** 2, '23 MiB'],
  [1024 ** 4, '1.0 TiB'],
])('%d bytes are %s', (amount, expected) => {
  expect(bytes(amount)).toBe(expected)
})

test.each([
  [40, '0.0 s'],
  [1_400, '1.4 s'],
  [9_960, '10 s'],
  [59_600, '1 min'],
  [200_000, '3 min 20 s'],
  [7_500_000, '2 h 5 min'],
])('%d ms are %s', (ms, expected) => {
  expect(duration(ms)).toBe(expected)
})

test('truncate cuts between characters, never inside one', () => {
  expect(truncate('🙂🙂🙂', 2)).toBe('🙂…')
  expect(truncate('short', 5)).toBe('short')
})
