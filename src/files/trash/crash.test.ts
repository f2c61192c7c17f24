import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Operation } from '../operation.ts'
import { openDirectory } from '../replica/open-directory.ts'
import type { Replica } from '../replica/replica.ts'
import { isTemporary } from '../replica/temporary.ts'
import { type Call, FaultyDir, systemError } from '../replica/testing/faulty-dir.ts'
import { put, contentOf as sending } from '../replica/testing/puts.ts'
import { openDescriptors, temporaryRoot } from '../replica/testing/roots.ts'
import { carriedOut, entryAt, servedReplica, stampAt } from '../replica/testing/served.ts'
import { openCatalog } from './catalog.ts'
import { localTrash } from './local-trash.ts'
import { TrashPass } from './pass.ts'
import { lookAtPlace, restore } from './restore.ts'
import { contentOf, keptIn } from './testing/catalog.ts'

const OLD = 'old'.repeat(1000)

/** What each way of keeping does to a call, beside the crash. */
const ways: [string, (call: Call) => string | undefined][] = [
  ['renames and links', () => undefined],
  ['copies', ({ operation, name }) => (isAcross(operation) && !isTemporary(name) ? 'EXDEV' : undefined)],
  [
    'copies, and what can only be written to',
    ({ operation, name }) => {
      if (isAcross(operation) && !isTemporary(name)) return 'EXDEV'
      return operation === 'rename' && name !== 'folder' ? 'EBUSY' : undefined
    },
  ],
]

function isAcross(operation: string): boolean {
  return operation === 'moveTo' || operation === 'linkTo'
}

interface Crash {
  readonly root: string
  readonly home: string
  readonly open: (path: string) => FaultyDir
  /** From now on, every call after the n-th fails, as if nobody made it. */
  arm(step: number): void
  readonly check: (call: Call) => void
  readonly calls: number
}

function crash(way: (call: Call) => string | undefined): Crash {
  const [root, home] = [temporaryRoot(), join(temporaryRoot(), 'trash')]
  let left = Number.POSITIVE_INFINITY
  let calls = 0
  const before = (call: Call) => {
    if (left < Number.POSITIVE_INFINITY && ++calls > left) throw systemError('EKILLED')
    const code = way(call)
    if (code !== undefined) throw systemError(code)
  }
  return {
    ...{ root, home, check: before },
    open: (path) => new FaultyDir(openDirectory(path), { before }),
    arm(step) {
      left = step
    },
    get calls() {
      return calls
    },
  }
}

function inPlace(root: string, path: string): string | undefined {
  const at = join(root, path)
  const stats = lstatSync(at, { throwIfNoEntry: false })
  if (stats === undefined) return undefined
  if (stats.isDirectory()) return 'directory'
  return stats.isSymbolicLink() ? `-> ${readlinkSync(at)}` : readFileSync(at, 'latin1')
}

describe.each(ways)('killed at any step, with %s', (_, way) => {
  test('whatever was there is at its place or in the trash, and not a byte less', async () => {
    const before = {
      replaced: OLD,
      removed: OLD,
      link: '-> old',
      'd/f': OLD,
      'd/l': '-> old',
      d: 'directory',
    }
    const descriptors = openDescriptors()
    let steps = Number.POSITIVE_INFINITY
    for (let step = 0; step < steps; step++) {
      const it = crash(way)
      const { root, home } = it
      mkdirSync(join(root, 'd'))
      for (const name of ['replaced', 'removed', 'd/f']) writeFileSync(join(root, name), OLD)
      for (const name of ['link', 'd/l']) symlinkSync('old', join(root, name))
      const replica = await servedReplica(root, it.open, { trash: home })
      const remove = (path: string): Operation => ({ op: 'remove', path, expect: stampAt(replica, path) })
      const operations: Operation[] = [
        put('replaced', 'new', stampAt(replica, 'replaced')),
        { op: 'symlink', path: 'link', expect: stampAt(replica, 'link'), target: 'new' },
        ...['removed', 'd/f', 'd/l', 'd'].map(remove),
      ]
      it.arm(step)
      await carriedOut(replica, operations, sending('new'))
      await replica.close()
      if (it.calls <= step) steps = step
      const kept = await keptIn(home)
      // Nothing in the trash is half of something.
      expect(Object.entries(before).map(([path, content]) => `${path}: ${content}`)).toEqual(
        expect.arrayContaining(kept),
      )
      for (const [path, content] of Object.entries(before)) {
        if (inPlace(root, path) !== content) expect([step, ...kept]).toContain(`${path}: ${content}`)
      }
      // What is listed as gone is gone, but for copies and directories, which were kept a moment earlier.
      if (way({ operation: 'linkTo', name: 'f' }) === undefined && inPlace(root, 'replaced') === OLD) {
        expect(kept).not.toContain(`replaced: ${OLD}`)
      }
    }
    expect(steps).toBeGreaterThan(40)
    expect(openDescriptors()).toBeLessThanOrEqual(descriptors + 1)
  })

  test('what is brought back is back or in the trash, and so is what gave way', async () => {
    let steps = Number.POSITIVE_INFINITY
    for (let step = 0; step < steps; step++) {
      const it = crash(way)
      const { root, home } = it
      mkdirSync(join(root, 'd'))
      for (const name of ['d/replaced', 'd/removed']) writeFileSync(join(root, name), OLD)
      const replica = await servedReplica(root, openDirectory, { trash: home })
      const remove: Operation = { op: 'remove', path: 'd/removed', expect: stampAt(replica, 'd/removed') }
      const replace = put('d/replaced', 'new', stampAt(replica, 'd/replaced'))
      await carriedOut(replica, [replace, remove], sending('new'))
      await replica.close()
      const catalog = await openCatalog(home)
      const folder = it.open(root)
      const openStore = localTrash(home, root, it.open).openStoreFor(folder)
      const bin = new TrashPass({ root, why: 'undone', openStore })
      const steady = openDirectory(root)
      const items = catalog.items.map((item) => ({
        ...item,
        place: {
          ...item.place,
          store: new FaultyDir(item.place.store, { before: (call) => it.check(call) }),
        },
      }))
      const occupants = items.map((item) => lookAtPlace(item, steady))
      it.arm(step)
      for (const [index, item] of items.entries()) {
        const occupant = occupants[index]
        if (occupant !== undefined) restore(item, occupant, { root: folder, bin })
      }
      bin.close()
      for (const one of [folder, steady, catalog]) one.close()
      if (it.calls <= step) steps = step
      const kept = await keptIn(home)
      const has = (path: string, content: string) =>
        inPlace(root, path) === content || kept.includes(`${path}: ${content}`)
      expect([step, has('d/replaced', OLD), has('d/removed', OLD), has('d/replaced', 'new')]).toEqual([
        ...[step, true, true, true],
      ])
      const [there] = [inPlace(root, 'd/replaced')]
      expect([OLD, 'new']).toContain(there)
    }
    expect(steps).toBeGreaterThan(20)
  })
})

