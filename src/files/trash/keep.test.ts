import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Operation } from '../operation.ts'
import { openDirectory } from '../replica/open-directory.ts'
import type { Replica } from '../replica/replica.ts'
import { TRASH_INSIDE } from '../replica/temporary.ts'
import { type Call, FaultyDir, systemError } from '../replica/testing/faulty-dir.ts'
import { put, contentOf as sending, write } from '../replica/testing/puts.ts'
import { temporaryRoot } from '../replica/testing/roots.ts'
import { carriedOut, servedReplica, stampAt } from '../replica/testing/served.ts'
import { storeName } from './layout.ts'
import { catalogOf, contentOf, keptIn } from './testing/catalog.ts'

const remove = (replica: Replica, path: string): Operation => ({
  op: 'remove',
  path,
  expect: stampAt(replica, path),
})

async function removed(replica: Replica, ...paths: string[]): Promise<unknown> {
  const outcomes = await carriedOut(
    replica,
    paths.map((path) => remove(replica, path)),
  )
  return outcomes.map(({ result }) => result)
}

interface Scene {
  readonly root: string
  readonly home: string
  readonly open: () => Promise<Replica>
}

/** A folder and a trash; `fail` names the system error that a call fails with. */
function scene(fail: (call: Call) => string | undefined = () => undefined): Scene {
  const [root, home] = [temporaryRoot(), join(temporaryRoot(), 'trash')]
  const open = (path: string) =>
    new FaultyDir(openDirectory(path), {
      before: (call) => {
        const code = fail(call)
        if (code !== undefined) throw systemError(code)
      },
    })
  return { root, home, open: () => servedReplica(root, open, { trash: home }) }
}

describe('what is kept', () => {
  test('of a file that is replaced is the file itself, and there is no copying', async () => {
    const { root, home, open } = scene()
    writeFileSync(join(root, 'f'), 'old', { mode: 0o640 })
    utimesSync(join(root, 'f'), 1, 1)
    const before = statSync(join(root, 'f'))
    const replica = await open()
    await write(replica, put('f', 'new', stampAt(replica, 'f')), 'new')
    expect(readFileSync(join(root, 'f'), 'utf8')).toBe('new')
    const [item] = (await catalogOf(home)).items
    expect(item).toMatchObject({
      path: 'f',
      kind: 'file',
      size: 3,
      mode: 0o100640,
      mtimeMs: 1000,
      why: 'replaced',
    })
    expect(item && contentOf(home, item)).toBe('old')
    const stored = join(home, storeName(root), item?.pass ?? '', 'files/f')
    expect(statSync(stored)).toMatchObject({ ino: before.ino, nlink: 1 })
  })

  test('of what is removed are files, links and directories', async () => {
    const { root, home, open } = scene()
    mkdirSync(join(root, 'd/e'), { recursive: true })
    chmodSync(join(root, 'd/e'), 0o750)
    writeFileSync(join(root, 'd/new\nline'), 'content')
    symlinkSync('nowhere', join(root, 'd/link'))
    const replica = await open()
    await removed(replica, 'd/new\nline', 'd/link', 'd/e', 'd')
    expect(readdirSync(root)).toEqual([])
    expect(await keptIn(home)).toEqual([
      'd/e: directory',
      'd/link: -> nowhere',
      'd/new\nline: content',
      'd: directory',
    ])
    const { items } = await catalogOf(home)
    expect(items.find(({ path }) => path === 'd/e')?.mode).toBe(0o40750)
    expect(items.every(({ why }) => why === 'deleted')).toBe(true)
  })

  test('says on whose behalf, when, and with what digest, if that was known', async () => {
    const { root, home, open } = scene()
    writeFileSync(join(root, 'f'), 'old')
    const replica = await open()
    const [digest] = await replica.hash([{ path: 'f', stamp: stampAt(replica, 'f') }])
    const origin = { spec: 'demo', pod: 'demo-0', container: 'app' }
    for await (const _ of replica.apply([remove(replica, 'f')], replica, origin));
    const [item] = (await catalogOf(home)).items
    expect(item).toMatchObject({ digest, origin })
    expect(Math.abs(Date.now() - (item?.at ?? 0))).toBeLessThan(60_000)
  })

  test('is every version, also within one pass and where a folder takes the place of a file', async () => {
    const { root, home, open } = scene()
    writeFileSync(join(root, 'a'), '1')
    const replica = await open()
    await write(replica, put('a', '2', stampAt(replica, 'a')), '2')
    await write(replica, put('a', '3', stampAt(replica, 'a')), '3')
    const first = stampAt(replica, 'a')
    const outcomes = await carriedOut(
      replica,
      [
        { op: 'remove', path: 'a', expect: first },
        { op: 'mkdir', path: 'a', expect: 'absent' },
        put('a/b', '4'),
      ],
      sending('4'),
    )
    expect(outcomes.map(({ result }) => result)).toEqual(['done', 'done', 'done'])
    await removed(replica, 'a/b', 'a')
    expect(await keptIn(home)).toEqual(['a/b: 4', 'a: 1', 'a: 2', 'a: 3', 'a: directory'])
  })

  test('is nothing of what merely has a new time', async () => {
    const { root, home, open } = scene()
    writeFileSync(join(root, 'f'), 'same')
    const replica = await open()
    await replica.hash([{ path: 'f', stamp: stampAt(replica, 'f') }])
    await write(replica, put('f', 'same', stampAt(replica, 'f')), 'same')
    expect(await keptIn(home)).toEqual([])
  })

  test('is nothing of what is new, nor is there a trash then', async () => {
    const { home, open } = scene()
    const replica = await open()
    await write(replica, put('f', 'new'), 'new')
    expect(existsSync(home)).toBe(false)
  })

  test('does not change with another name that the file has', async () => {
    const { root, home, open } = scene()
    for (const name of ['replaced', 'removed']) {
      writeFileSync(join(root, name), 'old')
      linkSync(join(root, name), join(root, `other of ${name}`))
    }
    const replica = await open()
    await write(replica, put('replaced', 'new', stampAt(replica, 'replaced')), 'new')
    await removed(replica, 'removed')
    for (const name of ['replaced', 'removed']) writeFileSync(join(root, `other of ${name}`), 'changed')
    expect(await keptIn(home)).toEqual(['removed: old', 'replaced: old'])
  })

  test('can be seen by its owner only', async () => {
    const { root, home, open } = scene()
    mkdirSync(join(root, 'd'))
    writeFileSync(join(root, 'd/f'), 'secret')
    const replica = await open()
    await removed(replica, 'd/f')
    const below = readdirSync(home, { recursive: true, withFileTypes: true })
    const directories = [
      home,
      ...below.filter((one) => one.isDirectory()).map((one) => join(one.parentPath, one.name)),
    ]
    for (const path of directories) expect([path, statSync(path).mode & 0o777]).toEqual([path, 0o700])
  })
})

