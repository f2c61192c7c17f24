import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { addSpec, type Config, removeSpecs } from './store.ts'
import { type ConfigWatch, watchConfig } from './watch.ts'

let home: string
let path: string
let watching: ConfigWatch | undefined
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'watch-'))
  path = join(home, 'config')
})
afterEach(async () => {
  watching?.close()
  await rm(home, { recursive: true, force: true })
})

const spec = (name: string) =>
  ({ name, local: '/l', remote: '/r', context: 'c', namespace: 'n', pod: 'p', mode: 'two-way-safe' }) as const

/** Watches, and gives what was told so far and a way to wait for the next that is told. */
async function startWatching(options: { settleMs?: number; pollMs?: number } = { settleMs: 5 }) {
  const told: (readonly string[] | string)[] = []
  let wake = () => {}
  const tell = (what: readonly string[] | string) => {
    told.push(what)
    wake()
  }
  watching = await watchConfig(
    path,
    {
      changed: (config: Config) => tell(config.specs.map(({ name }) => name)),
      broken: (error) => tell('code' in error ? String(error.code) : error.message),
    },
    options,
  )
  const until = async (count: number) => {
    while (told.length < count) await new Promise<void>((resolve) => (wake = resolve))
    return told
  }
  return { told, until, initial: watching.initial }
}

test('tells of every spec that comes and goes, in a folder that did not exist', async () => {
  path = join(home, 'new', 'config')
  const { initial, until } = await startWatching()
  expect(initial.specs).toEqual([])
  await addSpec(path, () => spec('one'))
  expect(await until(1)).toEqual([['one']])
  await removeSpecs(path, ['one'])
  expect(await until(2)).toEqual([['one'], []])
})

test('a broken file is told of, and what was good stays until it is mended', async () => {
  await addSpec(path, () => spec('one'))
  const { until } = await startWatching()
  await writeFile(path, 'specs: [')
  expect(await until(1)).toEqual(['CONFIG_BROKEN'])
  await writeFile(path, 'specs: []')
  expect(await until(2)).toEqual(['CONFIG_BROKEN', []])
})

test('a file that vanishes is no order to end its specs', async () => {
  await addSpec(path, () => spec('one'))
  const { until } = await startWatching()
  await rename(path, join(home, 'aside'))
  expect(await until(1)).toEqual(['CONFIG_GONE'])
  await addSpec(path, () => spec('two'))
  expect(await until(2)).toEqual(['CONFIG_GONE', ['two']])
})

test('a file that is written without being changed is not told of', async () => {
  await addSpec(path, () => spec('one'))
  const { told, until } = await startWatching()
  await addSpec(path, () => spec('two'))
  await until(1)
  await writeFile(
    path,
    `# a note\nspecs:\n  - ${JSON.stringify(spec('one'))}\n  - ${JSON.stringify(spec('two'))}\n`,
  )
  await addSpec(path, () => spec('three'))
  await until(2)
  expect(told).toEqual([
    ['one', 'two'],
    ['one', 'two', 'three'],
  ])
})

test('the target of a symlinked file is followed', async () => {
  await mkdir(join(home, 'dotfiles'))
  await writeFile(join(home, 'dotfiles', 'sync.yaml'), '')
  await symlink('dotfiles/sync.yaml', path)
  const { until } = await startWatching()
  await addSpec(path, () => spec('one'))
  expect(await until(1)).toEqual([['one']])
})

test('a change that the file system does not tell of is found by looking', async () => {
  const folder = join(home, 'replaced')
  path = join(folder, 'config')
  const { until } = await startWatching({ settleMs: 1, pollMs: 10 })
  await rm(folder, { recursive: true })
  await mkdir(folder)
  await addSpec(path, () => spec('one'))
  expect(await until(1)).toEqual([['one']])
})

test('a configuration that is broken from the start is refused', async () => {
  await writeFile(path, 'specs: [')
  await expect(startWatching()).rejects.toMatchObject({ code: 'CONFIG_BROKEN' })
})
