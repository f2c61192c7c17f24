import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { walk } from './delta.ts'
import type { Replica } from './replica/replica.ts'
import { anyChanges, carryOut } from './replica/testing/changes.ts'
import { temporaryRoot } from './replica/testing/roots.ts'
import type { SessionStatus } from './status.ts'
import { contentsOf, type Pair, settled, synced } from './testing/pair.ts'

describe('two directories', () => {
  test('become the same, down to modes, links, empty directories and odd names', async () => {
    const local = temporaryRoot()
    mkdirSync(join(local, 'a/b/empty'), { recursive: true })
    writeFileSync(join(local, 'a/run'), '#!/bin/sh\n')
    chmodSync(join(local, 'a/run'), 0o755)
    writeFileSync(join(local, 'a/zero'), '')
    writeFileSync(join(local, 'a/large'), Buffer.alloc(9_000_000, 'large'))
    writeFileSync(join(local, 'with space, ünï and \n newline'), 'x')
    symlinkSync('a/run', join(local, 'link'))
    symlinkSync('nowhere', join(local, 'dangling'))
    const pair = await synced({ local })
    expect((await settled(pair)).phase).toBe('in-sync')
    expect(contentsOf(pair.remote)).toEqual(contentsOf(local))
  })

  test('pass edits on in both directions', async () => {
    const pair = await synced()
    await settled(pair)
    for (let i = 0; i < 20; i++) {
      const [from, to] = i % 2 === 0 ? [pair.local, pair.remote] : [pair.remote, pair.local]
      writeFileSync(join(from, `f${i % 3}`), `${i}`)
      await settled(pair)
      expect(readFileSync(join(to, `f${i % 3}`), 'utf8')).toBe(`${i}`)
    }
    expect(pair.session.status.conflicts).toEqual([])
  })

  test('are found in step by the next session, which moves nothing', async () => {
    const basePath = join(temporaryRoot(), 'base')
    const first = await synced({ basePath })
    for (let i = 0; i < 300; i++) writeFileSync(join(first.local, `f${i}`), `${i}`)
    await settled(first)
    await first.session.stop()
    first.base.close()
    const second = await synced({ local: first.local, remote: first.remote, basePath })
    const status = await settled(second)
    expect(status.applied).toEqual({ local: 0, remote: 0 })
    expect(status.entries).toEqual({ local: 300, remote: 300 })
  })

  test('are found equal without a base, and nothing is moved then either', async () => {
    const [local, remote] = [temporaryRoot(), temporaryRoot()]
    for (const root of [local, remote]) writeFileSync(join(root, 'same'), 'content')
    writeFileSync(join(local, 'different'), 'mine')
    writeFileSync(join(remote, 'different'), 'its.')
    const pair = await synced({ local, remote })
    const status = await settled(pair)
    expect(status.applied).toEqual({ local: 0, remote: 0 })
    expect(status.conflicts.map(({ path }) => path)).toEqual(['different'])
    expect([...(pair.base.tree.children?.keys() ?? [])]).toEqual(['same'])
  })

  test('halt when one is gone, and go on when it is back', async () => {
    const pair = await synced()
    for (let i = 0; i < 5; i++) writeFileSync(join(pair.local, `f${i}`), `${i}`)
    await settled(pair)
    renameSync(pair.remote, `${pair.remote}.away`)
    expect(await settled(pair)).toMatchObject({ phase: 'halted', halt: 'the remote folder is not there' })
    writeFileSync(join(pair.local, 'meanwhile'), '')
    renameSync(`${pair.remote}.away`, pair.remote)
    expect((await settled(pair)).phase).toBe('in-sync')
    expect(contentsOf(pair.remote)).toEqual(contentsOf(pair.local))
    expect(Object.keys(contentsOf(pair.local)).length).toBe(6)
  })

  test('do not follow one that was replaced by an empty one', async () => {
    const pair = await synced()
    for (let i = 0; i < 5; i++) writeFileSync(join(pair.local, `f${i}`), `${i}`)
    await settled(pair)
    renameSync(pair.remote, `${pair.remote}.away`)
    mkdirSync(pair.remote)
    await Promise.all(pair.replicas.map((replica) => replica.rescan('all')))
    expect((await pair.session.closed).message).toBe('the remote folder was replaced by another one')
    expect(Object.keys(contentsOf(pair.local)).length).toBe(5)
    rmSync(`${pair.remote}.away`, { recursive: true })
  })

  test('become equal but for conflicts, whatever is done to both at once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(anyChanges, anyChanges), { maxLength: 3 }), async (rounds) => {
        const pair = await synced()
        for (const [here, there] of rounds) {
          for (const change of here) carryOut(pair.local, change)
          for (const change of there) carryOut(pair.remote, change)
          await new Promise((resolve) => setImmediate(resolve))
        }
        const status = await inSync(pair)
        const excused = [...status.conflicts.map(({ path }) => path), ...pair.replicas.flatMap(opaquePaths)]
        const [local, remote] = [contentsOf(pair.local), contentsOf(pair.remote)]
        for (const path of new Set([...Object.keys(local), ...Object.keys(remote)])) {
          if (!excused.some((other) => isNear(path, other)))
            expect([path, remote[path]]).toEqual([path, local[path]])
        }
      }),
      { numRuns: 40, interruptAfterTimeLimit: 12_000 },
    )
  })
})

/** Links out of the root, which are left alone. */
function opaquePaths({ tree }: Replica): string[] {
  return [...walk(tree)].filter(([, entry]) => entry.kind === 'opaque').map(([path]) => path)
}

async function inSync(pair: Pair): Promise<SessionStatus> {
  for (let i = 0; i < 20; i++) {
    const status = await settled(pair)
    if (status.phase === 'in-sync' && (await settled(pair)).phase === 'in-sync') return pair.session.status
    pair.session.resume()
  }
  throw new Error('never in sync')
}

function isNear(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`)
}
