import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nodeAt, walk } from '../delta.ts'
import type { Expectation, Operation } from '../operation.ts'
import type { Entry, Path } from '../tree.ts'
import { digestOf } from './hash.ts'
import type { Replica } from './replica.ts'
import { anyChanges, carryOut } from './testing/changes.ts'
import { diskAsText, treeAsText } from './testing/disk.ts'
import { contentOf, put } from './testing/puts.ts'
import { temporaryRoot } from './testing/roots.ts'
import { carriedOut, servedReplica } from './testing/served.ts'

const anyWish = fc.record({
  path: fc
    .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 })
    .map((names) => names.join('/')),
  op: fc.constantFrom('mkdir', 'put', 'put', 'symlink', 'remove', 'chmod'),
  content: fc.constantFrom('', 'ours', 'our own'),
})

/** An operation as it would be decided on by what the replica told so far. */
function decided(
  replica: Replica,
  { op, path, content }: { op: string; path: Path; content: string },
): Operation {
  const entry = nodeAt(replica.tree, path)?.entry
  const expect: Expectation = entry === undefined || entry.kind === 'opaque' ? 'absent' : entry.stamp
  if (op === 'put') return put(path, content, expect)
  if (op === 'symlink') return { op, path, expect, target: 'no/where' }
  if (op === 'chmod') return { op, path, expect, executable: content === '' }
  return { op: op === 'mkdir' ? 'mkdir' : 'remove', path, expect }
}

/** Digests that the tree claims, and those of what is on disk. */
function digests(root: string, replica: Replica): [claimed: unknown, real: unknown] {
  const known = [...walk<Entry>(replica.tree)].flatMap(([path, entry]) =>
    entry.kind === 'file' && entry.digest !== undefined ? [[path, entry.digest] as const] : [],
  )
  return [known, known.map(([path]) => [path, digestOf(readFileSync(join(root, path)))])]
}

test('whoever writes at the same time, the tree is what is on disk in the end', async () => {
  const round = fc.record({ wishes: fc.array(anyWish, { minLength: 1, maxLength: 10 }), changes: anyChanges })
  await fc.assert(
    fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 5 }), async (rounds) => {
      const root = temporaryRoot()
      const replica = await servedReplica(root)
      for (const { wishes, changes } of rounds) {
        const operations = wishes.map((wish) => decided(replica, wish))
        const contents = wishes.flatMap(({ op, content }) => (op === 'put' ? [content] : []))
        const applying = carriedOut(replica, operations, contentOf(...contents))
        for (const change of changes) {
          carryOut(root, change)
          if (change.kind === 'write') await turn()
        }
        const outcomes = await applying
        expect(outcomes.map(({ path }) => path)).toEqual(operations.map(({ path }) => path))
      }
      await replica.rescan('all')
      expect(treeAsText(replica.tree)).toEqual(diskAsText(root))
      const [claimed, real] = digests(root, replica)
      expect(claimed).toEqual(real)
      await replica.close()
    }),
    { numRuns: 100 },
  )
})

test.each([
  ['alone', []],
  ['with something in it', [{ op: 'mkdir' as const, path: 'a/new', expect: 'absent' as const }]],
])('a folder that is made %s where another one just went has nothing of that in it', async (_, below) => {
  const root = temporaryRoot()
  mkdirSync(join(root, 'a', 'old'), { recursive: true })
  const replica = await servedReplica(root)
  rmSync(join(root, 'a'), { recursive: true })
  await carriedOut(replica, [{ op: 'mkdir', path: 'a', expect: 'absent' }, ...below], contentOf())
  await replica.rescan('all')
  expect(treeAsText(replica.tree)).toEqual(diskAsText(root))
})