describe('where a rename does not reach', () => {
  const far = (call: Call) =>
    ['moveTo', 'linkTo'].includes(call.operation) && !isScratch(call) ? 'EXDEV' : undefined
  const isScratch = ({ name }: Call) => name.startsWith('.kubesync-tmp-')

  test('things are copied, down to the disk, with their modes and times', async () => {
    const synced: string[] = []
    const { root, home, open } = scene((call) => {
      if (call.operation === 'file.sync') synced.push(call.name)
      return far(call)
    })
    writeFileSync(join(root, 'replaced'), 'old', { mode: 0o640 })
    writeFileSync(join(root, 'removed'), Buffer.alloc(3_000_000, 'x'), { mode: 0o755 })
    utimesSync(join(root, 'removed'), 1, 1)
    symlinkSync('nowhere', join(root, 'link'))
    const replica = await open()
    await write(replica, put('replaced', 'new', stampAt(replica, 'replaced')), 'new')
    expect(await removed(replica, 'removed', 'link')).toEqual(['done', 'done'])
    expect(readdirSync(root)).toEqual(['replaced'])
    const { items } = await catalogOf(home)
    expect(items.find(({ path }) => path === 'removed')).toMatchObject({
      mode: 0o100755,
      mtimeMs: 1000,
      size: 3_000_000,
    })
    expect(await keptIn(home)).toEqual([
      'link: -> nowhere',
      `removed: ${'x'.repeat(3_000_000)}`,
      'replaced: old',
    ])
    expect(synced).toHaveLength(2)
  })

  test('a file that is written to while it is copied is left alone', async () => {
    const { root, home, open } = scene((call) => {
      if (call.operation === 'file.sync') writeFileSync(join(root, 'f'), 'newer')
      return far(call)
    })
    writeFileSync(join(root, 'f'), 'old')
    const replica = await open()
    expect(await removed(replica, 'f')).toEqual(['stale'])
    expect(readFileSync(join(root, 'f'), 'utf8')).toBe('newer')
    expect(await keptIn(home)).toEqual([])
  })

  test('the trash is in the folder, if it is another filesystem: in no tree, and out of git’s sight', async () => {
    const root = temporaryRoot()
    const home = mkdtempSync(join(tmpdir(), 'kubesync-trash-'))
    onTestFinished(() => rmSync(home, { recursive: true, force: true }))
    if (statSync(root).dev === statSync(home).dev) return
    writeFileSync(join(root, 'f'), 'old')
    const { ino } = lstatSync(join(root, 'f'))
    const replica = await servedReplica(root, openDirectory, { trash: home })
    await removed(replica, 'f')
    await replica.rescan('all')
    expect([...(replica.tree?.children?.keys() ?? [])]).toEqual([])
    expect(replica.problems).toEqual(new Map())
    const inside = join(root, TRASH_INSIDE)
    expect(statSync(inside).mode & 0o777).toBe(0o700)
    expect(readFileSync(join(inside, '.gitignore'), 'utf8')).toBe('*\n')
    const [item] = (await catalogOf(home)).items
    expect(item).toMatchObject({ path: 'f', place: { root } })
    expect(statSync(join(inside, item?.pass ?? '', 'files/f')).ino).toBe(ino)
  })

  test('nobody on the other side can write there', async () => {
    const { root, open } = scene()
    const replica = await open()
    const [outcome] = await carriedOut(replica, [{ op: 'mkdir', path: TRASH_INSIDE, expect: 'absent' }])
    expect(outcome).toMatchObject({ result: 'failed', problem: { code: 'NAME_TAKEN' } })
    expect(readdirSync(root)).toEqual([])
  })

  test('a file that can only be written to is copied first', async () => {
    const { root, home, open } = scene(({ operation }) => (operation === 'rename' ? 'EBUSY' : undefined))
    mkdirSync(join(home, storeName(root)), { recursive: true })
    writeFileSync(join(home, storeName(root), 'folder'), JSON.stringify({ version: 1, root }))
    writeFileSync(join(root, 'f'), 'old')
    const replica = await open()
    expect(await write(replica, put('f', 'new', stampAt(replica, 'f')), 'new')).toMatchObject({
      result: 'done',
    })
    expect(readFileSync(join(root, 'f'), 'utf8')).toBe('new')
    expect(await keptIn(home)).toEqual(['f: old'])
  })
})

