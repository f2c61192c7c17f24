import { describe, expect, test } from 'vitest'
import type { Mode } from './mode.ts'
import type { Edit } from './testing/memory-files.ts'
import { World } from './testing/world.ts'

const write = (path: string, content: string): Edit => ({ do: 'write', path, content })
const remove = (path: string): Edit => ({ do: 'remove', path })
/** Longer than any clock is uncertain. */
const LONG = 60_000

function agreedOn(mode: Mode, ...before: Edit[]): World {
  const world = new World()
  world.edit('local', before)
  world.settle()
  Object.assign(world, { mode, firstContact: 'over' })
  world.clocks = { offsetMs: world.remote.now - world.local.now, uncertaintyMs: 5 }
  return world
}

const both = (world: World) => [world.local, world.remote].map((side) => Object.fromEntries(side.listing()))

describe.each<[Mode, string]>([
  ['two-way-local-wins', 'file ours'],
  ['two-way-remote-wins', 'file theirs'],
])('%s', (mode, wins) => {
  test('settles what both changed, and what both made', () => {
    const world = agreedOn(mode, write('f', '1'))
    world.edit('local', [write('f', 'ours'), write('g', 'ours')])
    world.edit('remote', [write('f', 'theirs'), write('g', 'theirs')])
    expect(world.settle().conflicts).toEqual([])
    expect(both(world)).toEqual([
      { f: wins, g: wins },
      { f: wins, g: wins },
    ])
  })

  test('carries over what only one side did, and has an edit beat a deletion', () => {
    const world = agreedOn(mode, write('f', '1'), write('g', '1'), write('h', '1'))
    world.edit('local', [remove('f'), write('g', '2'), remove('h')])
    world.edit('remote', [write('f', '2'), remove('g')])
    world.settle()
    expect(both(world)).toEqual([
      { f: 'file 2', g: 'file 2' },
      { f: 'file 2', g: 'file 2' },
    ])
  })

  test('settles a file against a folder', () => {
    const world = agreedOn(mode, write('d/f', '1'))
    world.edit('local', [remove('d'), write('d', 'ours')])
    world.edit('remote', [write('d/f', 'theirs')])
    world.settle()
    const [local, remote] = both(world)
    expect(local).toEqual(remote)
    expect(local).toMatchObject({ d: mode === 'two-way-local-wins' ? 'file ours' : 'directory' })
  })
})

describe('what was only touched', () => {
  test.each([
    ['a file', 'f', 'f'],
    ['a file in a folder', 'd/f', 'd'],
  ])('wins over nothing: %s', (_what, path, replaced) => {
    const world = agreedOn('two-way-local-wins', write(path, '1'))
    world.edit('local', [{ do: 'touch', path }])
    world.edit('remote', [
      remove(replaced),
      replaced === path ? write(`${path}/x`, '2') : write(replaced, '2'),
    ])
    const there = world.remote.listing()
    expect(world.settle().conflicts).toEqual([])
    expect(world.remote.listing()).toEqual(there)
    expect(world.local.listing()).toEqual(there)
  })
})

describe('two-way-newest-wins', () => {
  test('keeps what was made last, whatever the clocks say', () => {
    const world = agreedOn('two-way-newest-wins', write('f', '1'), write('g', '1'))
    world.edit('local', [write('f', 'first')])
    world.edit('remote', [write('g', 'first')])
    world.local.wait(LONG)
    world.remote.wait(LONG)
    world.edit('remote', [write('f', 'last')])
    world.edit('local', [write('g', 'last')])
    expect(world.settle().conflicts).toEqual([])
    expect(both(world)).toEqual([
      { f: 'file last', g: 'file last' },
      { f: 'file last', g: 'file last' },
    ])
  })

  test('does not guess: what was made at about the same time is a conflict', () => {
    const world = agreedOn('two-way-newest-wins', write('f', '1'))
    world.edit('local', [write('f', 'ours')])
    world.edit('remote', [write('f', 'theirs')])
    expect(world.settle().conflicts).toMatchObject([
      { path: 'f', message: expect.stringContaining('which one is newer cannot be told') },
    ])
    expect(both(world)).toEqual([{ f: 'file ours' }, { f: 'file theirs' }])
  })

  test('decides nothing before it knows how the clocks differ', () => {
    const world = agreedOn('two-way-newest-wins', write('f', '1'))
    world.clocks = undefined
    world.edit('local', [write('f', 'ours')])
    world.edit('remote', [write('f', 'theirs, longer')])
    const plan = world.plan()
    expect([plan.needs.clocks, plan.conflicts, plan.local, plan.remote]).toEqual([['f'], [], [], []])
  })
})

describe('mirrors', () => {
  const story = (mode: Mode) => {
    const world = agreedOn(mode, write('f', '1'), write('g', '1'), write('d/x', '1'))
    world.edit('local', [write('f', 'ours'), write('extra/ours', '1'), remove('g')])
    world.edit('remote', [write('f', 'theirs'), write('extra/theirs', '1'), write('g', '2'), remove('d')])
    return world
  }

  test('to-remote-mirror undoes what remote did, and removes what it has more', () => {
    const world = story('to-remote-mirror')
    const local = world.local.listing()
    expect(world.settle().conflicts).toEqual([])
    expect(world.local.listing()).toEqual(local)
    expect(world.remote.listing()).toEqual(local)
  })

  test('to-local-mirror does the same here', () => {
    const world = story('to-local-mirror')
    const remote = world.remote.listing()
    expect(world.settle().conflicts).toEqual([])
    expect(world.remote.listing()).toEqual(remote)
    expect(world.local.listing()).toEqual(remote)
  })

  test('leave what cannot be synced', () => {
    const world = agreedOn('to-remote-mirror', write('f', '1'))
    world.edit('remote', [{ do: 'socket', path: 'd/s' }, write('d/x', '1')])
    world.settle()
    expect(both(world)[1]).toEqual({ f: 'file 1', d: 'directory', 'd/s': 'opaque' })
  })
})
