import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { canMount, mount } from './replica/testing/mounts.ts'
import { temporaryRoot } from './replica/testing/roots.ts'
import { contentsOf, type Pair, settled, synced } from './testing/pair.ts'

const conflictsOf = ({ session }: Pair) => session.status.conflicts.map(({ path }) => path)

describe.runIf(canMount())('a volume below the folder', () => {
  /** A volume on `data` here, with two files in it that both sides have. */
  async function withVolume(): Promise<{ pair: Pair; unmount: () => void; basePath: string }> {
    const local = temporaryRoot()
    const basePath = join(temporaryRoot(), 'base')
    mkdirSync(join(local, 'data'))
    const unmount = mount(join(local, 'data'))
    writeFileSync(join(local, 'data', 'one'), '1')
    mkdirSync(join(local, 'data', 'sub'))
    writeFileSync(join(local, 'data', 'sub', 'two'), '2')
    writeFileSync(join(local, 'beside'), 'x')
    const pair = await synced({ local, basePath })
    await settled(pair)
    expect(contentsOf(pair.remote)).toEqual(contentsOf(local))
    expect(pair.session.status).toMatchObject({ conflicts: [], problems: [] })
    return { pair, unmount, basePath }
  }

  test('is synced like all else; when it is unmounted, nothing is deleted, and all else goes on', async () => {
    const { pair, unmount } = await withVolume()
    const before = contentsOf(pair.remote)
    unmount()
    writeFileSync(join(pair.local, 'beside'), 'new')
    const status = await settled(pair)
    expect(status.phase).toBe('in-sync')
    expect(status.conflicts).toMatchObject([
      { path: 'data', message: expect.stringContaining('is gone on the local side') },
    ])
    expect(contentsOf(pair.remote)).toEqual({ ...before, beside: 'file new' })
  })

  test('that goes is noticed although nobody reports it', async () => {
    const { pair, unmount } = await withVolume()
    unmount()
    await expect.poll(() => conflictsOf(pair), { timeout: 5000 }).toEqual(['data'])
    expect(readdirSync(join(pair.remote, 'data'))).toEqual(['one', 'sub'])
  })

  test('that is gone when a session starts is no deletion either', async () => {
    const { pair, unmount, basePath } = await withVolume()
    const before = contentsOf(pair.remote)
    await pair.session.stop()
    pair.base.close()
    unmount()
    const again = await synced({ local: pair.local, remote: pair.remote, basePath })
    await settled(again)
    expect(conflictsOf(again)).toEqual(['data'])
    expect(contentsOf(pair.remote)).toEqual(before)
  })

  test('that hides what was there does not delete it, and goes on when it is gone', async () => {
    const pair = await synced()
    mkdirSync(join(pair.local, 'data'))
    writeFileSync(join(pair.local, 'data', 'one'), '1')
    await settled(pair)
    const unmount = mount(join(pair.local, 'data'))
    await pair.replicas[0].rescan(['data/one'])
    await settled(pair)
    expect(conflictsOf(pair)).toEqual(['data'])
    expect(readFileSync(join(pair.remote, 'data', 'one'), 'utf8')).toBe('1')
    unmount()
    await settled(pair)
    writeFileSync(join(pair.remote, 'data', 'one'), 'new')
    await settled(pair)
    expect(conflictsOf(pair)).toEqual([])
    expect(readFileSync(join(pair.local, 'data', 'one'), 'utf8')).toBe('new')
  })

  test('that came or went to stay is merged when a person says so', async () => {
    const { pair, unmount } = await withVolume()
    unmount()
    writeFileSync(join(pair.local, 'data', 'three'), '3')
    await settled(pair)
    await expect(pair.session.conflicts.resolve('data', 'local')).rejects.toThrow('cannot be compared')
    await pair.session.conflicts.resolve('data', 'both')
    await settled(pair)
    expect(conflictsOf(pair)).toEqual([])
    expect(contentsOf(pair.local)).toEqual(contentsOf(pair.remote))
    expect(Object.keys(contentsOf(pair.local))).toEqual([
      'beside',
      'data',
      'data/one',
      'data/sub',
      'data/sub/two',
      'data/three',
    ])
  })
})
