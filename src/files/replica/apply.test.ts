import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { digestOf } from './hash.ts'
import { act, MTIME, put, write } from './testing/puts.ts'
import { temporaryRoot } from './testing/roots.ts'
import { entryAt, fileAt, servedReplica, stampAt } from './testing/served.ts'

describe('a put', () => {
  test('creates a file with the modification time of its source and the mode of the umask', async () => {
    const root = temporaryRoot()
    const replica = await servedReplica(root)
    expect(await write(replica, put('f', 'content', 'absent', true), 'content')).toMatchObject({
      result: 'done',
    })
    const stats = statSync(join(root, 'f'))
    expect(stats.mtimeMs).toBe(MTIME)
    expect(stats.mode & 0o777).toBe(0o777 & ~process.umask())
    expect(readdirSync(root)).toEqual(['f'])
  })

  test('never replaces what came where nothing was', async () => {
    const root = temporaryRoot()
    const replica = await servedReplica(root)
    for (const [name, make] of [
      ['file', (path: string) => writeFileSync(path, 'theirs')],
      ['directory', (path: string) => mkdirSync(path)],
      ['link', (path: string) => symlinkSync('nowhere', path)],
    ] as const) {
      make(join(root, name))
      expect(await write(replica, put(name, 'ours'), 'ours')).toEqual({ result: 'stale', path: name })
    }
    expect(readFileSync(join(root, 'file'), 'utf8')).toBe('theirs')
    expect(readdirSync(root).sort()).toEqual(['directory', 'file', 'link'])
  })

  test('never replaces what is not what was expected', async () => {
    const root = temporaryRoot()
    writeFileSync(join(root, 'f'), 'old')
    const replica = await servedReplica(root)
    const seen = stampAt(replica, 'f')
    writeFileSync(join(root, 'f'), 'edited')
    expect(await write(replica, put('f', 'new', seen), 'new')).toEqual({ result: 'stale', path: 'f' })
    expect(readFileSync(join(root, 'f'), 'utf8')).toBe('edited')
    rmSync(join(root, 'f'))
    expect(await write(replica, put('f', 'new', seen), 'new')).toEqual({ result: 'stale', path: 'f' })
    expect(readdirSync(root)).toEqual([])
    await replica.rescan([])
    expect(replica.tree?.children?.size).toBe(0)
  })

  test('keeps permissions and owner of what it replaces, but for the executable bit', async () => {
    const root = temporaryRoot()
    writeFileSync(join(root, 'f'), 'old', { mode: 0o640 })
    if (process.getuid?.() === 0) chownSync(join(root, 'f'), 1234, 5678)
    const { uid, gid } = statSync(join(root, 'f'))
    const replica = await servedReplica(root)
    await write(replica, put('f', 'new', stampAt(replica, 'f')), 'new')
    expect(statSync(join(root, 'f'))).toMatchObject({ uid, gid, mode: 0o100640 })
    await write(replica, put('f', 'newer', stampAt(replica, 'f'), true), 'newer')
    expect(statSync(join(root, 'f'))).toMatchObject({ uid, gid, mode: 0o100750 })
    expect(fileAt(replica, 'f').executable).toBe(true)
  })

  test('replaces a link, not what it leads to', async () => {
    const root = temporaryRoot()
    writeFileSync(join(root, 'target'), 'target')
    symlinkSync('target', join(root, 'f'))
    const replica = await servedReplica(root)
    await write(replica, put('f', 'new', stampAt(replica, 'f')), 'new')
    expect(readFileSync(join(root, 'f'), 'utf8')).toBe('new')
    expect(readFileSync(join(root, 'target'), 'utf8')).toBe('target')
  })

  test('does not change the other names of a file', async () => {
    const root = temporaryRoot()
    writeFileSync(join(root, 'f'), 'old')
    linkSync(join(root, 'f'), join(root, 'other'))
    const replica = await servedReplica(root)
    await write(replica, put('f', 'new', stampAt(replica, 'f')), 'new')
    expect(readFileSync(join(root, 'other'), 'utf8')).toBe('old')
  })

  test('goes through no link on the way to its directory', async () => {
    const root = temporaryRoot()
    const outside = temporaryRoot()
    mkdirSync(join(root, 'a/b'), { recursive: true })
    const replica = await servedReplica(root)
    renameSync(join(root, 'a'), join(root, 'moved'))
    mkdirSync(join(outside, 'b'))
    symlinkSync(outside, join(root, 'a'))
    expect(await write(replica, put('a/b/f', 'x'), 'x')).toEqual({ result: 'stale', path: 'a/b/f' })
    expect(await write(replica, put('not/there', 'x'), 'x')).toEqual({ result: 'stale', path: 'not/there' })
    expect(readdirSync(join(outside, 'b'))).toEqual([])
    await replica.rescan([])
    expect(entryAt(replica, 'a').kind).toBe('opaque')
  })

  test('writes nothing of what is damaged, short, or longer than announced', async () => {
    const root = temporaryRoot()
    const replica = await servedReplica(root)
    expect(await write(replica, put('f', 'four'), 'fourteen')).toMatchObject({
      result: 'failed',
      problem: { code: 'CONTENT_DAMAGED' },
    })
    expect(await write(replica, put('f', 'fourteen'), 'four')).toMatchObject({ result: 'failed' })
    const large = Buffer.alloc(300_000)
    expect(await write(replica, put('f', large), Buffer.alloc(200_000))).toMatchObject({ result: 'failed' })
    expect(await write(replica, put('f', large), Buffer.alloc(1_000_000))).toMatchObject({ result: 'failed' })
    expect(readdirSync(root)).toEqual([])
  })
})

