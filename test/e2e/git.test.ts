import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text as textOf } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { useLab } from './support/cluster.ts'
import { useLaptop } from './support/ksync.ts'
import { Checkout, live, patch } from './support/manifests.ts'

const { namespace } = useLab('git')
const laptop = useLaptop()

const text = (name: string, value: string) =>
  `# ours\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  a: ${value}\n`
const dataOf = async (name: string) =>
  ((await live('ConfigMap', name, namespace)) as { data?: object } | undefined)?.data

Object.assign(laptop.env, {
  ...{ GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' },
  ...{ GIT_AUTHOR_NAME: 'Jo', GIT_AUTHOR_EMAIL: 'jo@example.com' },
  ...{ GIT_COMMITTER_NAME: 'Jo', GIT_COMMITTER_EMAIL: 'jo@example.com' },
})

/** A checkout with manifests that are pushed, below the top of a repository whose upstream is a bare one beside it. */
async function repository(name: string) {
  const here = new Checkout(laptop, { name: `${name}/manifests`, namespace })
  const top = join(here.folder, '..')
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: top, env: laptop.env, encoding: 'utf8', stdio: 'pipe' })
  const bare = join(top, '..', `${name}.git`)
  git('init', '--quiet', '--bare', '--initial-branch=main', bare)
  git('init', '--quiet', '--initial-branch=main')
  here.write('it.yaml', text(name, '"1"'))
  writeFileSync(join(top, 'code'), '1\n')
  git('add', '--all')
  git('commit', '--quiet', '--message=first')
  git('remote', 'add', 'origin', bare)
  git('push', '--quiet', '--set-upstream', 'origin', 'main')
  await here.did('push', '-f')
  // What the user is about: staged, edited and new, and none of our business.
  writeFileSync(join(top, 'staged'), 'mine\n')
  git('add', 'staged')
  writeFileSync(join(top, 'code'), 'edited\n')
  return { here, git, bare }
}
const mine = ' M code\nA  staged\n'
const change = (name: string, a: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  ...{ data: { a } },
})

describe('with --git', () => {
  test('a pull is one commit that names what and where, and nothing else is in it', async () => {
    const { here, git } = await repository('pulled')
    await patch(change('pulled', '2'))
    const said = await here.did('pull', 'cm/pulled', '-f', '--git')
    expect(said).toMatch(/committed \w{10} on main: pull: ConfigMap \S+\/pulled on /)
    expect(git('show', '--format=%B', '--name-only', 'HEAD')).toMatch(
      /^pull: ConfigMap \S+\/pulled on \S+\n\n- ConfigMap \S+\/pulled\n\n\nmanifests\/it\.yaml\n$/,
    )
    expect(git('status', '--porcelain')).toBe(mine)
  })

  test('a push commits the files as they went to the cluster; what is not pushed at all is not committed', async () => {
    const { here, git } = await repository('pushed')
    here.edit('it.yaml', '"1"', '"2"')
    await here.did('push', '-f', '--git')
    expect(await dataOf('pushed')).toEqual({ a: '2' })
    expect(git('show', 'HEAD:manifests/it.yaml')).toBe(text('pushed', '"2"'))
    await patch(change('pushed', '3'))
    here.edit('it.yaml', '"2"', '"4"')
    expect(await here.ksync('push', '-f', '--git')).toMatchObject({ code: 1 })
    expect(git('log', '--format=%s')).toMatch(/^push: [^\n]*\nfirst\n$/)
    expect(git('status', '--porcelain')).toBe(` M code\n M manifests/it.yaml\nA  staged\n`)
  })

  test('it is pushed if the configuration says so, with nothing of the user’s own', async () => {
    const { here, git, bare } = await repository('remote')
    laptop.env.KUBESYNC_GIT_PUSH = 'true'
    try {
      await patch(change('remote', '2'))
      expect(await here.did('pull', 'cm/remote', '-f', '--git')).toContain('pushed to origin')
      expect(git('--git-dir', bare, 'show', 'main:manifests/it.yaml')).toContain('a: "2"')
      git('commit', '--quiet', '--message=mine')
      await patch(change('remote', '3'))
      expect(await here.did('pull', 'cm/remote', '-f', '--git')).toContain(
        'commits of yours that are not pushed',
      )
      expect(git('--git-dir', bare, 'log', '--oneline', 'main').trim().split('\n')).toHaveLength(2)
    } finally {
      delete laptop.env.KUBESYNC_GIT_PUSH
    }
  })
})

