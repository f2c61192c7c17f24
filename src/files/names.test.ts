import { linkSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openDirectory } from './replica/open-directory.ts'
import { isBadOnWindows } from './replica/path-dir.ts'
import { FoldingDir } from './replica/testing/folding-dir.ts'
import { contentsOf, type Pair, settled, synced } from './testing/pair.ts'

const folding = (path: string) => new FoldingDir(openDirectory(path))
const problemsOf = ({ session }: Pair) => session.status.problems.map(({ code, path }) => `${code} ${path}`)

describe('names that differ in case only', () => {
  test('are two files where a side can hold both', async () => {
    const pair = await synced()
    writeFileSync(join(pair.local, 'foo'), '1')
    writeFileSync(join(pair.local, 'Foo'), '2')
    await settled(pair)
    expect(contentsOf(pair.remote)).toEqual({ Foo: 'file 2', foo: 'file 1' })
    renameSync(join(pair.local, 'foo'), join(pair.local, 'FOO'))
    await settled(pair)
    await expect.poll(() => contentsOf(pair.remote)).toEqual({ FOO: 'file 1', Foo: 'file 2' })
  })

  test('are a problem of the one that a side cannot hold beside the other, and no loss', async () => {
    const pair = await synced({ open: { remote: folding } })
    writeFileSync(join(pair.local, 'readme'), '1')
    mkdirSync(join(pair.local, 'd'))
    await settled(pair)
    writeFileSync(join(pair.local, 'README'), '2')
    mkdirSync(join(pair.local, 'D'))
    await settled(pair)
    expect(problemsOf(pair).sort()).toEqual(['NAME_FOLDED D', 'NAME_FOLDED README'])
    expect(contentsOf(pair.local)).toEqual({
      D: 'directory',
      README: 'file 2',
      d: 'directory',
      readme: 'file 1',
    })
    expect(contentsOf(pair.remote)).toEqual({ d: 'directory', readme: 'file 1' })
  })

  test('are a rename on a side that takes them for one, not a copy', async () => {
    const pair = await synced({ open: { remote: folding } })
    writeFileSync(join(pair.local, 'readme'), 'text')
    await settled(pair)
    // Once it is known that the side is of this kind, an event is enough.
    renameSync(join(pair.remote, 'readme'), join(pair.remote, 'README'))
    await pair.replicas[1].rescan('all')
    await expect.poll(() => contentsOf(pair.local), { timeout: 5000 }).toEqual({ README: 'file text' })
    await settled(pair)
    expect(contentsOf(pair.remote)).toEqual({ README: 'file text' })
    expect(problemsOf(pair)).toEqual([])
  })
})

test.each(['con', 'NUL.txt', 'a:b', 'what?', 'ends.', 'ends ', 'tab\t', 'Com1', 'lpt9.log'])(
  'Windows cannot hold %j',
  (name) => {
    expect(isBadOnWindows(name)).toBe(true)
  },
)

test.each(['console', 'com10', '.gitignore', 'a b', 'nul-1', 'ünï'])('Windows can hold %j', (name) => {
  expect(isBadOnWindows(name)).toBe(false)
})

describe('a file with several names', () => {
  test('is synced as several files; what is written by one name is seen by all', async () => {
    const pair = await synced()
    for (const name of ['one', 'other']) mkdirSync(join(pair.local, name))
    writeFileSync(join(pair.local, 'one', 'a'), 'old')
    linkSync(join(pair.local, 'one', 'a'), join(pair.local, 'other', 'b'))
    await settled(pair)
    expect(statSync(join(pair.remote, 'one', 'a')).nlink).toBe(1)
    writeFileSync(join(pair.local, 'one', 'a'), 'longer')
    const there = () => ['one/a', 'other/b'].map((path) => readFileSync(join(pair.remote, path), 'utf8'))
    await expect.poll(there, { timeout: 5000 }).toEqual(['longer', 'longer'])
  })

  test('of which one is replaced keeps its content by the other', async () => {
    const pair = await synced()
    for (const name of ['a', 'b']) writeFileSync(join(pair.local, name), 'old')
    await settled(pair)
    // The receiver's are one file by now.
    renameSync(join(pair.remote, 'b'), join(pair.remote, 'c'))
    linkSync(join(pair.remote, 'a'), join(pair.remote, 'b'))
    await settled(pair)
    writeFileSync(join(pair.local, 'a'), 'new')
    await settled(pair)
    await settled(pair)
    expect(contentsOf(pair.remote)).toMatchObject({ a: 'file new', b: 'file old' })
    expect(contentsOf(pair.local)).toMatchObject({ a: 'file new', b: 'file old' })
    expect(pair.session.status.conflicts).toEqual([])
  })
})
