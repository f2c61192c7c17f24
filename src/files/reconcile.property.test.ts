import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { diffTrees } from './delta.ts'
import type { Mode } from './mode.ts'
import type { Operation } from './operation.ts'
import type { Plan } from './plan.ts'
import { ScopeBuilder } from './scope.ts'
import { anyEdits, anyEditsAndSockets } from './testing/edits.ts'
import type { Edit } from './testing/memory-files.ts'
import { isNothing, World } from './testing/world.ts'
import type { Path } from './tree.ts'

interface Story {
  /** What both sides agreed on first. */
  readonly before: Edit[]
  readonly local: Edit[]
  readonly remote: Edit[]
}

const anyStory: fc.Arbitrary<Story> = fc.record({
  before: anyEdits,
  local: anyEditsAndSockets,
  remote: anyEditsAndSockets,
})

/** Both sides agree on `before`, then each goes its own way. */
function begun(story: Story, mode: Mode = 'two-way-safe'): World {
  const world = agreedOn(story)
  world.mode = mode
  world.edit('local', story.local)
  world.edit('remote', story.remote)
  return world
}

function agreedOn({ before }: Pick<Story, 'before'>): World {
  const world = new World()
  world.edit('local', before)
  world.settle()
  expect(world.remote.listing()).toEqual(world.local.listing())
  return world
}

/** Whether a path is at, above or below one of these. */
function touches(path: Path, others: Iterable<Path>): boolean {
  for (const other of others) {
    if (path === other || path.startsWith(`${other}/`) || other.startsWith(`${path}/`)) return true
  }
  return false
}

function opaquePaths(world: World): Path[] {
  const paths: Path[] = []
  for (const side of ['local', 'remote'] as const) {
    for (const [path, what] of world[side].listing()) if (what === 'opaque') paths.push(path)
  }
  return paths
}

function expectEqualBut(world: World, excused: readonly Path[]): void {
  const [local, remote] = [world.local.listing(), world.remote.listing()]
  for (const path of new Set([...local.keys(), ...remote.keys()])) {
    if (!touches(path, excused)) expect([path, remote.get(path)]).toEqual([path, local.get(path)])
  }
}

const conflictPaths = (plan: Plan) => plan.conflicts.map(({ path }) => path)

describe('two-way-safe', () => {
  test('makes both sides equal, but for conflicts and what cannot be synced, and then has nothing to do', () => {
    fc.assert(
      fc.property(anyStory, (story) => {
        const world = begun(story)
        const plan = world.settle()
        expectEqualBut(world, [...conflictPaths(plan), ...opaquePaths(world)])
        expect(isNothing(world.plan())).toBe(true)
      }),
      { numRuns: 1000 },
    )
  })

  test('keeps every content that was not agreed on before', () => {
    fc.assert(
      fc.property(anyStory, (story) => {
        const agreed = agreedOn(story).local.listing()
        const world = begun(story)
        const mine = [...world.local.listing(), ...world.remote.listing()]
        const news = mine.filter(
          ([path, what]) => what !== 'directory' && !sameContent(agreed.get(path), what),
        )
        world.settle()
        const [local, remote] = [world.local.listing(), world.remote.listing()]
        for (const [path, what] of news) {
          const kept = sameContent(local.get(path), what) || sameContent(remote.get(path), what)
          expect(kept, `${path}: ${what}`).toBe(true)
        }
      }),
      { numRuns: 1000 },
    )
  })

  test('carries over what only one side did', () => {
    fc.assert(
      fc.property(anyStory, ({ before, local }) => {
        const world = begun({ before, local, remote: [] })
        const wanted = world.local.listing()
        const plan = world.settle()
        expect(plan.conflicts).toEqual([])
        expect(world.local.listing()).toEqual(wanted)
        const opaque = opaquePaths(world)
        for (const [path, what] of wanted) {
          if (!touches(path, opaque)) expect(world.remote.listing().get(path)).toBe(what)
        }
        for (const path of world.remote.listing().keys()) {
          if (!touches(path, opaque)) expect([...wanted.keys()]).toContain(path)
        }
      }),
      { numRuns: 500 },
    )
  })

  test('gives the mirrored plan for mirrored sides', () => {
    fc.assert(
      fc.property(anyStory, (story) => {
        const plan = begun(story).plan()
        const mirrored = begun({ ...story, local: story.remote, remote: story.local }).plan()
        expect(deeds(mirrored.local)).toEqual(deeds(plan.remote))
        expect(deeds(mirrored.remote)).toEqual(deeds(plan.local))
        expect(conflictPaths(mirrored).sort()).toEqual(conflictPaths(plan).sort())
      }),
    )
  })

  test('decides the same of what changed as of everything', () => {
    fc.assert(
      fc.property(anyStory, (story) => {
        const world = agreedOn(story)
        const before = { local: world.local.tree(), remote: world.remote.tree() }
        world.edit('local', story.local)
        world.edit('remote', story.remote)
        const changed = new ScopeBuilder()
        for (const side of ['local', 'remote'] as const) {
          for (const [path] of diffTrees(before[side], world[side].tree())) changed.add(path)
        }
        const [partial, full] = [world.plan(changed.scope), world.plan('all')]
        expect(deeds(partial.local)).toEqual(deeds(full.local))
        expect(deeds(partial.remote)).toEqual(deeds(full.remote))
        expect(new Set(partial.agreed)).toEqual(new Set(full.agreed))
        expect(new Set(partial.conflicts)).toEqual(new Set(full.conflicts))
      }),
    )
  })
})

