import { describe, expect, test } from 'vitest'
import type { Entry, Node, Stamp } from '../files/tree.ts'
import { formatListing, formatMode, toData } from './files-list.ts'

function stamp(mode: number, size = 0): Stamp {
  return { mode, size, mtimeMs: Date.UTC(2024, 0, 2, 3, 4, 5), ctimeMs: 0, ino: 1 }
}

function leaf(entry: Entry): Node {
  return { entry }
}

const directory: Entry = { kind: 'directory', stamp: stamp(0o040755) }
const tree: Node = {
  entry: directory,
  children: new Map([
    ['b.txt', leaf({ kind: 'file', executable: false, stamp: stamp(0o100644, 12345) })],
    [
      'a\n',
      {
        entry: directory,
        children: new Map([['x', leaf({ kind: 'file', executable: true, stamp: stamp(0o100755, 7) })]]),
      },
    ],
    ['link', leaf({ kind: 'symlink', target: 'b.txt', stamp: stamp(0o120777, 5) })],
    ['socket', leaf({ kind: 'opaque', reason: 'a socket' })],
  ]),
}
const listing = { pod: 'demo-1', container: 'app', node: 'node1', path: '/app', tree }

test('a listing is a line with where it is, and a line for each entry, sorted, with names escaped', () => {
  expect(formatListing(listing)).toBe(
    [
      'demo-1/app:/app (node node1)',
      'drwxr-xr-x                           a\\n',
      '-rwxr-xr-x      7  2024-01-02 03:04  a\\n/x',
      '-rw-r--r--  12345  2024-01-02 03:04  b.txt',
      'lrwxrwxrwx      5  2024-01-02 03:04  link -> b.txt',
      '?---------                           socket (a socket)',
      '',
    ].join('\n'),
  )
})

test('as data it has names as they are', () => {
  const { entries, ...where } = toData(listing)
  expect(where).toEqual({ pod: 'demo-1', container: 'app', node: 'node1', path: '/app' })
  expect(entries[1]).toEqual({
    path: 'a\n/x',
    kind: 'file',
    mode: '-rwxr-xr-x',
    size: 7,
    mtime: '2024-01-02T03:04:05.000Z',
  })
  expect(entries.map(({ path }) => path)).toEqual(['a\n', 'a\n/x', 'b.txt', 'link', 'socket'])
})

test('an empty folder is a line, and no entries', () => {
  const empty = { ...listing, tree: { entry: directory, children: new Map() } }
  expect(formatListing(empty)).toBe('demo-1/app:/app (node node1)\n')
})

describe('modes', () => {
  test.each([
    [0o100600, '-rw-------'],
    [0o104755, '-rwsr-xr-x'],
    [0o102644, '-rw-r-Sr--'],
    [0o041777, 'drwxrwxrwt'],
    [0o041776, 'drwxrwxrwT'],
  ])('%o is %s', (mode, expected) => {
    expect(formatMode(mode)).toBe(expected)
  })
})