describe('what cannot be kept is not touched, and that is said', () => {
  test.each([
    [
      'a full disk, for a copy',
      'ENOSPC',
      (call: Call) => (call.operation === 'linkTo' ? 'EXDEV' : undefined),
    ],
    ['a full disk, for a directory', 'ENOSPC', () => undefined],
    ['a trash that may not be written', 'EACCES', () => undefined],
    ['a disk that fails', 'EIO', () => undefined],
  ])('%s', async (_, code, more) => {
    let isWrong = false
    const { root, home, open } = scene((call) => {
      const isTrash = call.operation === 'file.write' || call.operation === 'mkdir'
      return isWrong && isTrash && call.name !== 'f' && !call.name.startsWith('.kubesync-tmp')
        ? code
        : more(call)
    })
    writeFileSync(join(root, 'f'), 'old')
    writeFileSync(join(root, 'g'), 'old')
    const replica = await open()
    isWrong = true
    const operations = [put('f', 'new', stampAt(replica, 'f')), remove(replica, 'g')]
    const outcomes = await carriedOut(replica, operations, sending('new'))
    const message = expect.stringContaining('cannot be put into the trash')
    expect(outcomes).toMatchObject([
      { result: 'failed', problem: { path: 'f', code: 'NOT_KEPT', message } },
      { result: 'failed', problem: { path: 'g', code: 'NOT_KEPT', message } },
    ])
    expect(readdirSync(root).sort()).toEqual(['f', 'g'])
    expect(readFileSync(join(root, 'f'), 'utf8')).toBe('old')
    isWrong = false
    expect(await removed(replica, 'f', 'g')).toEqual(['done', 'done'])
    expect(await keptIn(home)).toEqual(['f: old', 'g: old'])
  })

  test('a folder that may not be written is what is wrong then, and not the trash', async () => {
    const { root, open } = scene(({ operation }) =>
      ['moveTo', 'checkWritable'].includes(operation) ? 'EACCES' : undefined,
    )
    writeFileSync(join(root, 'f'), 'old')
    const replica = await open()
    expect(await carriedOut(replica, [remove(replica, 'f')])).toMatchObject([{ problem: { code: 'EACCES' } }])
  })

  test('a trash that somebody removes is made again', async () => {
    const { root, home, open } = scene()
    for (const name of ['f', 'g', 'h']) writeFileSync(join(root, name), name)
    const replica = await open()
    await removed(replica, 'f')
    rmSync(home, { recursive: true })
    expect(await removed(replica, 'g')).toEqual(['done'])
    expect(await keptIn(home)).toEqual(['g: g'])
  })
})
