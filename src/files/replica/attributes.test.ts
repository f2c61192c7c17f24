import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { noRules } from '../ignore/rule-set.ts'
import type { Attributes } from './attributes.ts'
import { using } from './dir.ts'
import { openDirectory } from './open-directory.ts'
import { FaultyDir, systemError } from './testing/faulty-dir.ts'
import { act, contentOf, put, write } from './testing/puts.ts'
import { temporaryRoot } from './testing/roots.ts'
import { carriedOut, entryAt, servedReplica, stampAt } from './testing/served.ts'

const isRoot = process.geteuid?.() === 0

/** Who has it, and who may do what with it. */
function show(path: string): string {
  const { uid, gid, mode } = lstatSync(path)
  return `${uid}:${gid} ${(mode & 0o7777).toString(8)}`
}

async function making(attributes: Attributes, root = temporaryRoot()) {
  return { root, replica: await servedReplica(root, openDirectory, { attributes }) }
}

describe('what is new on a side', () => {
  test('has the permissions that were asked for, whatever the umask, executable or not', async () => {
    const { root, replica } = await making({ fileMode: 0o640, dirMode: 0o750 })
    await write(replica, put('file', 'x'), 'x')
    await write(replica, put('program', 'x', 'absent', true), 'x')
    await act(replica, { op: 'mkdir', path: 'd', expect: 'absent' })
    expect(show(join(root, 'file'))).toMatch(/ 640$/)
    expect(show(join(root, 'program'))).toMatch(/ 750$/)
    expect(show(join(root, 'd'))).toMatch(/ 750$/)
    await replica.rescan('all')
    expect(lstatSync(join(root, 'file')).mode).toBe(stampAt(replica, 'file').mode)
  })

  test.runIf(isRoot)('belongs to whom it is to, in one go with its content', async () => {
    const { root, replica } = await making({ owner: { uid: 1234, gid: 5678 } })
    const large = Buffer.alloc(300_000, 'x')
    await write(replica, put('file', 'x'), 'x')
    await write(replica, put('large', large), large)
    await act(replica, { op: 'mkdir', path: 'd', expect: 'absent' })
    await carriedOut(
      replica,
      [
        { op: 'mkdir', path: 'e', expect: 'absent' },
        { op: 'mkdir', path: 'e/e', expect: 'absent' },
        put('e/f', 'x'),
      ],
      contentOf('x'),
    )
    for (const name of ['file', 'large', 'd', 'e', 'e/e', 'e/f'])
      expect(show(join(root, name))).toMatch(/^1234:5678 /)
    expect(replica.problems).toEqual(new Map())
  })

  test.runIf(isRoot)('keeps the group it would have, if only a user is asked for', async () => {
    const { root, replica } = await making({ owner: { uid: 1234 } })
    await write(replica, put('file', 'x'), 'x')
    expect(show(join(root, 'file'))).toMatch(new RegExp(`^1234:${process.getegid?.()} `))
  })

  test('belongs to who writes it where that may not be changed, which is said once', async () => {
    const root = temporaryRoot()
    const before = ({ operation }: { operation: string }) => {
      if (operation.endsWith('chown')) throw systemError('EPERM')
    }
    const open = (path: string) => new FaultyDir(openDirectory(path), { before })
    const replica = await servedReplica(root, open, { attributes: { owner: { uid: 1234 }, fileMode: 0o600 } })
    for (const name of ['a', 'b']) {
      expect(await write(replica, put(name, 'x'), 'x')).toMatchObject({ result: 'done' })
    }
    expect(show(join(root, 'a'))).toMatch(/ 600$/)
    await replica.rescan([])
    expect([...replica.problems.values()]).toMatchObject([
      { path: '', code: 'OWNER_NOT_SET', message: expect.stringContaining('may not give files to uid 1234') },
    ])
  })

  test('is new: what is replaced keeps its owner and permissions', async () => {
    const root = temporaryRoot()
    writeFileSync(join(root, 'file'), 'old', { mode: 0o604 })
    const before = show(join(root, 'file'))
    const { replica } = await making({ owner: { uid: 1234 }, fileMode: 0o660 }, root)
    await write(replica, put('file', 'new', stampAt(replica, 'file')), 'new')
    expect(show(join(root, 'file'))).toBe(before)
  })
})