describe('one way', () => {
  test('the side that is to be left alone is, whatever happened', () => {
    fc.assert(
      fc.property(anyStory, (story) => {
        const [toRemote, toLocal] = [begun(story, 'to-remote-safe'), begun(story, 'to-local-safe')]
        const [local, remote] = [toRemote.local.listing(), toLocal.remote.listing()]
        toRemote.settle()
        toLocal.settle()
        expect(toRemote.local.listing()).toEqual(local)
        expect(toLocal.remote.listing()).toEqual(remote)
      }),
      { numRuns: 500 },
    )
  })

  test('what only local did arrives in remote; what remote added or changed stays there', () => {
    fc.assert(
      fc.property(anyStory, (story) => {
        const agreed = agreedOn(story).local.listing()
        const world = begun(story, 'to-remote-safe')
        const remoteBefore = world.remote.listing()
        const plan = world.settle()
        const remote = world.remote.listing()
        const excused = [...conflictPaths(plan), ...opaquePaths(world)]
        for (const [path, what] of remoteBefore) {
          if (what !== 'directory' && !sameContent(agreed.get(path), what)) {
            const localHas = sameContent(world.local.listing().get(path), what)
            expect(localHas || sameContent(remote.get(path), what), path).toBe(true)
          }
        }
        for (const [path, what] of world.local.listing()) {
          const untouched = remoteBefore.get(path) === agreed.get(path)
          if (untouched && !touches(path, excused) && !remoteReplacedAbove(path, agreed, remoteBefore)) {
            expect([path, remote.get(path)]).toEqual([path, what])
          }
        }
      }),
      { numRuns: 1000 },
    )
  })

  test('the other way round is the mirror image', () => {
    fc.assert(
      fc.property(anyStory, (story) => {
        const plan = begun(story, 'to-remote-safe').plan()
        const swapped = { ...story, local: story.remote, remote: story.local }
        const mirrored = begun(swapped, 'to-local-safe').plan()
        expect(deeds(mirrored.local)).toEqual(deeds(plan.remote))
        expect(conflictPaths(mirrored).sort()).toEqual(conflictPaths(plan).sort())
      }),
    )
  })
})

describe('seeding a fresh container', () => {
  test('nothing on local is lost or replaced, and remote holds all of it', () => {
    fc.assert(
      fc.property(anyEdits, anyEdits, (local, remote) => {
        const world = new World()
        world.firstContact = 'seed'
        world.edit('local', local)
        world.edit('remote', remote)
        const before = world.local.listing()
        const plan = world.settle()
        expect(plan.conflicts).toEqual([])
        for (const [path, what] of before) {
          expect([path, world.local.listing().get(path)]).toEqual([path, what])
        }
        expect(world.remote.listing()).toEqual(world.local.listing())
      }),
      { numRuns: 500 },
    )
  })
})

function sameContent(a: string | undefined, b: string): boolean {
  return a?.replace(/ \*$/, '') === b.replace(/ \*$/, '')
}

function remoteReplacedAbove(path: Path, agreed: Map<Path, string>, remote: Map<Path, string>): boolean {
  for (const [above, what] of remote) {
    const replaced = what !== 'directory' && agreed.get(above) !== what
    if (replaced && path.startsWith(`${above}/`)) return true
  }
  return false
}

/** What operations do, without the stamps of one side's clock, in no order. */
function deeds(operations: readonly Operation[]): string[] {
  return operations
    .map((operation) => {
      const { op, path, expect: wanted } = operation
      const detail =
        op === 'symlink' ? operation.target : 'executable' in operation ? operation.executable : ''
      return `${op} ${path} ${wanted === 'absent' ? wanted : 'present'} ${detail}`
    })
    .sort()
}

/** The same plan, whatever the order in which names were looked at. */
function inOrder({ needs, ...plan }: Plan): Record<string, string[]> {
  const lists = Object.entries({
    ...plan,
    ...Object.fromEntries(Object.entries(needs).map(([side, all]) => [`needs ${side}`, all])),
  })
  return Object.fromEntries(lists.map(([what, all]) => [what, all.map((one) => JSON.stringify(one)).sort()]))
}

test('what is packed is compared as what is not', () => {
  fc.assert(
    fc.property(anyStory, fc.boolean(), (story, isSettled) => {
      const world = begun(story)
      if (isSettled) world.settle()
      expect(inOrder(world.planPacked())).toEqual(inOrder(world.plan()))
    }),
    { numRuns: 1000 },
  )
})
