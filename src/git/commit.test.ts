import { chmodSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { type CommitFile, commitFiles } from './commit.ts'
import { readyBranch } from './repository.ts'
import { WorkTree } from './testing/work-tree.ts'

const made: WorkTree[] = []
afterEach(() => {
  for (const one of made.splice(0)) one.remove()
})
function tree(files: Readonly<Record<string, string>>): WorkTree {
  const one = WorkTree.with(files)
  made.push(one)
  return one
}

/** Commits, as after kubesync wrote these texts. */
async function commit(
  work: WorkTree,
  files: readonly CommitFile[],
  more: { message?: string; onto?: string } = {},
) {
  const repository = await work.repository()
  const branch = await readyBranch(repository, { asks: false })
  for (const { path, text } of files) {
    if (text === undefined) rmSync(join(work.top, path), { force: true })
    else work.write(path, text)
  }
  return commitFiles(repository, { branch, files, message: 'push: web on dev\n\n- web\n', ...more })
}

describe('a commit', () => {
  test('has the texts and nothing else, and leaves the work tree clean', async () => {
    const work = tree({ 'a.yaml': '1', 'b.yaml': '1', 'deep/c.yaml': '1' })
    const id = await commit(work, [
      { path: 'a.yaml', text: '2' },
      { path: 'new/d é.yaml', text: '1' },
      { path: 'deep/c.yaml', text: undefined },
    ])
    expect(work.git('rev-parse', 'HEAD').trim()).toBe(id)
    expect(work.git('log', '-1', '--format=%s|%b')).toBe('push: web on dev|- web\n\n')
    const changed = work.git('diff', '--no-renames', '--name-status', '-z', 'HEAD~', 'HEAD').split('\0')
    expect(changed).toEqual(['M', 'a.yaml', 'D', 'deep/c.yaml', 'A', 'new/d é.yaml', ''])
    expect(work.git('status', '--porcelain')).toBe('')
    expect(work.git('log', '-1', '--format=%gs', '--walk-reflogs').trim()).toBe('commit: push: web on dev')
    expect(readdirSync(join(work.top, '.git')).filter((name) => name.includes('kubesync'))).toEqual([])
  })

  test('is none where git has it already', async () => {
    const work = tree({ 'a.yaml': '1' })
    expect(await commit(work, [{ path: 'a.yaml', text: '1' }])).toBeUndefined()
  })

  test('is the first one of a new repository', async () => {
    const work = new WorkTree()
    made.push(work)
    work.git('init', '--quiet')
    work.write('staged', 'mine')
    work.git('add', 'staged')
    await commit(work, [{ path: 'a.yaml', text: '1' }])
    expect(work.git('show', '--name-only', '--format=', 'HEAD')).toBe('a.yaml\n')
    expect(work.git('status', '--porcelain')).toBe('A  staged\n')
  })

  test('can be made on a branch of its own, which is checked out then', async () => {
    const work = tree({ 'a.yaml': '1', mine: '1' })
    work.write('mine', '2')
    const main = work.git('rev-parse', 'main')
    await commit(work, [{ path: 'a.yaml', text: '2' }], { onto: 'refs/heads/kubesync/web' })
    expect(work.git('rev-parse', 'main')).toBe(main)
    expect(work.git('branch', '--show-current')).toBe('kubesync/web\n')
    expect(work.git('status', '--porcelain')).toBe(' M mine\n')
    work.git('checkout', '--quiet', 'main')
    expect(work.read('a.yaml')).toBe('1')
  })

  test('keeps the mode of a file, and stores it as git’s own filters would', async () => {
    const work = tree({ 'a.yaml': '1', '.gitattributes': '*.yaml text eol=crlf\n' })
    chmodSync(join(work.top, 'a.yaml'), 0o755)
    work.git('add', '--all')
    work.git('commit', '--quiet', '--message=mode')
    await commit(work, [{ path: 'a.yaml', text: 'x: 1\r\n' }])
    expect(work.git('ls-tree', 'HEAD', 'a.yaml')).toMatch(/^100755 /)
    expect(work.git('cat-file', 'blob', 'HEAD:a.yaml')).toBe('x: 1\n')
    expect(work.git('status', '--porcelain')).toBe('')
  })

  test('runs no hook of commits, which could change files', async () => {
    const work = tree({ 'a.yaml': '1' })
    for (const hook of ['pre-commit', 'commit-msg', 'prepare-commit-msg', 'post-commit']) {
      const path = join(work.top, '.git/hooks', hook)
      writeFileSync(path, `#!/bin/sh\ntouch '${work.top}/ran'\nexit 1\n`, { mode: 0o755 })
    }
    await commit(work, [{ path: 'a.yaml', text: '2' }])
    expect(existsSync(join(work.top, 'ran'))).toBe(false)
  })

  test('is signed where git is told to, and none where that fails', async () => {
    const work = tree({ 'a.yaml': '1' })
    const signer = join(work.top, '.git', 'signer')
    writeFileSync(signer, '#!/bin/sh\ncat >/dev/null\necho "[GNUPG:] SIG_CREATED " >&2\necho signed\n', {
      mode: 0o755,
    })
    work.git('config', 'commit.gpgSign', 'true')
    work.git('config', 'gpg.program', signer)
    await commit(work, [{ path: 'a.yaml', text: '2' }])
    expect(work.git('cat-file', 'commit', 'HEAD')).toContain('\ngpgsig signed\n')
    work.git('config', 'gpg.program', '/bin/false')
    const head = work.git('rev-parse', 'HEAD')
    await expect(commit(work, [{ path: 'a.yaml', text: '3' }])).rejects.toMatchObject({ code: 'GIT_COMMIT' })
    expect(work.git('rev-parse', 'HEAD')).toBe(head)
  })

  test.each(['worktree', 'submodule'])('is made in a %s', async (kind) => {
    const outer = tree({ 'a.yaml': '1' })
    if (kind === 'worktree') outer.git('worktree', 'add', '--quiet', 'inner', '-b', 'side')
    else outer.git('submodule', '--quiet', 'add', tree({ 'a.yaml': '1' }).top, 'inner')
    const before = outer.git('rev-parse', 'HEAD')
    const inner = new WorkTree(join(outer.top, 'inner'))
    const id = await commit(inner, [{ path: 'a.yaml', text: '2' }])
    expect(inner.git('rev-parse', 'HEAD').trim()).toBe(id)
    expect(inner.git('status', '--porcelain')).toBe('')
    expect(outer.git('rev-parse', 'HEAD')).toBe(before)
  })

  test('speaks of this repository, whatever a hook that calls it has in its environment', async () => {
    const other = tree({ 'a.yaml': 'other' })
    const work = tree({ 'a.yaml': '1' })
    Object.assign(work.env, {
      GIT_DIR: join(other.top, '.git'),
      GIT_INDEX_FILE: join(other.top, '.git/index'),
    })
    await commit(work, [{ path: 'a.yaml', text: '2' }])
    expect(other.git('log', '--oneline').split('\n')).toHaveLength(2)
    delete work.env.GIT_DIR
    delete work.env.GIT_INDEX_FILE
    expect(work.git('show', 'HEAD:a.yaml')).toBe('2')
  })
})

describe('what happens meanwhile', () => {
  async function meanwhile(work: WorkTree, what: () => void) {
    const repository = await work.repository()
    const branch = await readyBranch(repository, { asks: false })
    work.write('a.yaml', '2')
    what()
    return commitFiles(repository, { branch, files: [{ path: 'a.yaml', text: '2' }], message: 'm' })
  }

  test('an edit of the same file is not taken along', async () => {
    const work = tree({ 'a.yaml': '1' })
    await meanwhile(work, () => work.write('a.yaml', '2, and an edit'))
    expect([work.git('show', 'HEAD:a.yaml'), work.read('a.yaml')]).toEqual(['2', '2, and an edit'])
    expect(work.git('status', '--porcelain')).toBe(' M a.yaml\n')
  })

  test('what is staged of the same file stays staged', async () => {
    const work = tree({ 'a.yaml': '1' })
    await meanwhile(work, () => {
      work.write('a.yaml', 'staged')
      work.git('add', 'a.yaml')
    })
    expect([work.git('show', 'HEAD:a.yaml'), work.git('show', ':a.yaml')]).toEqual(['2', 'staged'])
  })

  test('a commit of something else stays below', async () => {
    const work = tree({ 'a.yaml': '1', b: '1' })
    await meanwhile(work, () => {
      work.write('b', '2')
      work.git('commit', '--quiet', '--message=mine', 'b')
    })
    expect(work.git('log', '--format=%s')).toBe('m\nmine\nfirst\n')
    expect(work.git('status', '--porcelain')).toBe('')
  })

  test.each([
    [
      'a commit of the same file',
      (work: WorkTree) => work.git('commit', '--quiet', '--all', '--message=mine'),
    ],
    [
      'another branch that is checked out',
      (work: WorkTree) => work.git('checkout', '--quiet', '-b', 'other'),
    ],
    ['a locked index', (work: WorkTree) => work.write('.git/index.lock', '')],
  ])('%s: nothing is committed, and that is said', async (_, what) => {
    const work = tree({ 'a.yaml': '1' })
    let head = ''
    await expect(
      meanwhile(work, () => {
        what(work)
        head = work.git('rev-parse', 'HEAD')
      }),
    ).rejects.toMatchObject({ code: 'GIT_COMMIT', hint: expect.stringContaining('git commit -- a.yaml') })
    expect(work.git('rev-parse', 'HEAD')).toBe(head)
  })
})

/** In how many ways a file can stand before kubesync writes. */
const ways = {
  clean: () => {},
  edited: (work, path) => work.write(path, 'edited'),
  staged: (work, path) => {
    work.write(path, 'staged')
    work.git('add', '--', path)
  },
  'staged in part': (work, path) => {
    ways.staged(work, path)
    work.write(path, 'staged and edited')
  },
  gone: (work, path) => rmSync(join(work.top, path)),
  removed: (work, path) => work.git('rm', '--quiet', '--', path),
  'removed here only': (work, path) => work.git('rm', '--quiet', '--cached', '--', path),
  renamed: (work, path) => work.git('mv', '--', path, `${path}.moved`),
  'made executable': (work, path) => work.git('update-index', '--chmod=+x', '--', path),
  'assumed unchanged': (work, path) => work.git('update-index', '--assume-unchanged', '--', path),
  skipped: (work, path) => work.git('update-index', '--skip-worktree', '--', path),
  untracked: (work, path) => work.write(`${path}.new`, 'untracked'),
  meant: (work, path) => {
    work.write(`${path}.new`, 'to be added')
    work.git('add', '--intent-to-add', '--', `${path}.new`)
  },
  ignored: (work, path) => work.write(`${path}.ignored`, 'ignored'),
} satisfies Readonly<Record<string, (work: WorkTree, path: string) => unknown>>
type Way = keyof typeof ways
const wayNames = Object.keys(ways).filter((name): name is Way => name in ways)

/** All that is to stay as it was: index, status and bytes of what kubesync did not write. */
function standing(work: WorkTree, ours: ReadonlySet<string>) {
  const lines = (...args: string[]) => work.git(...args).split('\0')
  const isTheirs = (line: string) =>
    ![...ours].some((path) => line.endsWith(` ${path}`) || line.endsWith(`\t${path}`))
  const names = readdirSync(work.top).filter((name) => name !== '.git' && !ours.has(name))
  return {
    index: lines('ls-files', '--stage', '-v', '-z').filter(isTheirs),
    status: lines('status', '--porcelain', '-z', '--no-renames', '--ignored').filter(isTheirs),
    bytes: names.map((name) => [name, work.read(name)]),
  }
}

test('whatever state a repository is in, a commit changes nothing but its own files', async () => {
  const files = fc.array(fc.record({ before: fc.constantFrom(...wayNames), isOurs: fc.boolean() }), {
    minLength: 1,
    maxLength: 6,
  })
  await fc.assert(
    fc.asyncProperty(files, fc.boolean(), async (states, isNew) => {
      const names = states.map((_, index) => `${'*?[a] b'[index] ?? ''}${index}.yaml`)
      const work = WorkTree.with({
        '.gitignore': '*.ignored\n',
        ...Object.fromEntries(names.map((name) => [name, `${name}\n`])),
      })
      for (const [index, { before }] of states.entries()) ways[before](work, names[index] ?? '')
      const clean = names.filter((_, index) => states[index]?.before === 'clean' && states[index]?.isOurs)
      const ours = [...clean, ...(isNew ? ['new.yaml'] : [])]
      const before = standing(work, new Set(ours))
      const tree = work.git('ls-tree', '-r', 'HEAD').split('\n')
      await commit(
        work,
        ours.map((path, index) => ({ path, text: index % 3 === 2 ? undefined : 'ours\n' })),
      )
      expect(standing(work, new Set(ours))).toEqual(before)
      const isOurs = (line: string) => ours.some((path) => line.includes(path))
      const after = work.git('-c', 'core.quotePath=false', 'ls-tree', '-r', 'HEAD').split('\n')
      expect(after.filter((line) => !isOurs(line))).toEqual(tree.filter((line) => !isOurs(line)))
      expect(work.git('status', '--porcelain', '--', ...ours.map((path) => `:(literal)${path}`))).toBe(
        ours.length === 0 ? work.git('status', '--porcelain') : '',
      )
      work.remove()
    }),
    { numRuns: 12 },
  )
}, 120_000)
