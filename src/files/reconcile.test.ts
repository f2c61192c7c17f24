import { describe, expect, test } from 'vitest'
import { emptyBase } from './base/base.ts'
import { applyDelta, nodeAt } from './delta.ts'
import type { Mode } from './mode.ts'
import { reconcile } from './reconcile.ts'
import type { Side } from './side.ts'
import { digestOf, type Edit } from './testing/memory-files.ts'
import { World } from './testing/world.ts'

const write = (path: string, content: string): Edit => ({ do: 'write', path, content })
const remove = (path: string): Edit => ({ do: 'remove', path })
const chmod = (path: string): Edit => ({ do: 'chmod', path })
const touch = (path: string): Edit => ({ do: 'touch', path })
const socket = (path: string): Edit => ({ do: 'socket', path })

const large = 'x'.repeat(4 * 1024 * 1024)

/** Both sides hold what `before` makes. */
function agreedOn(...before: Edit[]): World {
  const world = new World()
  world.edit('local', before)
  world.settle()
  return world
}

/** The plan as `side op path`, in order. */
function steps(world: World): string[] {
  const plan = world.plan()
  return (['local', 'remote'] as const).flatMap((side) =>
    plan[side].map(({ op, path }) => `${side} ${op} ${path}`),
  )
}

describe('files', () => {
  test('an edit is sent without being hashed first', () => {
    const world = agreedOn(write('f', 'old'))
    world.edit('local', [write('f', 'new')])
    expect(steps(world)).toEqual(['remote put f'])
    expect(world.plan().needs).toEqual({ local: [], remote: [], clocks: [] })
  })

  test('a new file is sent without being hashed first, however large', () => {
    const world = agreedOn()
    world.edit('local', [write('f', large)])
    expect(steps(world)).toEqual(['remote put f'])
    expect(world.plan().needs.local).toEqual([])
  })

  test('a large file that was only touched is hashed, and not sent', () => {
    const world = agreedOn(write('f', large))
    world.edit('local', [touch('f')])
    const plan = world.plan()
    expect(plan.needs.local.map(({ path }) => path)).toEqual(['f'])
    expect(steps(world)).toEqual([])
    world.carryOut(plan)
    expect(steps(world)).toEqual([])
    world.settle()
    expect(world.plan().agreed).toEqual([])
  })

  test('a large file that was changed is sent once that is known', () => {
    const world = agreedOn(write('f', large))
    world.edit('local', [write('f', `${large.slice(1)}y`)])
    world.carryOut(world.plan())
    expect(steps(world)).toEqual(['remote put f'])
  })

  test('a changed executable bit travels alone', () => {
    const world = agreedOn(write('f', 'same'))
    world.edit('remote', [chmod('f')])
    world.carryOut(world.plan())
    expect(steps(world)).toEqual(['local chmod f'])
    world.settle()
    expect(world.local.listing().get('f')).toBe('file same *')
  })

  test('an edit here and an executable bit there do not meet', () => {
    const world = agreedOn(write('f', 'old'))
    world.edit('local', [write('f', 'newer')])
    world.edit('remote', [chmod('f')])
    expect(world.settle().conflicts).toEqual([])
    expect(world.local.listing()).toEqual(new Map([['f', 'file newer *']]))
    expect(world.remote.listing()).toEqual(world.local.listing())
  })

  test('the same edit on both sides is no conflict, and nothing is sent', () => {
    const world = agreedOn(write('f', 'old'))
    world.edit('local', [write('f', 'new')])
    world.edit('remote', [write('f', 'new')])
    expect(steps(world)).toEqual([])
    expect(world.settle().conflicts).toEqual([])
    expect(steps(world)).toEqual([])
  })

  test('a touch here and an edit there is an edit there', () => {
    const world = agreedOn(write('f', 'old'))
    world.edit('local', [touch('f')])
    world.edit('remote', [write('f', 'longer')])
    expect(world.settle().conflicts).toEqual([])
    expect(world.local.listing().get('f')).toBe('file longer')
  })

  test('files of different sizes are in conflict without being hashed', () => {
    const world = new World()
    world.edit('local', [write('f', '1')])
    world.edit('remote', [write('f', 'longer')])
    const plan = world.plan()
    expect(plan.needs).toEqual({ local: [], remote: [], clocks: [] })
    expect(plan.conflicts).toEqual([{ path: 'f', message: 'each side has a file, and they differ' }])
  })

  test('an edit that left the stamp as it was is known by the digest that came with it', () => {
    const world = agreedOn(write('f', 'old'))
    const local = world.local.tree()
    const entry = nodeAt(local, 'f')?.entry
    if (entry?.kind !== 'file') throw new Error('a file was written')
    const seen = applyDelta(local, [['f', { ...entry, digest: digestOf('new') }]])
    const input = { mode: 'two-way-safe', firstContact: 'merge', locked: new Set<string>() } as const
    const plan = reconcile({ ...world, ...input, local: seen, remote: world.remote.tree(), scope: 'all' })
    expect(plan.remote).toMatchObject([{ op: 'put', path: 'f' }])
  })

  test('a conflict says what each side did, and ends when the sides become equal', () => {
    const world = agreedOn(write('f', 'old'))
    world.edit('local', [write('f', 'mine')])
    world.edit('remote', [remove('f'), { do: 'symlink', path: 'f', target: 'x' }])
    expect(world.settle().conflicts).toEqual([
      { path: 'f', message: 'local changed the file, remote put a symlink in its place' },
    ])
    world.edit('remote', [remove('f'), write('f', 'mine')])
    expect(world.settle().conflicts).toEqual([])
  })

  test('the executable bit alone is no conflict when the sides meet: it is set on both', () => {
    const world = new World()
    world.edit('local', [write('f', 'x')])
    world.edit('remote', [write('f', 'x'), chmod('f')])
    expect(world.settle().conflicts).toEqual([])
    expect(world.local.listing().get('f')).toBe('file x *')
  })
})

