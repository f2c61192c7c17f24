import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Repository } from '../../git/repository.ts'
import { gather } from './git-files.ts'

let root: string
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'git-files-')))
})
afterEach(() => rmSync(root, { recursive: true }))

/** Which file is committed where, under which name; and how often each repository was looked at. */
async function sorted(files: readonly string[], from = root) {
  const looked: string[] = []
  const found = await gather(from, files, async (top) => {
    looked.push(top.slice(root.length))
    return { repository: { top } as Repository }
  })
  return {
    looked,
    found: found.map(({ repository, files }) => [repository.top.slice(root.length), [...files]]),
  }
}
const make = (folder: string) => mkdirSync(join(root, folder), { recursive: true })

test('each file belongs to the nearest work tree, which may be a submodule; each is looked at once', async () => {
  make('.git')
  make('sub/deep')
  writeFileSync(join(root, 'sub/.git'), 'gitdir: ../.git/modules/sub')
  expect(await sorted(['a.yaml', 'sub/b.yaml', 'new/folder/c.yaml', 'sub/deep/d.yaml'])).toEqual({
    looked: ['', '/sub'],
    found: [
      [
        '',
        [
          ['a.yaml', 'a.yaml'],
          ['new/folder/c.yaml', 'new/folder/c.yaml'],
        ],
      ],
      [
        '/sub',
        [
          ['sub/b.yaml', 'b.yaml'],
          ['sub/deep/d.yaml', 'deep/d.yaml'],
        ],
      ],
    ],
  })
})

test('below the top of a work tree, names are those from the top', async () => {
  make('.git')
  make('manifests')
  expect((await sorted(['a.yaml'], join(root, 'manifests'))).found).toEqual([
    ['', [['a.yaml', 'manifests/a.yaml']]],
  ])
})

test('what links lead to is committed where it is', async () => {
  make('one/.git')
  make('two/.git')
  writeFileSync(join(root, 'two/real.yaml'), '')
  symlinkSync('../two', join(root, 'one/folder'))
  symlinkSync('../two/real.yaml', join(root, 'one/file.yaml'))
  expect((await sorted(['folder/new.yaml', 'file.yaml'], join(root, 'one'))).found).toEqual([
    [
      '/two',
      [
        ['folder/new.yaml', 'new.yaml'],
        ['file.yaml', 'real.yaml'],
      ],
    ],
  ])
})

test('a file that is in no work tree is not committed', async () => {
  expect(await sorted(['a.yaml'])).toEqual({ looked: [], found: [] })
})
