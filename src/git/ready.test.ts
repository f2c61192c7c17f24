import { rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { refuseMixed } from './files.ts'
import { openRepository, readyBranch } from './repository.ts'
import { WorkTree } from './testing/work-tree.ts'

let work: WorkTree
beforeEach(() => {
  work = WorkTree.with({ 'a.yaml': '1\n', 'b.yaml': '1\n', '.gitignore': 'out/\n' })
})
afterEach(() => work.remove())

const ready = async (asks = true) => readyBranch(await work.repository(), { asks })
const commitHere = (path: string, text: string) => {
  work.write(path, text)
  work.git('commit', '--quiet', '--all', '--message=here')
}

describe('a branch is ready', () => {
  test('without an upstream, and with one that has nothing new', async () => {
    expect(await ready()).toMatchObject({ ref: 'refs/heads/main', upstream: undefined, ahead: 0 })
    work.publish()
    commitHere('a.yaml', '2\n')
    expect(await ready()).toMatchObject({ upstream: { remote: 'origin', ref: 'refs/heads/main' }, ahead: 1 })
  })

  test('where the upstream is gone, and before the first commit', async () => {
    const bare = work.publish()
    work.git('--git-dir', bare, 'update-ref', '-d', 'refs/heads/main')
    work.git('fetch', '--quiet', '--prune')
    expect(await ready()).toMatchObject({ ahead: 0 })
    rmSync(bare, { recursive: true })
    work.git('checkout', '--quiet', '--orphan', 'fresh')
    expect(await ready()).toMatchObject({ ref: 'refs/heads/fresh', head: undefined })
  })

  test('but not in a folder without git', async () => {
    const context = { env: work.env, signal: new AbortController().signal }
    await expect(openRepository('/', context)).rejects.toMatchObject({ code: 'GIT_FAILED' })
  })
})

describe('it is not, and what to type is said,', () => {
  const refused = (message: RegExp, hint: string) =>
    expect(ready()).rejects.toMatchObject({
      code: 'GIT_NOT_READY',
      message: expect.stringMatching(message),
      hint: expect.stringContaining(hint),
    })

  test('behind its upstream, also by what was not fetched yet', async () => {
    const bare = work.publish()
    work.pushedByOthers(bare, 'a.yaml', 'theirs\n')
    await refused(
      /origin\/main has 1 commit that are not here$|origin\/main has 1 commit that/,
      '`git pull` brings',
    )
  })

  test('diverged', async () => {
    const bare = work.publish()
    work.pushedByOthers(bare, 'a.yaml', 'theirs\n')
    commitHere('b.yaml', '2\n')
    await refused(/and the branch here has others/, '`git pull --rebase`')
  })

  test('where the remote cannot be asked; and that can be left out', async () => {
    rmSync(work.publish(), { recursive: true })
    await refused(/origin cannot be asked what it has/, 'git.fetch false')
    expect(await ready(false)).toMatchObject({ ahead: 0 })
  })

  test('on no branch', async () => {
    work.git('checkout', '--quiet', '--detach')
    await refused(/no branch is checked out/, 'git switch')
  })

  test.each(['merge', 'rebase', 'cherry-pick'])('in the midst of a %s', async (what) => {
    work.git('checkout', '--quiet', '-b', 'side')
    commitHere('a.yaml', 'side\n')
    work.git('checkout', '--quiet', 'main')
    commitHere('a.yaml', 'main\n')
    expect(() => work.git(what, 'side')).toThrow()
    await refused(
      what === 'rebase' ? /no branch is checked out/ : new RegExp(`a ${what} is in progress`),
      'git',
    )
  })

  test('without a name to commit by', async () => {
    delete work.env.GIT_AUTHOR_EMAIL
    work.git('config', 'user.useConfigOnly', 'true')
    await refused(/git does not know who you are/, 'user.email')
  })
})

describe('files', () => {
  const check = async (written: readonly string[], read: readonly string[] = []) =>
    refuseMixed(await work.repository(), { written, read })
  const refused = (check: Promise<unknown>, message: string) =>
    expect(check).rejects.toMatchObject({ code: 'GIT_NOT_READY', message: expect.stringContaining(message) })

  test('that are as they were committed, or new, may be written', async () => {
    work.write('b.yaml', 'edited\n')
    expect(await check(['a.yaml', 'new.yaml', 'new/*.yaml'])).toEqual(new Set())
  })

  test.each([
    ['edited', () => work.write('a.yaml', 'edited\n'), 'a.yaml has changes that are not committed'],
    ['staged', () => commitLess(), 'a.yaml has changes that are not committed'],
    ['not in git', () => work.git('rm', '--quiet', '--cached', 'a.yaml'), 'a.yaml'],
    ['gone', () => rmSync(join(work.top, 'a.yaml')), 'a.yaml has changes'],
    ['another kind of thing', () => relink(), 'a.yaml has changes'],
  ])('that are %s may not: the commit would take that along', async (_, change, message) => {
    change()
    await refused(check(['b.yaml', 'a.yaml']), message)
  })
  function commitLess(): void {
    work.write('a.yaml', 'staged\n')
    work.git('add', 'a.yaml')
  }
  function relink(): void {
    rmSync(join(work.top, 'a.yaml'))
    symlinkSync('b.yaml', join(work.top, 'a.yaml'))
  }

  test.each(['--skip-worktree', '--assume-unchanged'])(
    'with %s may not: what is only here is hidden',
    async (flag) => {
      work.git('update-index', flag, 'a.yaml')
      work.write('a.yaml', 'only here\n')
      await refused(check(['a.yaml']), 'a.yaml is marked as one that git is not to look at')
      await refused(check([], ['b.yaml', 'a.yaml']), 'a.yaml is marked')
    },
  )

  test('that go to the cluster may be edited, staged whole or new, and not staged in part', async () => {
    work.write('a.yaml', 'edited\n')
    work.write('new.yaml', 'new\n')
    work.write('b.yaml', 'staged\n')
    work.git('add', 'b.yaml')
    expect(await check([], ['a.yaml', 'b.yaml', 'new.yaml'])).toEqual(new Set())
    work.write('b.yaml', 'staged, and edited\n')
    await refused(check([], ['b.yaml']), 'b.yaml is staged in part')
  })

  test('that are ignored are told, one by one', async () => {
    work.write('out/x.yaml', '1\n')
    expect(await check(['out/y.yaml'], ['out/x.yaml', 'a.yaml'])).toEqual(
      new Set(['out/x.yaml', 'out/y.yaml']),
    )
  })

  test('may have names that are patterns, and be many', async () => {
    const names = Array.from({ length: 450 }, (_, index) => `*${index}.yaml`)
    for (const name of names) writeFileSync(join(work.top, name), '1\n')
    work.git('add', '--all')
    work.git('commit', '--quiet', '--message=many')
    work.write('a0.yaml', 'untracked')
    expect(await check(names)).toEqual(new Set())
    work.write('*449.yaml', 'edited')
    await refused(check(names), '*449.yaml has changes')
  })
})
