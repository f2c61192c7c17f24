import { expect, test } from 'vitest'
import { formatTable } from './table.ts'

test('columns are as wide as their widest cell, and no line ends in blanks', () => {
  const rows = [
    ['calm-otter', '/home/me/demo', ''],
    ['x', '/', 'running'],
  ]
  expect(formatTable(['name', 'local', 'status'], rows)).toBe(
    [
      'NAME         LOCAL           STATUS',
      'calm-otter   /home/me/demo',
      'x            /               running',
      '',
    ].join('\n'),
  )
})

test('a name cannot add lines or steer the terminal', () => {
  expect(formatTable(['name'], [['a\n\x1b[31mb']])).toBe('NAME\na\\n\\x1b[31mb\n')
})
