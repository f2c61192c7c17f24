import {
  chmodSync,
  chownSync,
  existsSync,
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
import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { Expectation, Operation, Outcome } from '../operation.ts'
import type { Path } from '../tree.ts'
import { ContentWriter } from './content.ts'
import type { Dir } from './dir.ts'
import { digestOf } from './hash.ts'
import { openDirectory } from './open-directory.ts'
import type { ContentSource, Replica } from './replica.ts'
import { isTemporary } from './temporary.ts'
import { type Call, FaultyDir, systemError } from './testing/faulty-dir.ts'
import { temporaryRoot } from './testing/roots.ts'
import { carriedOut, entryAt, fileAt, servedReplica, stampAt } from './testing/served.ts'

const MTIME = 1_600_000_000_000

/** Content as another replica would send it. */
function contentOf(...files: (string | Buffer)[]): ContentSource {
  return {
    read() {
      const stream = new PassThrough()
      const writer = new ContentWriter(stream)
      const send = async () => {
        for (const file of files) {
          const bytes = Buffer.from(file)
          for (let at = 0; at < bytes.length; at += 100_000) {
            const part = bytes.subarray(at, at + 100_000)
            if (!writer.hasRoom(part.length)) await writer.flush()
            const chunk = writer.chunk(part.length)
            part.copy(chunk)
            writer.confirm(chunk)
          }
          writer.end(digestOf(bytes))
        }
        await writer.flush()
        stream.end()
      }
      // Whoever reads it hears of what goes wrong.
      send().catch(() => {})
      return stream
    },
  }
}

function put(
  path: Path,
  content: string | Buffer,
  expect: Expectation = 'absent',
  executable = false,
): Operation {
  const stamp = { mtimeMs: MTIME, ctimeMs: 0, ino: 0, size: content.length, mode: 0o100644 }
  return { op: 'put', path, expect, executable, source: { stamp } }
}

async function write(replica: Replica, operation: Operation, content: string | Buffer): Promise<Outcome> {
  const [outcome] = await carriedOut(replica, [operation], contentOf(content))
  if (outcome === undefined) throw new Error('no outcome')
  return outcome
}

async function act(replica: Replica, operation: Operation): Promise<Outcome['result'] | undefined> {
  const [outcome] = await carriedOut(replica, [operation])
  return outcome?.result
}

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

describe('on a filesystem that', () => {
  function failing(fail: (call: Call) => string | undefined): (path: string) => Dir {
    return (path) =>
      new FaultyDir(openDirectory(path), {
        before: (call) => {
          const code = fail(call)
          if (code !== undefined) throw systemError(code)
        },
      })
  }

  test('is full, a put fails, says so, and leaves nothing behind', async () => {
    const root = temporaryRoot()
    writeFileSync(join(root, 'f'), 'old')
    const full = failing(({ operation }) => (operation === 'file.write' ? 'ENOSPC' : undefined))
    const replica = await servedReplica(root, full)
    const outcomes = await carriedOut(
      replica,
      [put('f', 'new', stampAt(replica, 'f')), put('g', Buffer.alloc(500_000)), put('empty', '')],
      contentOf('new', Buffer.alloc(500_000), ''),
    )
    expect(outcomes).toMatchObject([
      {
        result: 'failed',
        problem: { path: 'f', code: 'ENOSPC', message: expect.stringContaining('no space') },
      },
      { result: 'failed', problem: { path: 'g', code: 'ENOSPC' } },
      { result: 'failed', problem: { path: 'empty', code: 'ENOSPC' } },
    ])
    expect(readdirSync(root)).toEqual(['f'])
    expect(readFileSync(join(root, 'f'), 'utf8')).toBe('old')
  })

  test('may not be written, every operation fails and says whom it was refused', async () => {
    const root = temporaryRoot()
    const changing = new Set(['createFile', 'mkdir', 'symlink', 'unlink', 'rmdir', 'checkWritable'])
    const replica = await servedReplica(
      root,
      failing(({ operation }) => (changing.has(operation) ? 'EACCES' : undefined)),
    )
    expect(replica.info.readOnly).toBe(`cannot be written: uid ${process.getuid?.()} has no permission`)
    expect(await write(replica, put('f', 'x'), 'x')).toMatchObject({
      problem: {
        path: 'f',
        code: 'EACCES',
        message: `cannot be written: uid ${process.getuid?.()} has no permission`,
      },
    })
    expect(await act(replica, { op: 'mkdir', path: 'd', expect: 'absent' })).toBe('failed')
  })

  test('has no links, creations still replace nothing', async () => {
    const root = temporaryRoot()
    const replica = await servedReplica(
      root,
      failing(({ operation }) => (operation === 'link' ? 'EPERM' : undefined)),
    )
    expect(await write(replica, put('f', 'x'), 'x')).toMatchObject({ result: 'done' })
    writeFileSync(join(root, 'g'), 'theirs')
    expect(await write(replica, put('g', 'x'), 'x')).toMatchObject({ result: 'stale' })
    expect(readdirSync(root).sort()).toEqual(['f', 'g'])
  })

  test('has the file as a mount of its own, it is written in place, and that is said', async () => {
    const root = temporaryRoot()
    writeFileSync(join(root, 'f'), 'a longer content than the new one')
    const replica = await servedReplica(
      root,
      failing(({ operation }) => (operation === 'rename' ? 'EBUSY' : undefined)),
    )
    const { ino } = stampAt(replica, 'f')
    expect(await write(replica, put('f', 'new', stampAt(replica, 'f'), true), 'new')).toMatchObject({
      result: 'done',
    })
    expect(readFileSync(join(root, 'f'), 'utf8')).toBe('new')
    expect(fileAt(replica, 'f')).toMatchObject({ executable: true, digest: digestOf(Buffer.from('new')) })
    expect(stampAt(replica, 'f')).toMatchObject({ ino, mtimeMs: MTIME })
    await replica.rescan('all')
    expect(replica.problems.get('f')?.code).toBe('WRITTEN_IN_PLACE')
    expect(readdirSync(root)).toEqual(['f'])
  })

  test('cannot list or read some of it, that is opaque and not absent', async () => {
    const root = temporaryRoot()
    mkdirSync(join(root, 'd/sub'), { recursive: true })
    writeFileSync(join(root, 'secret'), '', { mode: 0o000 })
    const broken = new Set(['openDir d', 'openFile secret'])
    const replica = await servedReplica(
      root,
      failing(({ operation, name }) => (broken.has(`${operation} ${name}`) ? 'EIO' : undefined)),
    )
    expect(entryAt(replica, 'd')).toEqual({ kind: 'opaque', reason: 'cannot be listed: the device failed' })
    expect(entryAt(replica, 'secret').kind).toBe('opaque')
    expect(replica.problems.get('d')?.code).toBe('EIO')
    broken.clear()
    await replica.rescan('all')
    expect(entryAt(replica, 'd/sub').kind).toBe('directory')
    expect(entryAt(replica, 'secret').kind).toBe('file')
    broken.add('lstat d')
    await replica.rescan('all')
    expect(entryAt(replica, 'd').kind).toBe('opaque')
    broken.clear()
    await replica.rescan('all')
    expect(entryAt(replica, 'd/sub').kind).toBe('directory')
    expect(replica.problems).toEqual(new Map())
  })
})

describe('killed at any step', () => {
  const large = Buffer.alloc(400_000, 'new')

  /** Every call from the n-th on fails, as if nobody made it. Returns how many there were in all. */
  async function killedAt(root: string, step: number): Promise<number> {
    let armed = false
    let calls = 0
    const replica = await servedReplica(root, (path) => {
      return new FaultyDir(openDirectory(path), {
        before: () => {
          if (armed && ++calls > step) throw systemError('EKILLED')
        },
      })
    })
    armed = true
    const operations: Operation[] = [
      put('replaced', 'new', stampAt(replica, 'replaced')),
      put('created', 'new'),
      put('large', large, stampAt(replica, 'large')),
      { op: 'symlink', path: 'link', expect: stampAt(replica, 'link'), target: 'new' },
    ]
    await carriedOut(replica, operations, contentOf('new', 'new', large))
    await replica.close()
    return calls
  }

  test('leaves files that are old or new as a whole, and nothing else once a replica starts again', async () => {
    let steps = Number.POSITIVE_INFINITY
    for (let step = 0; step < steps; step++) {
      const root = temporaryRoot()
      writeFileSync(join(root, 'replaced'), 'old')
      writeFileSync(join(root, 'large'), 'old')
      symlinkSync('old', join(root, 'link'))
      const calls = await killedAt(root, step)
      if (calls <= step) steps = step
      expect(['old', 'new']).toContain(readFileSync(join(root, 'replaced'), 'utf8'))
      expect(['old', large.toString()]).toContain(readFileSync(join(root, 'large'), 'utf8'))
      expect(['old', 'new']).toContain(readlinkSync(join(root, 'link')))
      if (existsSync(join(root, 'created'))) expect(readFileSync(join(root, 'created'), 'utf8')).toBe('new')
      await new Promise((resolve) => setTimeout(resolve, 10))
      const next = await servedReplica(root)
      expect(readdirSync(root).filter(isTemporary)).toEqual([])
      await next.close()
    }
    expect(steps).toBeGreaterThan(30)
  })
})
