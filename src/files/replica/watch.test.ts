import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nodeAt } from '../delta.ts'
import type { Dir, Watching, WatchListener } from './dir.ts'
import { digestOf } from './hash.ts'
import { openDirectory } from './open-directory.ts'
import { anyChanges, carryOut } from './testing/changes.ts'
import { diskAsText, treeAsText } from './testing/disk.ts'
import { FaultyDir, systemError } from './testing/faulty-dir.ts'
import { openDescriptors, temporaryRoot } from './testing/roots.ts'
import { Scanning } from './testing/scanning.ts'

/** As it is when the user's watches are used up. */
function unwatchable(path: string): Dir {
  return new FaultyDir(openDirectory(path), {
    before: ({ operation }) => {
      if (operation === 'watch') throw systemError('ENOSPC')
    },
  })
}

describe('watching', () => {
  test('sees directories made deep and filled at once', async () => {
    const root = temporaryRoot()
    const scanning = new Scanning(root)
    await scanning.rescan()
    for (let i = 0; i < 20; i++) {
      execFileSync('sh', ['-c', `mkdir -p ${i}/a/b/c && echo x > ${i}/a/b/c/f`], { cwd: root })
      await scanning.convergence()
    }
    expect(Object.keys(treeAsText(scanning.tree))).toHaveLength(100)
  })

  test('sees a copy of 5,000 files whole', async () => {
    const root = temporaryRoot()
    const source = temporaryRoot()
    for (let d = 0; d < 100; d++) {
      mkdirSync(join(source, `d${d}/sub`), { recursive: true })
      for (let f = 0; f < 50; f++) writeFileSync(join(source, `d${d}/sub/f${f}`), `${f}`)
    }
    const scanning = new Scanning(root)
    await scanning.rescan()
    const copying = spawn('cp', ['-r', source, join(root, 'copy')])
    await new Promise((resolve) => copying.once('exit', resolve))
    await scanning.convergence()
    expect(Object.keys(treeAsText(scanning.tree))).toHaveLength(5201)
  })

  test('sees what happens in a directory that was moved', async () => {
    const root = temporaryRoot()
    mkdirSync(join(root, 'a/b'), { recursive: true })
    const scanning = new Scanning(root)
    await scanning.rescan()
    renameSync(join(root, 'a'), join(root, 'moved'))
    await scanning.convergence()
    writeFileSync(join(root, 'moved/b/f'), '')
    await scanning.convergence()
    expect(nodeAt(scanning.tree, 'moved/b/f')).toBeDefined()
  })

  test('converges with what is on disk after any burst of changes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyChanges, { minLength: 1, maxLength: 4 }), async (bursts) => {
        const root = temporaryRoot()
        const scanning = new Scanning(root)
        await scanning.rescan()
        for (const burst of bursts) {
          for (const change of burst) carryOut(root, change)
          await scanning.convergence()
        }
        await scanning.scanner.close()
      }),
      { numRuns: 60 },
    )
  })

  test('misses nothing when the queue of events overflows', async () => {
    const root = temporaryRoot()
    mkdirSync(join(root, 'last'))
    const scanning = new Scanning(root)
    await scanning.rescan()
    for (let i = 0; i < 10_000; i++) {
      writeFileSync(join(root, `${i}`), '')
      unlinkSync(join(root, `${i}`))
    }
    writeFileSync(join(root, 'last/f'), '')
    await scanning.convergence()
    expect(nodeAt(scanning.tree, 'last/f')).toBeDefined()
  })

  test('without watches looks again every second, and says so', async () => {
    const root = temporaryRoot()
    mkdirSync(join(root, 'd'))
    const scanning = new Scanning(root, unwatchable)
    await scanning.rescan()
    expect(scanning.problems.get('')?.code).toBe('WATCH_LIMIT')
    writeFileSync(join(root, 'd/f'), '')
    await scanning.convergence()
    expect(nodeAt(scanning.tree, 'd/f')).toBeDefined()
  })

  test('holds no descriptor of a directory', async () => {
    const root = temporaryRoot()
    for (let d = 0; d < 300; d++) mkdirSync(join(root, `${d}`))
    const before = openDescriptors()
    const scanning = new Scanning(root)
    await scanning.rescan()
    // The root, and one for all inotify watches.
    expect(openDescriptors() - before).toBeLessThan(5)
    rmSync(root, { recursive: true })
    await scanning.disappearance()
    expect(openDescriptors() - before).toBeLessThan(4)
  })
})

describe('where one watch reports what is below', () => {
  test('only the root is watched, and paths lead to the directory', async () => {
    const root = temporaryRoot()
    mkdirSync(join(root, 'a/b'), { recursive: true })
    const listeners: WatchListener[] = []
    class Native extends FaultyDir {
      override readonly watchesBelow = true
      override openDir(name: string): Dir {
        return new Native(super.openDir(name), {})
      }
      override watch(listener: WatchListener): Watching {
        listeners.push(listener)
        return { close() {} }
      }
    }
    const scanning = new Scanning(root, (path) => new Native(openDirectory(path), {}))
    await scanning.rescan()
    expect(listeners).toHaveLength(1)
    writeFileSync(join(root, 'a/b/f'), '')
    listeners[0]?.('a/b/f', true)
    await scanning.nextPass()
    expect(nodeAt(scanning.tree, 'a/b/f')).toBeDefined()
  })
})

describe('a rescan of the paths where something happened', () => {
  test('is as good as one of everything', async () => {
    await fc.assert(
      fc.asyncProperty(anyChanges, anyChanges, async (before, after) => {
        const root = temporaryRoot()
        for (const change of before) carryOut(root, change)
        const scanning = new Scanning(root, unwatchable)
        await scanning.rescan()
        await scanning.rescan(after.flatMap((change) => carryOut(root, change)))
        expect(treeAsText(scanning.tree)).toEqual(diskAsText(root))
        await scanning.scanner.close()
      }),
      { numRuns: 200 },
    )
  })
})

describe('a file written twice within one tick of the clock', () => {
  /** All files seem to have been written at the same time, just now. */
  function withStoppedClock(path: string): Dir {
    const now = Math.round(Date.now() / 1000) * 1000
    return new FaultyDir(openDirectory(path), {
      stats: (stats) => Object.assign(stats, { mtimeMs: now, ctimeMs: now }),
    })
  }

  test('is read again, and told of if it is another, though its stamp is the same', async () => {
    const root = temporaryRoot()
    writeFileSync(join(root, 'f'), 'one')
    const scanning = new Scanning(root, withStoppedClock)
    await scanning.rescan()
    const entry = nodeAt(scanning.tree, 'f')?.entry
    writeFileSync(join(root, 'f'), 'two')
    await scanning.nextPass()
    expect(scanning.deltas.at(-1)).toEqual([['f', { ...entry, digest: digestOf(Buffer.from('two')) }]])
  })

  test('is told of once', async () => {
    const root = temporaryRoot()
    writeFileSync(join(root, 'f'), 'one')
    const scanning = new Scanning(root, withStoppedClock)
    await scanning.rescan()
    await scanning.rescan()
    scanning.deltas.length = 0
    await scanning.rescan()
    expect(scanning.deltas).toEqual([])
  })
})