describe('other operations', () => {
  test('make directories and links where nothing is', async () => {
    const root = temporaryRoot()
    const replica = await servedReplica(root)
    expect(await act(replica, { op: 'mkdir', path: 'd', expect: 'absent' })).toBe('done')
    expect(await act(replica, { op: 'mkdir', path: 'd', expect: 'absent' })).toBe('stale')
    expect(await act(replica, { op: 'symlink', path: 'd/l', expect: 'absent', target: '../d' })).toBe('done')
    expect(await act(replica, { op: 'symlink', path: 'd/l', expect: 'absent', target: 'x' })).toBe('stale')
    expect(readlinkSync(join(root, 'd/l'))).toBe('../d')
  })

  test('make no link that leads out of the root', async () => {
    const root = temporaryRoot()
    const replica = await servedReplica(root)
    for (const target of ['/etc/passwd', '../outside']) {
      expect(await act(replica, { op: 'symlink', path: 'l', expect: 'absent', target })).toBe('failed')
    }
    expect(readdirSync(root)).toEqual([])
  })

  test('replace links at one go', async () => {
    const root = temporaryRoot()
    symlinkSync('old', join(root, 'l'))
    const replica = await servedReplica(root)
    const expect_ = stampAt(replica, 'l')
    expect(await act(replica, { op: 'symlink', path: 'l', expect: expect_, target: 'new' })).toBe('done')
    expect(await act(replica, { op: 'symlink', path: 'l', expect: expect_, target: 'newer' })).toBe('stale')
    expect(readdirSync(root)).toEqual(['l'])
    expect(readlinkSync(join(root, 'l'))).toBe('new')
  })

  test('set and clear the executable bit for those who may read, and nothing else', async () => {
    const root = temporaryRoot()
    writeFileSync(join(root, 'f'), 'x')
    chmodSync(join(root, 'f'), 0o640)
    const replica = await servedReplica(root)
    await replica.hash([{ path: 'f', stamp: stampAt(replica, 'f') }])
    const seen = stampAt(replica, 'f')
    expect(await act(replica, { op: 'chmod', path: 'f', expect: seen, executable: true })).toBe('done')
    expect(statSync(join(root, 'f')).mode & 0o777).toBe(0o750)
    expect(fileAt(replica, 'f')).toMatchObject({ executable: true, digest: digestOf(Buffer.from('x')) })
    expect(await act(replica, { op: 'chmod', path: 'f', expect: seen, executable: false })).toBe('stale')
    const now = stampAt(replica, 'f')
    expect(await act(replica, { op: 'chmod', path: 'f', expect: now, executable: false })).toBe('done')
    expect(statSync(join(root, 'f')).mode & 0o777).toBe(0o640)
  })

  test('remove what was seen, and no directory that has something in it', async () => {
    const root = temporaryRoot()
    mkdirSync(join(root, 'd'))
    writeFileSync(join(root, 'd/f'), '')
    const replica = await servedReplica(root)
    const [directory, file] = [stampAt(replica, 'd'), stampAt(replica, 'd/f')]
    writeFileSync(join(root, 'd/unseen'), '')
    chmodSync(join(root, 'd'), 0o700)
    expect(await act(replica, { op: 'remove', path: 'd/f', expect: file })).toBe('done')
    expect(await act(replica, { op: 'remove', path: 'd', expect: directory })).toBe('stale')
    await replica.rescan([])
    expect(entryAt(replica, 'd/unseen').kind).toBe('file')
    rmSync(join(root, 'd/unseen'))
    // Other permissions and times do not make it another directory.
    expect(await act(replica, { op: 'remove', path: 'd', expect: directory })).toBe('done')
    expect(readdirSync(root)).toEqual([])
  })
})