describe('deletions', () => {
  test('a deleted directory goes, children first', () => {
    const world = agreedOn(write('d/e/f', ''), write('d/g', ''))
    world.edit('local', [remove('d')])
    expect(steps(world)).toEqual([
      'remote remove d/e/f',
      'remote remove d/e',
      'remote remove d/g',
      'remote remove d',
    ])
  })

  test('what was edited in it stays, with its parents; the rest of it goes', () => {
    const world = agreedOn(write('d/e/f', 'old'), write('d/g', ''))
    world.edit('local', [remove('d')])
    world.edit('remote', [write('d/e/f', 'edited'), write('d/new', '')])
    world.settle()
    expect([...world.local.listing().keys()].sort()).toEqual(['d', 'd/e', 'd/e/f', 'd/new'])
    expect(world.remote.listing()).toEqual(new Map([...world.local.listing()]))
  })

  test('a directory with something in it that cannot be synced stays where that is', () => {
    const world = agreedOn(write('d/f', ''))
    world.edit('remote', [socket('d/s')])
    world.edit('local', [remove('d')])
    world.settle()
    expect([...world.remote.listing().keys()]).toEqual(['d', 'd/s'])
    expect([...world.local.listing().keys()]).toEqual([])
  })

  test('a missing root is not taken for deletions', () => {
    const world = agreedOn(write('f', ''))
    const input = { base: world.base, mode: 'two-way-safe', firstContact: 'merge', scope: 'all' } as const
    const rest = { locked: new Set<string>(), digests: world.digests }
    const plan = reconcile({ ...input, ...rest, local: undefined, remote: world.remote.tree() })
    expect([plan.local, plan.remote, plan.agreed]).toEqual([[], [], []])
  })

  test('an empty base deletes nothing', () => {
    const world = agreedOn(write('d/f', ''))
    world.edit('local', [remove('d')])
    world.base = emptyBase
    world.settle()
    expect([...world.local.listing().keys()]).toEqual(['d', 'd/f'])
  })
})

describe('what takes the place of something else', () => {
  test('a file where a directory was', () => {
    const world = agreedOn(write('d/f', ''))
    world.edit('local', [remove('d'), write('d', 'now a file')])
    expect(steps(world)).toEqual(['remote remove d/f', 'remote remove d', 'remote put d'])
    world.settle()
    expect(world.remote.listing()).toEqual(new Map([['d', 'file now a file']]))
  })

  test('a directory where a file was', () => {
    const world = agreedOn(write('d', ''))
    world.edit('remote', [remove('d'), write('d/f', '')])
    expect(steps(world)).toEqual(['local remove d', 'local mkdir d', 'local put d/f'])
  })

  test('a directory in which something is new is not replaced: conflict', () => {
    const world = agreedOn(write('d/f', ''))
    world.edit('remote', [write('d/new', '')])
    world.edit('local', [remove('d'), write('d', 'now a file')])
    expect(world.settle().conflicts.map(({ path }) => path)).toEqual(['d'])
    expect([...world.remote.listing().keys()]).toEqual(['d', 'd/f', 'd/new'])
  })
})

