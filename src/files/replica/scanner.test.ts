import { execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { nodeAt } from '../delta.ts'
import type { Entry, Path } from '../tree.ts'
import { openDirectory } from './open-directory.ts'
import { PathDir } from './path-dir.ts'
import { TEMPORARY_PREFIX } from './temporary.ts'
import { diskAsText, treeAsText } from './testing/disk.ts'
import { makePipe, temporaryRoot } from './testing/roots.ts'
import { Scanning } from './testing/scanning.ts'
import { servedReplica } from './testing/served.ts'

function setUp(): { root: string; scanning: Scanning } {
  const root = temporaryRoot()
  return { root, scanning: new Scanning(root) }
}

function entryAt(scanning: Scanning, path: Path): Entry | undefined {
  return nodeAt(scanning.tree, path)?.entry
}

describe('a scan', () => {
  test.each([
    ['FdDir', undefined],
    ['PathDir', (path: string) => new PathDir(path)],
  ])('finds everything there is, through %s', async (_, open) => {
    const root = temporaryRoot()
    mkdirSync(join(root, 'a/b/c'), { recursive: true })
    mkdirSync(join(root, 'empty'))
    writeFileSync(join(root, 'a/new\nline and space'), 'x')
    writeFileSync(join(root, 'a/b/c/ünï'), '')
    chmodSync(join(root, 'a/b/c/ünï'), 0o755)
    symlinkSync('../b', join(root, 'a/link'))
    const scanning = new Scanning(root, open)
    await scanning.rescan()
    expect(treeAsText(scanning.tree)).toEqual(diskAsText(root))
    expect(entryAt(scanning, 'a/b/c/ünï')).toMatchObject({ kind: 'file', executable: true })
    expect(entryAt(scanning, 'a/new\nline and space')).toMatchObject({ executable: false })
    expect(scanning.problems).toEqual(new Map())
  })

  test('tells of nothing when nothing changed', async () => {
    const { root, scanning } = setUp()
    mkdirSync(join(root, 'd'))
    writeFileSync(join(root, 'd/f'), 'x')
    utimesSync(join(root, 'd/f'), 1, 1)
    await scanning.rescan()
    scanning.deltas.length = 0
    await scanning.rescan()
    await scanning.rescan(['d', 'd/f', 'nothing/here', ''])
    expect(scanning.deltas).toEqual([])
  })

  test('does not care for the times of directories', async () => {
    const { root, scanning } = setUp()
    mkdirSync(join(root, 'd'))
    await scanning.rescan()
    writeFileSync(join(root, 'd/f'), '')
    await scanning.rescan()
    expect(scanning.deltas.at(-1)?.map(([path]) => path)).toEqual(['d/f'])
  })

  test('of a directory that was replaced by another has parents first and all that is in it', async () => {
    const { root, scanning } = setUp()
    mkdirSync(join(root, 'a/b'), { recursive: true })
    writeFileSync(join(root, 'a/b/old'), '')
    mkdirSync(join(root, 'other/b'), { recursive: true })
    writeFileSync(join(root, 'other/b/new'), '')
    await scanning.rescan()
    renameSync(join(root, 'a'), join(root, 'gone'))
    renameSync(join(root, 'other'), join(root, 'a'))
    await scanning.rescan(['a'])
    expect(nodeAt(scanning.tree, 'a/b')?.children?.has('new')).toBe(true)
    await scanning.rescan()
    expect(treeAsText(scanning.tree)).toEqual(diskAsText(root))
  })

  test('looks at where a path ends, when it asks for one below what is no directory any more', async () => {
    const { root, scanning } = setUp()
    mkdirSync(join(root, 'a/b/c'), { recursive: true })
    await scanning.rescan()
    rmSync(join(root, 'a/b'), { recursive: true })
    symlinkSync('elsewhere', join(root, 'a/b'))
    await scanning.rescan(['a/b/c/d'])
    expect(entryAt(scanning, 'a/b')).toMatchObject({ kind: 'symlink', target: 'elsewhere' })
  })
})

describe('what cannot be synced is opaque, and a problem', () => {
  test('sockets and named pipes', async () => {
    const { root, scanning } = setUp()
    makePipe(join(root, 'pipe'))
    const server = createServer().listen(join(root, 'socket'))
    await new Promise((resolve) => server.once('listening', resolve))
    onTestFinished(() => void server.close())
    await scanning.rescan()
    expect(entryAt(scanning, 'pipe')).toMatchObject({ kind: 'opaque' })
    expect(scanning.problems.get('socket')).toMatchObject({
      code: 'UNSUPPORTED_KIND',
      message: 'is a socket, which cannot be synced',
    })
  })

  test('names that are not UTF-8', async () => {
    const { root, scanning } = setUp()
    mkdirSync(join(root, 'd'))
    writeFileSync(Buffer.concat([Buffer.from(`${root}/d/bad`), Buffer.from([0xff])]), '')
    await scanning.rescan()
    expect(scanning.problems.get('d/bad\ufffd')?.code).toBe('NAME_NOT_UTF8')
    await scanning.rescan()
    expect(entryAt(scanning, 'd/bad\ufffd')).toMatchObject({ kind: 'opaque' })
  })

  test.each(['/etc/passwd', '../outside', 'd/../../outside', '..', 'd/../x'])(
    'a link to %s',
    async (target) => {
      const { root, scanning } = setUp()
      symlinkSync(target, join(root, 'link'))
      await scanning.rescan()
      expect(entryAt(scanning, 'link')).toMatchObject({ kind: 'opaque' })
      expect(scanning.problems.get('link')?.code).toMatch(/^LINK_/)
    },
  )

  test.each(['../x', '.', 'not/there', '.././d//x'])(
    'but not a link to %s from a directory',
    async (target) => {
      const { root, scanning } = setUp()
      mkdirSync(join(root, 'd'))
      symlinkSync(target, join(root, 'd/link'))
      await scanning.rescan()
      expect(entryAt(scanning, 'd/link')).toMatchObject({ kind: 'symlink', target })
    },
  )

  test('a path that is too deep', async () => {
    const { root, scanning } = setUp()
    mkdirSync(join(root, ...Array.from({ length: 260 }, () => 'd')), { recursive: true })
    await scanning.rescan()
    const [problem] = scanning.problems.values()
    expect(problem?.code).toBe('PATH_TOO_DEEP')
    expect(problem?.path.split('/')).toHaveLength(257)
  })

  test('a path that is too long', async () => {
    const { root, scanning } = setUp()
    let dir = openDirectory(root)
    const name = 'n'.repeat(250)
    for (let i = 0; i < 17; i++) {
      dir.mkdir(name)
      const below = dir.openDir(name)
      dir.close()
      dir = below
    }
    dir.close()
    await scanning.rescan()
    const [problem] = scanning.problems.values()
    expect(problem?.code).toBe('PATH_TOO_LONG')
    expect(problem?.path.split('/')).toHaveLength(17)
    // Node cannot: it removes by path.
    execFileSync('rm', ['-rf', join(root, name)])
  })

  test('and a problem no longer once it is gone, or mended', async () => {
    const { root, scanning } = setUp()
    mkdirSync(join(root, 'd'))
    symlinkSync('/etc', join(root, 'd/link'))
    symlinkSync('/etc', join(root, 'link'))
    await scanning.rescan()
    expect([...scanning.problems.keys()].sort()).toEqual(['d/link', 'link'])
    rmSync(join(root, 'd'), { recursive: true })
    rmSync(join(root, 'link'))
    symlinkSync('d', join(root, 'link'))
    await scanning.rescan()
    expect(scanning.problems).toEqual(new Map())
  })
})

describe('our temporary files', () => {
  const nameOf = (pid: number) => `${TEMPORARY_PREFIX}${pid}-0123456789abcdef-0`
  const gone = () => spawnSync('true').pid

  test('are in no tree; what a process left that is gone is removed, however young', async () => {
    const root = temporaryRoot()
    mkdirSync(join(root, 'd'))
    writeFileSync(join(root, 'd', nameOf(gone())), '')
    symlinkSync('half', join(root, nameOf(gone())))
    const scanning = new Scanning(root)
    await scanning.rescan()
    expect(treeAsText(scanning.tree)).toEqual({ d: expect.any(String) })
    expect(readdirSync(root)).toEqual(['d'])
    expect(readdirSync(join(root, 'd'))).toEqual([])
    expect(scanning.problems).toEqual(new Map())
  })

  test('of a process that runs are left alone: another session may be writing them', async () => {
    const root = temporaryRoot()
    const theirs = nameOf(process.ppid)
    writeFileSync(join(root, theirs), 'half')
    const scanning = new Scanning(root)
    await scanning.rescan()
    expect(treeAsText(scanning.tree)).toEqual({})
    expect(readFileSync(join(root, theirs), 'utf8')).toBe('half')
  })

  test('of a process that ends later go soon after it', async () => {
    const root = temporaryRoot()
    const other = spawn('sleep', ['600'])
    writeFileSync(join(root, nameOf(other.pid ?? 0)), 'half')
    const replica = await servedReplica(root)
    await replica.rescan('all')
    expect(readdirSync(root)).toHaveLength(1)
    other.kill('SIGKILL')
    await vi.waitFor(() => expect(readdirSync(root)).toEqual([]), { timeout: 15_000 })
  })

  test('are files and links: a directory by such a name is not removed', async () => {
    const root = temporaryRoot()
    mkdirSync(join(root, nameOf(gone())))
    await new Scanning(root).rescan()
    expect(readdirSync(root)).toHaveLength(1)
  })

  test('are told from files of users by more than how they begin', async () => {
    const { root, scanning } = setUp()
    writeFileSync(join(root, `${TEMPORARY_PREFIX}notes`), '')
    utimesSync(join(root, `${TEMPORARY_PREFIX}notes`), 1, 1)
    await scanning.rescan()
    expect(Object.keys(treeAsText(scanning.tree))).toEqual([`${TEMPORARY_PREFIX}notes`])
    expect(existsSync(join(root, `${TEMPORARY_PREFIX}notes`))).toBe(true)
  })
})

describe('a root', () => {
  test('that vanishes leaves no tree, and one that appears is scanned', async () => {
    const root = join(temporaryRoot(), 'root')
    const scanning = new Scanning(root)
    await scanning.rescan()
    expect(scanning.tree).toBeUndefined()
    expect(scanning.problems.get('')?.code).toBe('ROOT_MISSING')
    mkdirSync(join(root, 'd'), { recursive: true })
    await scanning.nextPass()
    expect(treeAsText(scanning.tree)).toEqual(diskAsText(root))
    expect(scanning.problems).toEqual(new Map())
    rmSync(root, { recursive: true })
    await scanning.disappearance()
    writeFileSync(root, 'now a file')
    await scanning.rescan()
    expect(scanning.tree).toBeUndefined()
    expect(scanning.problems.get('')?.code).toBe('ENOTDIR')
  })

  test('that is replaced by another is another tree, even if it holds the same names', async () => {
    const root = join(temporaryRoot(), 'root')
    mkdirSync(join(root, 'd'), { recursive: true })
    const scanning = new Scanning(root)
    await scanning.rescan()
    renameSync(root, `${root}.old`)
    mkdirSync(join(root, 'd'), { recursive: true })
    scanning.deltas.length = 0
    await scanning.rescan()
    expect(scanning.deltas.flat().map(([path, entry]) => [path, entry?.kind])).toEqual([
      ['', undefined],
      ['', 'directory'],
      ['d', 'directory'],
    ])
  })
})
