import {
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Dir, using } from './dir.ts'
import { FdDir } from './fd-dir.ts'
import { PathDir } from './path-dir.ts'
import { makePipe, temporaryRoot } from './testing/roots.ts'

const hasProc = existsSync('/proc/self/fd')
const kinds: [string, (path: string) => Dir][] = [['PathDir', (path) => new PathDir(path)]]
if (hasProc) kinds.push(['FdDir', (path) => new FdDir(openSync(path, constants.O_DIRECTORY))])

describe.each(kinds)('%s', (_, open) => {
  test('lists names, and those that are not UTF-8 apart', () => {
    const root = temporaryRoot()
    for (const name of ['plain', 'with space', 'new\nline', 'ünïcödé', 'real\ufffd']) touch(join(root, name))
    writeFileSync(Buffer.concat([Buffer.from(`${root}/bad`), Buffer.from([0xff])]), '')
    const listing = using(open(root), (dir) => dir.list())
    expect([...listing.names].sort()).toEqual(['new\nline', 'plain', 'real\ufffd', 'with space', 'ünïcödé'])
    expect(listing.undecodable).toEqual(['bad\ufffd'])
  })

  test('takes names only, never paths', () => {
    const root = temporaryRoot()
    mkdirSync(join(root, 'sub'))
    touch(join(root, 'sub', 'file'))
    using(open(join(root, 'sub')), (dir) => {
      for (const name of ['', '.', '..', '../sub', '/etc', 'a\0b', './file']) {
        expect(() => dir.lstat(name), name).toThrow('not the name')
        expect(() => dir.openDir(name), name).toThrow('not the name')
        expect(() => dir.unlink(name), name).toThrow('not the name')
        expect(() => dir.rename('file', name), name).toThrow('not the name')
      }
    })
  })

  test('follows no link, whether to a directory or to a file', () => {
    const root = temporaryRoot()
    mkdirSync(join(root, 'real'))
    touch(join(root, 'file'))
    symlinkSync('real', join(root, 'to-dir'))
    symlinkSync('file', join(root, 'to-file'))
    using(open(root), (dir) => {
      expect(() => dir.openDir('to-dir')).toThrow(/ENOTDIR|ELOOP/)
      expect(() => dir.openFile('to-file', 'read')).toThrow(/ELOOP/)
      expect(() => dir.openFile('to-file', 'write')).toThrow(/ELOOP/)
      expect(() => dir.createFile('to-file', 0o666)).toThrow(/EEXIST/)
      expect(dir.lstat('to-dir')?.isSymbolicLink()).toBe(true)
      expect(dir.readlink('to-dir').toString()).toBe('real')
    })
  })

  test('is not blocked by a FIFO', () => {
    const root = temporaryRoot()
    makePipe(join(root, 'fifo'))
    using(open(root), (dir) => {
      using(dir.openFile('fifo', 'read'), (file) => expect(file.stat().isFile()).toBe(false))
    })
  })

  test('writes files whole, with mode and modification time', () => {
    const root = temporaryRoot()
    using(open(root), (dir) => {
      using(dir.createFile('new', 0o666), (file) => {
        file.write(Buffer.from('some '))
        file.write(Buffer.from('content'))
        file.chmod(0o750)
        file.setMtime(1_500_000_000_123)
      })
      expect(() => dir.createFile('new', 0o666)).toThrow(/EEXIST/)
      using(dir.openFile('new', 'read'), (file) => {
        const buffer = Buffer.alloc(100)
        expect(file.read(buffer)).toBe(12)
        expect(buffer.toString('utf8', 0, 12)).toBe('some content')
        expect(file.read(buffer)).toBe(0)
      })
      const stats = dir.lstat('new')
      expect(stats?.mtimeMs).toBe(1_500_000_000_123)
      expect((stats?.mode ?? 0) & 0o777).toBe(0o750)
      using(dir.openFile('new', 'write'), (file) => {
        file.truncate()
        file.write(Buffer.from('less'))
      })
    })
    expect(readFileSync(join(root, 'new'), 'utf8')).toBe('less')
  })

  test('makes, links, renames and removes', () => {
    const root = temporaryRoot()
    using(open(root), (dir) => {
      dir.mkdir('d')
      dir.createFile('f', 0o666).close()
      dir.link('f', 'g')
      dir.rename('f', 'h')
      dir.symlink('h', 'l')
      expect(readdirSync(root).sort()).toEqual(['d', 'g', 'h', 'l'])
      expect(() => dir.link('h', 'g')).toThrow(/EEXIST/)
      dir.unlink('g')
      dir.rmdir('d')
      expect(dir.lstat('d')).toBeUndefined()
      dir.checkWritable()
    })
    expect(readdirSync(root).sort()).toEqual(['h', 'l'])
  })

  test('reports names that change while it is watched', async () => {
    const root = temporaryRoot()
    mkdirSync(join(root, 'sub'))
    const seen = new Set<string | undefined>()
    let arrived = () => {}
    const watching = using(open(join(root, 'sub')), (dir) =>
      dir.watch((name) => {
        seen.add(name)
        if (seen.has('one') && seen.has('two')) arrived()
      }),
    )
    const both = new Promise<void>((resolve) => {
      arrived = resolve
    })
    touch(join(root, 'sub', 'one'))
    touch(join(root, 'sub', 'two'))
    await both
    watching.close()
  })
})

