import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { Operation } from '../operation.ts'
import type { Delta } from '../tree.ts'
import { digestOf } from './hash.ts'
import { diskAsText, treeAsText } from './testing/disk.ts'
import { temporaryRoot } from './testing/roots.ts'
import { carriedOut, entryAt, eventually, fileAt, servedReplica, stampAt } from './testing/served.ts'

describe('a transfer', () => {
  test('carries whole trees over, in both directions', async () => {
    const [from, to] = [temporaryRoot(), temporaryRoot()]
    const contents = new Map([
      ['empty', Buffer.alloc(0)],
      ['small', Buffer.from('small')],
      ['d/exactly a chunk', Buffer.alloc(256 * 1024, 'c')],
      ['d/whole at most', Buffer.alloc(128 * 1024, 'w')],
      ['d/e/large', Buffer.alloc(5_000_000, 'large')],
      ...Array.from({ length: 500 }, (_, i) => [`many${i}`, Buffer.alloc(i * 13, 'm')] as const),
    ])
    mkdirSync(join(from, 'd/e'), { recursive: true })
    for (const [path, content] of contents) writeFileSync(join(from, path), content, { mode: 0o755 })
    const [source, target] = [await servedReplica(from), await servedReplica(to)]
    const outcomes = await carriedOut(
      target,
      [
        { op: 'mkdir', path: 'd', expect: 'absent' },
        { op: 'mkdir', path: 'd/e', expect: 'absent' },
        { op: 'symlink', path: 'link', expect: 'absent', target: 'd/e' },
        ...[...contents.keys()].map((path) => {
          const stamp = stampAt(source, path)
          return { op: 'put', path, expect: 'absent', executable: true, source: { stamp } } as const
        }),
      ],
      source,
    )
    expect(outcomes.filter(({ result }) => result !== 'done')).toEqual([])
    for (const [path, content] of contents) {
      expect(readFileSync(join(to, path)).equals(content), path).toBe(true)
      expect(fileAt(target, path).digest).toBe(digestOf(content))
      expect(statSync(join(to, path)).mtimeMs).toBeCloseTo(statSync(join(from, path)).mtimeMs, 2)
    }
    expect(treeAsText(target.tree)).toEqual(diskAsText(to))
  })

  test('is told of once, by its outcomes: its echo on disk is no news', async () => {
    const [from, to] = [temporaryRoot(), temporaryRoot()]
    writeFileSync(join(from, 'f'), 'content')
    const [source, target] = [await servedReplica(from), await servedReplica(to)]
    const deltas: Delta[] = []
    target.subscribe((delta) => deltas.push(delta))
    const stamp = stampAt(source, 'f')
    const operations: Operation[] = [
      { op: 'mkdir', path: 'd', expect: 'absent' },
      { op: 'put', path: 'd/f', expect: 'absent', executable: false, source: { stamp } },
      { op: 'symlink', path: 'd/l', expect: 'absent', target: 'f' },
    ]
    await carriedOut(target, operations, { read: () => source.read([{ path: 'f', stamp }]) })
    // Whatever the watches had to say comes before this.
    writeFileSync(join(to, 'last'), '')
    await eventually(target, () => treeAsText(target.tree).last !== undefined)
    expect(deltas.flat().map(([path]) => path)).toEqual(['d', 'd/f', 'd/l', 'last'])
  })

  test('of a file that changed meanwhile writes nothing, and has it looked at', async () => {
    const [from, to] = [temporaryRoot(), temporaryRoot()]
    for (const name of ['small', 'large', 'gone', 'same']) writeFileSync(join(from, name), 'content')
    writeFileSync(join(from, 'large'), Buffer.alloc(1_000_000))
    const [source, target] = [await servedReplica(from), await servedReplica(to)]
    const operations = ['small', 'large', 'gone', 'same'].map(
      (path) =>
        ({
          op: 'put',
          path,
          expect: 'absent',
          executable: false,
          source: { stamp: stampAt(source, path) },
        }) as const,
    )
    writeFileSync(join(from, 'small'), 'other')
    writeFileSync(join(from, 'large'), 'other')
    rmSync(join(from, 'gone'))
    const outcomes = await carriedOut(target, operations, source)
    expect(outcomes.map(({ result }) => result)).toEqual([
      'source-changed',
      'source-changed',
      'source-changed',
      'done',
    ])
    expect(Object.keys(diskAsText(to))).toEqual(['same'])
  })

  test('of content that is another than its digest says is a change of the source', async () => {
    const [from, to] = [temporaryRoot(), temporaryRoot()]
    writeFileSync(join(from, 'f'), 'content')
    utimesSync(join(from, 'f'), 1, 1)
    const [source, target] = [await servedReplica(from), await servedReplica(to)]
    const stamp = stampAt(source, 'f')
    const wanted = { stamp, digest: digestOf(Buffer.from('another')) }
    const put = { op: 'put', path: 'f', expect: 'absent', executable: false, source: wanted } as const
    expect(await carriedOut(target, [put], source)).toEqual([{ result: 'source-changed', path: 'f' }])
    await eventually(source, () => fileAt(source, 'f').digest === digestOf(Buffer.from('content')))
  })

  test('ends in outcomes when the source is lost', async () => {
    const [from, to] = [temporaryRoot(), temporaryRoot()]
    writeFileSync(join(from, 'f'), 'content')
    const [source, target] = [await servedReplica(from), await servedReplica(to)]
    const stamp = stampAt(source, 'f')
    const put = { op: 'put', path: 'f', expect: 'absent', executable: false, source: { stamp } } as const
    await source.close()
    expect(await carriedOut(target, [put], source)).toMatchObject([
      { result: 'failed', path: 'f', problem: { code: 'SOURCE_LOST' } },
    ])
    const broken = new PassThrough()
    broken.end('nonsense')
    expect(await carriedOut(target, [put], { read: () => broken })).toMatchObject([
      { result: 'failed', path: 'f', problem: { code: 'NOT_CARRIED_OUT' } },
    ])
    await target.rescan('all')
    expect(diskAsText(to)).toEqual({})
  })

  test('ends with an error when the replica is lost', async () => {
    const replica = await servedReplica(temporaryRoot())
    const outcomes = carriedOut(
      replica,
      [
        {
          op: 'put',
          path: 'f',
          expect: 'absent',
          executable: false,
          source: { stamp: stampAt(replica, '') },
        },
      ],
      { read: () => new PassThrough() },
    )
    await replica.close()
    await expect(outcomes).rejects.toMatchObject({ code: 'REPLICA_LOST' })
    await expect(replica.rescan('all')).rejects.toMatchObject({ code: 'REPLICA_LOST' })
    expect(await replica.closed).toMatchObject({ kind: 'closed' })
  })

  test('is cancelled by not waiting for its end, and leaves whole files only', async () => {
    const to = temporaryRoot()
    const target = await servedReplica(to)
    const stamp = { ...stampAt(target, ''), size: 10 }
    const put = (path: string) =>
      ({ op: 'put', path, expect: 'absent', executable: false, source: { stamp } }) as const
    const mkdir = { op: 'mkdir', path: 'd', expect: 'absent' } as const
    for await (const batch of target.apply([mkdir, put('a'), put('b')], { read: () => new PassThrough() })) {
      expect(batch).toMatchObject([{ result: 'done', path: 'd' }])
      break
    }
    await target.rescan('all')
    expect(Object.keys(diskAsText(to))).toEqual(['d'])
    expect(entryAt(target, 'd').kind).toBe('directory')
  })
})