describe('each write of a command is a commit of its own', () => {
  test('deploy and revert', async () => {
    const { here, git } = await repository('deployed')
    await here.did('deploy', 'cm/deployed', '--set', 'data.a=2', '-f', '--git')
    expect(git('show', 'HEAD:manifests/it.yaml')).toMatch(/ a: "?2"?\n$/)
    await here.did('revert', '--last', '-f', '--git')
    expect(git('log', '--format=%s')).toMatch(/^revert: [^\n]+\ndeploy: [^\n]+\nfirst\n$/)
    expect(git('show', 'HEAD:manifests/it.yaml')).toBe(text('deployed', '"1"'))
    expect(git('status', '--porcelain')).toBe(mine)
  })

  test('a deployment that fails and is taken back', async () => {
    const { here, git } = await repository('failing')
    const web = `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: failing}\nspec:\n  selector: {matchLabels: {app: f}}\n  template:\n    metadata: {labels: {app: f}}\n    spec:\n      terminationGracePeriodSeconds: 0\n      containers:\n        - {name: web, image: "docker.io/library/busybox:1", command: [sleep, "1000"]}\n`
    here.write('web.yaml', web)
    git('add', 'manifests/web.yaml')
    git('commit', '--quiet', '--message=web', '--', 'manifests/web.yaml')
    await here.did('push', 'web.yaml', '-f', '--no-wait')
    const nowhere = 'spec.template.spec.nodeSelector.no=such'
    const args = ['--timeout', '3s', '--rollback-on-failure', '-f', '--git']
    expect(await here.ksync('deploy', 'deploy/failing', '--set', nowhere, ...args)).toMatchObject({ code: 1 })
    expect(git('log', '--format=%s')).toMatch(/^deploy \(going back\): [^\n]+\ndeploy: [^\n]+\nweb\nfirst\n$/)
    expect(git('show', 'HEAD:manifests/web.yaml')).toBe(web)
    expect(git('status', '--porcelain')).toBe(mine)
  })

  test('fields that are put in order', async () => {
    const { here, git } = await repository('ordered')
    here.write(
      'it.yaml',
      text('ordered', '"1"').replace(/(# ours\n)(apiVersion: v1\n)(kind: ConfigMap\n)/, '$1$3$2'),
    )
    git('commit', '--quiet', '--message=disorder', '--', 'manifests/it.yaml')
    await patch(change('ordered', '2'))
    await here.did('pull', 'cm/ordered', '-f', '--sort', '--git')
    expect(git('log', '--format=%s')).toMatch(/^pull \(in order\): [^\n]+\npull: [^\n]+\ndisorder\nfirst\n$/)
    expect(git('show', 'HEAD:manifests/it.yaml')).toMatch(/^# ours\napiVersion: v1\ndata:/)
    expect(git('status', '--porcelain')).toBe(mine)
  })
})

test('nothing is written, neither here nor there, where the branch or a file is not ready', async () => {
  const { here, git, bare } = await repository('unready')
  await patch(change('unready', '2'))
  const refused = async (message: string, hint: string) => {
    const before = [here.read('it.yaml'), git('log', '--format=%s'), git('status', '--porcelain')]
    const { code, stderr } = await here.ksync('pull', 'cm/unready', '-f', '--git')
    const said = new RegExp(`nothing was written: .*${message}[^]*${hint}`)
    expect([code, stderr]).toEqual([1, expect.stringMatching(said)])
    expect([here.read('it.yaml'), git('log', '--format=%s'), git('status', '--porcelain')]).toEqual(before)
  }
  here.edit('it.yaml', '# ours', '# mine')
  await refused('manifests/it.yaml has changes that are not committed', 'commit them first')
  git('checkout', '--quiet', '--', 'manifests')
  git('checkout', '--quiet', '--detach')
  await refused('no branch is checked out', 'git switch')
  git('checkout', '--quiet', 'main')
  git('clone', '--quiet', bare, `${bare}.other`)
  git('-C', `${bare}.other`, 'commit', '--quiet', '--allow-empty', '--message=theirs')
  git('-C', `${bare}.other`, 'push', '--quiet')
  await refused('has 1 commit that', '`git pull`')
  // Without git it goes on as ever.
  await here.did('pull', 'cm/unready', '-f', '--no-git')
  expect(here.read('it.yaml')).toContain('a: "2"')
})

test('where the configuration wants commits, a folder outside of git is written all the same', async () => {
  const here = new Checkout(laptop, { name: 'outside', namespace })
  here.write('it.yaml', text('outside', '"1"'))
  laptop.env.KUBESYNC_GIT_COMMIT = 'true'
  try {
    expect(await here.did('push', '-f')).toContain('is in no git repository')
  } finally {
    delete laptop.env.KUBESYNC_GIT_COMMIT
  }
  expect(await here.ksync('push', '-f', '--git')).toMatchObject({ code: 1 })
})

test('a pull request is opened from a branch of its own, by a token that nothing prints', async () => {
  const asked: unknown[] = []
  const server = createServer(async (request, response) => {
    asked.push([request.url, request.headers.authorization, JSON.parse(await textOf(request))])
    response.writeHead(201).end(JSON.stringify({ html_url: 'https://ghe.example/acme/shop/pull/7' }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { here, git, bare } = await repository('proposed')
  git('remote', 'set-url', 'origin', 'https://ghe.example/acme/shop.git')
  git('config', `url.${bare}.insteadOf`, 'https://ghe.example/acme/shop.git')
  mkdirSync(join(here.folder, 'new'), { recursive: true })
  await patch(change('proposed', '2'))
  const args = ['pull', 'cm/proposed', '-f', '--pull-request'] as const
  expect(await here.ksync(...args)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('$GITHUB_TOKEN'),
  })
  const { port } = server.address() as AddressInfo
  Object.assign(laptop.env, { GITHUB_TOKEN: 's3cret', GITHUB_API_URL: `http://127.0.0.1:${port}` })
  try {
    const said = await here.did(...args)
    expect(said).toContain('https://ghe.example/acme/shop/pull/7\n')
    expect(said).not.toContain('s3cret')
  } finally {
    server.close()
    delete laptop.env.GITHUB_TOKEN
    delete laptop.env.GITHUB_API_URL
  }
  const head = git('branch', '--show-current').trim()
  expect(head).toMatch(/^kubesync\/pull-configmap-.*-proposed-on-/)
  expect(asked).toMatchObject([['/repos/acme/shop/pulls', 'Bearer s3cret', { head, base: 'main' }]])
  expect(git('--git-dir', bare, 'show', `${head}:manifests/it.yaml`)).toContain('a: "2"')
  expect(git('--git-dir', bare, 'log', '--format=%s', 'main')).toBe('first\n')
  expect(git('status', '--porcelain')).toBe(mine)
})
