import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { Operation } from '../operation.ts'
import { ContentWriter } from './content.ts'
import type { Dir } from './dir.ts'
import { digestOf } from './hash.ts'
import { openDirectory } from './open-directory.ts'
import type { ContentSource } from './replica.ts'
import { isTemporary } from './temporary.ts'
import { type Call, FaultyDir, systemError } from './testing/faulty-dir.ts'
import { act, contentOf, MTIME, put, write } from './testing/puts.ts'
import { openDescriptors, temporaryRoot } from './testing/roots.ts'
import { carriedOut, entryAt, fileAt, servedReplica, stampAt } from './testing/served.ts'

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

  test('is full, a put fails, says so, and leaves nothing behind; what follows is not tried', async () => {
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
      { result: 'failed', problem: { path: 'g' } },
      { result: 'failed', problem: { path: 'empty' } },
    ])
    expect(readdirSync(root)).toEqual(['f'])
    expect(readFileSync(join(root, 'f'), 'utf8')).toBe('old')
  })

  test('gets full in the middle of a large file is free again at once, not when all of that has arrived', async () => {
    let writes = 0
    let freed = () => {}
    const free = new Promise<void>((resolve) => {
      freed = resolve
    })
    const root = temporaryRoot()
    const full = failing(({ operation, name }) => {
      if (operation === 'unlink' && isTemporary(name)) freed()
      return operation === 'file.write' && ++writes > 1 ? 'ENOSPC' : undefined
    })
    const replica = await servedReplica(root, full)
    const part = Buffer.alloc(200_000)
    const source: ContentSource = {
      read() {
        const stream = new PassThrough()
        const writer = new ContentWriter(stream)
        const send = async () => {
          for (let sent = 0; sent < 3; sent++) {
            writer.confirm(writer.chunk(part.length).fill(0))
            await writer.flush()
          }
          await free
          writer.end(digestOf(Buffer.alloc(3 * part.length)))
          await writer.flush()
          stream.end()
        }
        send().catch((error) => stream.destroy(error))
        return stream
      },
    }
    const outcomes = await carriedOut(replica, [put('f', Buffer.alloc(3 * part.length))], source)
    expect(outcomes).toMatchObject([{ result: 'failed', problem: { path: 'f', code: 'ENOSPC' } }])
    expect(readdirSync(root)).toEqual([])
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
    const descriptors = openDescriptors()
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
    expect(openDescriptors()).toBeLessThanOrEqual(descriptors + 1)
  })
})
