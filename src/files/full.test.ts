import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Dir } from './replica/dir.ts'
import { openDirectory } from './replica/open-directory.ts'
import { type Call, FaultyDir, systemError } from './replica/testing/faulty-dir.ts'
import { canMount, mount, remount } from './replica/testing/mounts.ts'
import { temporaryRoot } from './replica/testing/roots.ts'
import type { Side } from './side.ts'
import { contentsOf, type Pair, settled, synced } from './testing/pair.ts'

const otherOf = { local: 'remote', remote: 'local' } as const
const WRITES = new Set(['file.write', 'mkdir', 'symlink'])
const CHANGES = new Set([...WRITES, 'createFile', 'unlink', 'rmdir', 'file.chmod', 'rename'])

/** A pair of which one side refuses some calls with a code, for as long as there is one. */
async function refusing(side: Side, calls: ReadonlySet<string>): Promise<{ pair: Pair; disk: Disk }> {
  const disk: Disk = { code: undefined, refused: 0 }
  const before = ({ operation }: Call) => {
    if (disk.code === undefined || !calls.has(operation)) return
    disk.refused++
    throw systemError(disk.code)
  }
  const open = (path: string): Dir => new FaultyDir(openDirectory(path), { before })
  return { pair: await synced({ open: { [side]: open } }), disk }
}

interface Disk {
  code: string | undefined
  refused: number
}

function problemsOf({ session }: Pair) {
  return session.status.problems
}

describe.each(['remote', 'local'] as const)('a %s side', (side) => {
  test.each(['ENOSPC', 'EDQUOT'])(
    'that is full (%s) is left alone but for a try now and then, which is said; it goes on by itself',
    async (code) => {
      const { pair, disk } = await refusing(side, WRITES)
      const [from, to] = [pair[otherOf[side]], pair[side]]
      writeFileSync(join(from, 'goes'), 'x'.repeat(100))
      await settled(pair)
      disk.code = code
      for (let i = 0; i < 100; i++) writeFileSync(join(from, `f${i}`), `content ${i}`)
      mkdirSync(join(from, 'd'))
      writeFileSync(join(from, 'd', 'f'), 'x')
      const status = await settled(pair)
      expect(status.phase).toBe('in-sync')
      expect(problemsOf(pair)).toContainEqual({
        ...{ side, path: '', code },
        message: expect.stringMatching(/(no space|quota).*; \d+ more changes wait/),
      })
      expect(disk.refused).toBeLessThan(10)
      rmSync(join(from, 'goes'))
      await expect.poll(() => existsSync(join(to, 'goes')), { timeout: 5000 }).toBe(false)
      expect(readdirSync(to)).toEqual([])
      disk.code = undefined
      await expect
        .poll(() => problemsOf(pair).length + pair.session.status.conflicts.length, { timeout: 15_000 })
        .toBe(0)
      await settled(pair)
      expect(contentsOf(to)).toEqual(contentsOf(from))
    },
  )

  test('that is read-only by now is not written to, not even to delete; it goes on when it may be', async () => {
    const { pair, disk } = await refusing(side, CHANGES)
    const [from, to] = [pair[otherOf[side]], pair[side]]
    for (let i = 0; i < 5; i++) writeFileSync(join(from, `f${i}`), `content ${i}`)
    await settled(pair)
    disk.code = 'EROFS'
    rmSync(join(from, 'f0'))
    for (let i = 0; i < 30; i++) writeFileSync(join(from, `g${i}`), `content ${i}`)
    await settled(pair)
    await expect.poll(() => problemsOf(pair).map(({ path }) => path)).toContain('')
    expect(problemsOf(pair).every((problem) => problem.side === side)).toBe(true)
    expect(disk.refused).toBeLessThan(10)
    disk.code = undefined
    await expect.poll(() => problemsOf(pair), { timeout: 15_000 }).toEqual([])
    await settled(pair)
    expect(contentsOf(to)).toEqual(contentsOf(from))
  })
})

describe.runIf(canMount())('a volume of 1 MiB', () => {
  async function onVolume(): Promise<Pair> {
    const remote = temporaryRoot()
    mount(remote, '1m')
    return synced({ remote })
  }

  test('takes what fits although something does not, which waits with its reason until it is larger', async () => {
    const pair = await onVolume()
    writeFileSync(join(pair.local, 'a-large'), Buffer.alloc(3_000_000, 'x'))
    for (let i = 0; i < 20; i++) writeFileSync(join(pair.local, `small-${i}`), `content ${i}`)
    await expect.poll(() => readdirSync(pair.remote).length, { timeout: 15_000 }).toBe(20)
    await expect
      .poll(() => problemsOf(pair), { timeout: 15_000 })
      .toMatchObject([{ side: 'remote', path: 'a-large', code: 'ENOSPC' }])
    remount(pair.remote, 'size=16m')
    await expect.poll(() => problemsOf(pair), { timeout: 15_000 }).toEqual([])
    await settled(pair)
    expect(contentsOf(pair.remote)).toEqual(contentsOf(pair.local))
  })

  test('that is made read-only takes nothing, and loses nothing', async () => {
    const pair = await onVolume()
    writeFileSync(join(pair.local, 'f'), '1')
    await settled(pair)
    remount(pair.remote, 'ro')
    writeFileSync(join(pair.local, 'f'), '2')
    await expect
      .poll(() => problemsOf(pair))
      .toMatchObject([{ side: 'remote', path: 'f', code: 'EROFS', message: /read-only/ }])
    remount(pair.remote, 'rw')
    await expect.poll(() => readFileSync(join(pair.remote, 'f'), 'utf8'), { timeout: 15_000 }).toBe('2')
  })

  test('that is full below the folder holds up nothing that is not on it', async () => {
    const pair = await synced()
    mkdirSync(join(pair.remote, 'data'))
    mount(join(pair.remote, 'data'), '64k')
    await settled(pair)
    for (let i = 0; i < 20; i++) writeFileSync(join(pair.local, 'data', `${i}`), Buffer.alloc(20_000, 'x'))
    for (let i = 0; i < 20; i++) writeFileSync(join(pair.local, `${i}`), Buffer.alloc(20_000, 'x'))
    await settled(pair)
    await expect.poll(() => problemsOf(pair).map(({ path }) => path)).toContain('data')
    expect(readdirSync(pair.remote).length).toBe(21)
    expect(problemsOf(pair).map(({ path }) => path)).not.toContain('')
  })
})
