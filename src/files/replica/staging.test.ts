import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { Operation } from '../operation.ts'
import { ContentWriter } from './content.ts'
import type { Dir } from './dir.ts'
import { digestOf } from './hash.ts'
import { openDirectory } from './open-directory.ts'
import { temporaryDirectory } from './temporary.ts'
import { type Call, FaultyDir, systemError } from './testing/faulty-dir.ts'
import { contentOf, put } from './testing/puts.ts'
import { temporaryRoot } from './testing/roots.ts'
import { carriedOut, entryAt, fileAt, servedReplica } from './testing/served.ts'

const mkdir = (path: string): Operation => ({ op: 'mkdir', path, expect: 'absent' })
const link: Operation = { op: 'symlink', path: 'd/link', target: 'f', expect: 'absent' }

/** A new directory with another, two files and a link in it. */
const operations = [mkdir('d'), put('d/f', 'one'), link, mkdir('d/e'), put('d/e/g', 'two'), put('h', 'three')]
const content = () => contentOf('one', 'two', 'three')

/** A root in which something happens just before a call. */
function meddled(before: (call: Call) => void): (path: string) => Dir {
  return (path) => new FaultyDir(openDirectory(path), { before })
}

describe('a directory that an apply makes', () => {
  test('is there with all that is in it, is told of in order, and is watched', async () => {
    const root = temporaryRoot()
    const replica = await servedReplica(root)
    const outcomes = await carriedOut(replica, operations, content())
    expect(outcomes.map(({ path, result }) => `${path} ${result}`)).toEqual(
      operations.map(({ path }) => `${path} done`),
    )
    expect(readdirSync(root).sort()).toEqual(['d', 'h'])
    expect(readFileSync(join(root, 'd/e/g'), 'utf8')).toBe('two')
    expect(fileAt(replica, 'd/e/g').digest).toBe(digestOf(Buffer.from('two')))
    const changed = new Promise<void>((resolve) => {
      replica.subscribe((delta) => {
        if (delta.some(([path]) => path === 'd/e/g')) resolve()
      })
    })
    writeFileSync(join(root, 'd/e/g'), 'edited')
    await changed
    const { stamp } = fileAt(replica, 'd/f')
    await replica.rescan('all')
    expect(fileAt(replica, 'd/f').stamp).toEqual(stamp)
  })

  test('is not to be seen before it is whole', async () => {
    const root = temporaryRoot()
    const replica = await servedReplica(root)
    const stream = new PassThrough()
    const applying = carriedOut(replica, [mkdir('d'), put('d/f', 'one'), put('d/g', 'two')], {
      read: () => stream,
    })
    const writer = new ContentWriter(stream)
    const send = (text: string) => {
      const chunk = writer.chunk(text.length)
      chunk.write(text)
      writer.confirm(chunk)
      writer.end(digestOf(Buffer.from(text)))
      return writer.flush()
    }
    await send('one')
    await replica.rescan('all')
    expect(existsSync(join(root, 'd'))).toBe(false)
    expect(replica.tree?.children?.size).toBe(0)
    await send('two')
    stream.end()
    await applying
    expect(readdirSync(join(root, 'd')).sort()).toEqual(['f', 'g'])
  })

  test('takes the place of nothing that came there meanwhile', async () => {
    for (const make of [
      (path: string) => writeFileSync(path, 'theirs'),
      (path: string) => {
        mkdirSync(path)
        writeFileSync(join(path, 'theirs'), '')
      },
    ]) {
      const root = temporaryRoot()
      const quick = meddled(({ operation }) => {
        if (operation === 'rename' && !existsSync(join(root, 'd'))) make(join(root, 'd'))
      })
      const outcomes = await carriedOut(await servedReplica(root, quick), operations, content())
      expect(outcomes.map(({ result }) => result)).toEqual([...Array(5).fill('stale'), 'done'])
      expect(readdirSync(root).sort()).toEqual(['d', 'h'])
      expect(existsSync(join(root, 'd/f'))).toBe(false)
    }
  })

  test('holds what had arrived when the content was cut', async () => {
    const root = temporaryRoot()
    const replica = await servedReplica(root)
    const stream = contentOf('one', 'two').read([])
    const outcomes = await carriedOut(replica, operations, { read: () => stream })
    expect(outcomes.map(({ result }) => result)).toEqual([...Array(5).fill('done'), 'failed'])
    expect(readFileSync(join(root, 'd/f'), 'utf8')).toBe('one')
    expect(entryAt(replica, 'd/e').kind).toBe('directory')
  })

  test('is made in its place where directories cannot be moved', async () => {
    const root = temporaryRoot()
    const fixed = meddled(({ operation }) => {
      if (operation === 'rename') throw systemError('EXDEV')
    })
    const replica = await servedReplica(root, fixed)
    const first = await carriedOut(replica, operations, content())
    expect(first.map(({ result }) => result)).toEqual([...Array(5).fill('stale'), 'done'])
    await carriedOut(replica, operations.slice(0, 5), contentOf('one', 'two'))
    expect(readFileSync(join(root, 'd/e/g'), 'utf8')).toBe('two')
    expect(readdirSync(root).sort()).toEqual(['d', 'h'])
  })

  test('that a process left which is gone is removed with all that is in it, and nothing it links to', async () => {
    const root = temporaryRoot()
    const left = temporaryDirectory().replace(/-\d+-[0-9a-f]+-/, `-999999999-${'0'.repeat(16)}-`)
    mkdirSync(join(root, 'kept'))
    writeFileSync(join(root, 'kept/f'), '')
    mkdirSync(join(root, left, 'e'), { recursive: true })
    writeFileSync(join(root, left, 'e/f'), '')
    symlinkSync('../kept', join(root, left, 'link'))
    await servedReplica(root)
    expect(readdirSync(root)).toEqual(['kept'])
    expect(readdirSync(join(root, 'kept'))).toEqual(['f'])
  })
})