type Change =
  | { readonly do: 'write'; readonly path: string; readonly content: string }
  | { readonly do: 'link' | 'remove'; readonly path: string }

const anyChange: fc.Arbitrary<Change> = fc.oneof(
  fc.record({
    do: fc.constant('write' as const),
    path: fc.constantFrom('a', 'b', 'd/a'),
    content: fc.constantFrom('', '1', '22', 'longer'),
  }),
  fc.record({
    do: fc.constantFrom('link' as const, 'remove' as const),
    path: fc.constantFrom('a', 'b', 'd/a'),
  }),
)

/** The operation that such a change of the other side comes as. */
function operationOf(replica: Replica, change: Change): Operation | undefined {
  const isThere = isIn(replica, change.path)
  const expect_ = isThere ? stampAt(replica, change.path) : 'absent'
  if (change.do === 'write') return put(change.path, change.content, expect_)
  if (change.do === 'link') return { op: 'symlink', path: change.path, expect: expect_, target: 'somewhere' }
  return isThere ? { op: 'remove', path: change.path, expect: expect_ } : undefined
}

function isIn(replica: Replica, path: string): boolean {
  try {
    return entryAt(replica, path) !== undefined
  } catch {
    return false
  }
}

test('every version that any changes of the other side replace or remove can be brought back as it was', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyChange, { maxLength: 15 }), async (changes) => {
      const [root, home] = [temporaryRoot(), join(temporaryRoot(), 'trash')]
      mkdirSync(join(root, 'd'))
      const replica = await servedReplica(root, openDirectory, { trash: home })
      const lost: string[] = []
      for (const change of changes) {
        const operation = operationOf(replica, change)
        if (operation === undefined) continue
        const before = inPlace(root, change.path)
        const [outcome] = await carriedOut(
          replica,
          [operation],
          sending(change.do === 'write' ? change.content : ''),
        )
        expect(outcome?.result).toBe('done')
        if (before !== undefined && before !== inPlace(root, change.path))
          lost.push(`${change.path}: ${before}`)
      }
      const kept = await keptIn(home)
      for (const version of lost) {
        const at = kept.indexOf(version)
        expect([version, at]).not.toEqual([version, -1])
        kept.splice(at, 1)
      }
      await bringAllBack(root, home)
    }),
    { numRuns: 60, interruptAfterTimeLimit: 12_000 },
  )
})

/** One version after the other, each to its place, which holds it then. */
async function bringAllBack(root: string, home: string): Promise<void> {
  const catalog = await openCatalog(home)
  const folder = openDirectory(root)
  onTestFinished(() => {
    catalog.close()
    folder.close()
  })
  const openStore = localTrash(home, root).openStoreFor(folder)
  for (const item of catalog.items) {
    const content = contentOf(home, item)
    const bin = new TrashPass({ root, why: 'undone', openStore })
    expect(restore(item, lookAtPlace(item, folder), { root: folder, bin })).toBeUndefined()
    bin.close()
    expect(inPlace(root, item.path)).toBe(content)
  }
  expect(existsSync(home) ? readdirSync(home).length : 1).toBe(1)
}
