import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Operation } from '../operation.ts'
import { openDirectory } from '../replica/open-directory.ts'
import { temporaryRoot } from '../replica/testing/roots.ts'
import { carriedOut, servedReplica, stampAt } from '../replica/testing/served.ts'
import { storeName } from './layout.ts'
import { sweepTrash } from './sweep.ts'
import { keptIn } from './testing/catalog.ts'

const DAY = 86_400_000
const limits = { maxAge: 14 * DAY, maxSize: 1000 }

/** A trash with these files in it, and a folder and a link. */
async function trashOf(files: Record<string, string>): Promise<{ home: string; root: string }> {
  const [root, home] = [temporaryRoot(), join(temporaryRoot(), 'trash')]
  mkdirSync(join(root, 'd'))
  for (const [path, content] of Object.entries(files)) writeFileSync(join(root, path), content)
  symlinkSync('nowhere', join(root, 'd/link'))
  const replica = await servedReplica(root, openDirectory, { trash: home })
  const remove = (path: string): Operation => ({ op: 'remove', path, expect: stampAt(replica, path) })
  await carriedOut(replica, [...Object.keys(files), 'd/link', 'd'].map(remove))
  return { home, root }
}

describe('a sweep', () => {
  test('changes nothing while all is within its limits', async () => {
    const { home } = await trashOf({ f: '1', 'd/f': '2' })
    const now = Date.now() + 13 * DAY
    expect(await sweepTrash(home, { limits, now })).toEqual({ removed: 0, freed: 0 })
    expect(await keptIn(home)).toEqual(['d/f: 2', 'd/link: -> nowhere', 'd: directory', 'f: 1'])
  })

  test('leaves nothing of what is too old, not even its directories', async () => {
    const { home, root } = await trashOf({ f: '123', 'd/f': '45' })
    const now = Date.now() + 15 * DAY
    expect(await sweepTrash(home, { limits, now })).toMatchObject({ freed: 5 })
    expect(await keptIn(home)).toEqual([])
    expect(readdirSync(join(home, storeName(root)))).toEqual(['folder'])
  })

  test('removes a copy that was cut off', async () => {
    const { home, root } = await trashOf({ f: '1' })
    const store = join(home, storeName(root))
    const [pass = ''] = readdirSync(store).filter((name) => name !== 'folder')
    writeFileSync(join(store, pass, '.kubesync-tmp-1-0123456789abcdef-0'), 'half')
    expect((await keptIn(home)).filter((line) => line.includes('half'))).toEqual([])
    await sweepTrash(home, { limits, now: Date.now() + 15 * DAY })
    expect(readdirSync(store)).toEqual(['folder'])
  })

  test('touches nothing in a store that is none of ours', async () => {
    const { home, root } = await trashOf({ f: '1' })
    const store = join(home, storeName(root))
    for (const path of [join(home, 'file'), join(store, 'file')]) writeFileSync(path, '')
    mkdirSync(join(store, 'notes'))
    await sweepTrash(home, { limits, now: Date.now() + 15 * DAY })
    expect(readdirSync(store).sort()).toEqual(['file', 'folder', 'notes'])
    expect(existsSync(join(home, 'file'))).toBe(true)
  })

  test('that is told to stop leaves the rest', async () => {
    const { home } = await trashOf({ f: '1' })
    await sweepTrash(home, { limits, now: Date.now() + 15 * DAY, signal: AbortSignal.abort() })
    expect(await keptIn(home)).toHaveLength(3)
  })

  test('of no trash is none', async () => {
    const home = join(temporaryRoot(), 'none')
    expect(await sweepTrash(home, { limits })).toEqual({ removed: 0, freed: 0 })
    expect(existsSync(home)).toBe(false)
  })
})