describe('symlinks', () => {
  async function linked(symlinks?: 'raw' | 'ignore') {
    const root = temporaryRoot()
    mkdirSync(join(root, 'd'))
    symlinkSync('/etc/passwd', join(root, 'd', 'absolute'))
    symlinkSync('../../up', join(root, 'd', 'up'))
    symlinkSync('inside', join(root, 'd', 'good'))
    const rules = symlinks === undefined ? noRules : { ...noRules, symlinks }
    return { root, replica: await servedReplica(root, openDirectory, { orders: { rules, reads: [] } }) }
  }

  test('that lead elsewhere are problems, unless something else is asked for', async () => {
    const { replica } = await linked()
    expect([...replica.problems.keys()].sort()).toEqual(['d/absolute', 'd/up'])
  })

  test('are all synced as they are in `raw`, and made so', async () => {
    const { root, replica } = await linked('raw')
    expect(replica.problems).toEqual(new Map())
    expect(entryAt(replica, 'd/absolute')).toMatchObject({ kind: 'symlink', target: '/etc/passwd' })
    expect(await act(replica, { op: 'symlink', path: 'new', expect: 'absent', target: '/a/../b' })).toBe(
      'done',
    )
    await replica.rescan('all')
    expect(entryAt(replica, 'new')).toMatchObject({ kind: 'symlink', target: '/a/../b' })
    expect(readdirSync(root)).toContain('new')
  })

  test('are outside of the sync in `ignore`: not in the tree, and their folder is not removed', async () => {
    const { root, replica } = await linked('ignore')
    expect(replica.problems).toEqual(new Map())
    expect(entryAt(replica, 'd')).toMatchObject({ kind: 'directory', hasIgnored: true })
    expect(() => entryAt(replica, 'd/good')).toThrow()
    expect(await act(replica, { op: 'remove', path: 'd', expect: stampAt(replica, 'd') })).toBe('stale')
    expect(await write(replica, put('d/good', 'x'), 'x')).toMatchObject({
      problem: { code: 'IGNORED_IN_THE_WAY' },
    })
    expect(readdirSync(join(root, 'd'))).toHaveLength(3)
  })
})

describe('runs of zeros', () => {
  test('are holes where they are written, and the file is what it was', () => {
    const root = temporaryRoot()
    const part = fc.tuple(fc.boolean(), fc.nat(80_000))
    const check = (parts: readonly (readonly [boolean, number])[], sizes: readonly number[]) => {
      const content = Buffer.concat(parts.map(([isZero, size]) => Buffer.alloc(size, isZero ? 0 : 'x')))
      using(openDirectory(root), (dir) => {
        if (dir.lstat('f') !== undefined) dir.unlink('f')
        using(dir.createFile('f', 0o600), (file) => {
          for (let at = 0, piece = 0; at < content.length; piece++) {
            const end = at + (sizes[piece % sizes.length] ?? 1)
            file.writeSparsely(content.subarray(at, end))
            at = end
          }
          file.finish()
        })
      })
      expect(readFileSync(join(root, 'f')).equals(content)).toBe(true)
    }
    const pieces = fc.array(
      fc.oneof(fc.integer({ min: 100, max: 2_000 }), fc.integer({ min: 100, max: 60_000 })),
      { minLength: 1, maxLength: 5 },
    )
    fc.assert(fc.property(fc.array(part, { maxLength: 6 }), pieces, check), { numRuns: 60 })
  })

  test('take no room', async () => {
    const root = temporaryRoot()
    const replica = await servedReplica(root)
    const content = Buffer.concat([Buffer.from('head'), Buffer.alloc(2_000_000)])
    await write(replica, put('f', content), content)
    const { size, blocks } = lstatSync(join(root, 'f'))
    expect(size).toBe(content.length)
    expect(blocks * 512).toBeLessThan(200_000)
  })
})