describe.runIf(hasProc)('FdDir', () => {
  test('stays with the directory, wherever that is moved and whatever takes its place', () => {
    const root = temporaryRoot()
    mkdirSync(join(root, 'a', 'b'), { recursive: true })
    const elsewhere = temporaryRoot()
    using(new FdDir(openSync(join(root, 'a'), constants.O_DIRECTORY)), (dir) => {
      renameSync(join(root, 'a'), join(root, 'moved'))
      symlinkSync(elsewhere, join(root, 'a'))
      dir.createFile('f', 0o666).close()
      using(dir.openDir('b'), (sub) => sub.createFile('g', 0o666).close())
    })
    expect(readdirSync(elsewhere)).toEqual([])
    expect(readdirSync(join(root, 'moved')).sort()).toEqual(['b', 'f'])
    expect(readdirSync(join(root, 'moved', 'b'))).toEqual(['g'])
  })
})

function touch(path: string): void {
  writeFileSync(path, '')
}

describe.skipIf(!hasProc)('looking at many names at once', () => {
  const names = Array.from({ length: 20 }, (_, at) => `file-${at}`)
  const fill = (path: string) => {
    mkdirSync(path)
    for (const name of names) touch(join(path, name))
    return path
  }
  const open = (path: string) => new FdDir(openSync(path, constants.O_DIRECTORY), path)

  test('tells of the last of them what looking at each does', () => {
    using(open(fill(join(temporaryRoot(), 'a'))), (dir) => {
      const found = dir.lstatAhead(names, 8)
      expect(found).toEqual(names.slice(-8).map((name) => dir.lstat(name)))
      expect(found.at(-1)?.isFile()).toBe(true)
    })
  })

  test('does not say that something is gone', () => {
    using(open(fill(join(temporaryRoot(), 'a'))), (dir) => {
      expect(dir.lstatAhead([...names, 'missing'], 2)).toEqual([dir.lstat(names.at(-1) ?? ''), undefined])
    })
  })

  test('tells nothing of another directory that came in the place of this one', () => {
    const root = temporaryRoot()
    using(open(fill(join(root, 'a'))), (dir) => {
      renameSync(join(root, 'a'), join(root, 'b'))
      expect(dir.lstatAhead(names, 8)).toEqual([])
      fill(join(root, 'a'))
      expect(dir.lstatAhead(names, 8)).toEqual([])
    })
  })
})