describe('one way, to remote', () => {
  function oneWay(...before: Edit[]): World {
    const world = agreedOn(...before)
    world.mode = 'to-remote-safe' satisfies Mode
    return world
  }

  test('what remote lost comes back, what it added or changed stays', () => {
    const world = oneWay(write('lost', '1'), write('changed', '1'), write('d/x', '1'))
    world.edit('remote', [remove('lost'), write('changed', 'by remote'), write('added', ''), remove('d')])
    expect(world.settle().conflicts).toEqual([])
    expect(Object.fromEntries(world.remote.listing())).toEqual({
      lost: 'file 1',
      changed: 'file by remote',
      added: 'file ',
      d: 'directory',
      'd/x': 'file 1',
    })
  })

  test('a program made executable in the container keeps the bit when local edits it', () => {
    const world = oneWay(write('run.sh', 'old'))
    world.edit('remote', [chmod('run.sh')])
    world.settle()
    world.edit('local', [write('run.sh', 'edited')])
    expect(world.settle().conflicts).toEqual([])
    expect(world.remote.listing().get('run.sh')).toBe('file edited *')
    expect(world.local.listing().get('run.sh')).toBe('file edited')
  })

  test('what both changed is a conflict', () => {
    const world = oneWay(write('f', 'old'))
    world.edit('local', [write('f', 'mine')])
    world.edit('remote', [write('f', 'its')])
    expect(world.settle().conflicts.map(({ path }) => path)).toEqual(['f'])
  })

  test('a deleted directory goes but for what remote has of its own', () => {
    const world = oneWay(write('d/f', ''))
    world.edit('remote', [write('d/extra', '')])
    world.edit('local', [remove('d')])
    world.settle()
    expect([...world.remote.listing().keys()]).toEqual(['d', 'd/extra'])
    expect([...world.local.listing().keys()]).toEqual([])
  })
})

describe('seeding', () => {
  test('local wins, also over a directory; what only remote has comes to local', () => {
    const world = new World()
    world.firstContact = 'seed'
    world.edit('local', [write('f', 'mine'), write('d', 'a file')])
    world.edit('remote', [write('f', 'of the image'), write('d/x', ''), write('only', 'there')])
    expect(world.settle().conflicts).toEqual([])
    const both = { f: 'file mine', d: 'file a file', only: 'file there' }
    expect(Object.fromEntries(world.local.listing())).toEqual(both)
    expect(Object.fromEntries(world.remote.listing())).toEqual(both)
  })

  test('leaves alone what is on a volume, which is not new with the container', () => {
    const world = new World()
    world.firstContact = 'seed'
    world.volumes = ['data', 'v/w']
    world.edit('local', [
      write('data/db', 'old'),
      write('data/new', '1'),
      write('v', 'a file'),
      write('f', 'mine'),
    ])
    world.edit('remote', [write('data/db', 'newer'), write('v/w/x', ''), write('f', 'of the image')])
    expect(world.settle().conflicts.map(({ path }) => path)).toEqual(['data/db', 'v'])
    const remote = { 'data/db': 'file newer', 'data/new': 'file 1', 'v/w/x': 'file ', f: 'file mine' }
    expect(Object.fromEntries(world.remote.listing())).toMatchObject(remote)
  })

  test('does not replace a directory with something in it that cannot be synced', () => {
    const world = new World()
    world.firstContact = 'seed'
    world.edit('local', [write('d', 'a file')])
    world.edit('remote', [socket('d/s')])
    expect(world.settle().conflicts.map(({ path }) => path)).toEqual(['d'])
    expect([...world.remote.listing().keys()]).toEqual(['d', 'd/s'])
  })
})

describe('paths that are under way', () => {
  function planWithout(world: World, ...locked: string[]) {
    const { base, mode, firstContact, digests } = world
    const [local, remote] = [world.local.tree(), world.remote.tree()]
    const plan = reconcile({
      base,
      local,
      remote,
      mode,
      firstContact,
      scope: 'all',
      locked: new Set(locked),
      digests,
    })
    const show = (side: Side) => plan[side].map(({ op, path }) => `${op} ${path}`)
    return { local: show('local'), remote: show('remote') }
  }

  test('are left alone, with all below them; others are not', () => {
    const world = agreedOn()
    world.edit('local', [write('d/f', ''), write('other', '')])
    expect(planWithout(world, 'd').remote).toEqual(['put other'])
  })

  test('keep the directories above them', () => {
    const world = agreedOn(write('d/f', ''), write('d/g', ''))
    world.edit('local', [remove('d')])
    expect(planWithout(world, 'd/f').remote).toEqual(['remove d/g'])
  })

  test('keep a directory from being replaced', () => {
    const world = agreedOn(write('d/f', ''))
    world.edit('local', [remove('d'), write('d', '')])
    expect(planWithout(world, 'd/f').remote).toEqual([])
  })
})
