import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { agentImage } from './support/agent.ts'
import { cluster, Lab, namespaceExists, parseObjects, useLab } from './support/cluster.ts'
import { useLaptop } from './support/ksync.ts'
import { pull } from './support/place.ts'
import { until } from './support/until.ts'

describe('specs, as a user of ksync knows them', () => {
  const laptop = useLaptop()

  test('create gives a friendly name; list, list -o name and delete know it', async () => {
    laptop.folder('a')
    const created = await laptop.did('create', '-l', 'app=demo', './a', '/a')
    const name = /[a-z]+-[a-z]+/.exec(created)?.[0] ?? 'no name in the output'
    const list = await laptop.did('list')
    expect(list).toContain(name)
    expect(list).toContain(join(laptop.home, 'a'))
    expect((await laptop.did('list', '-o', 'name')).trim()).toContain(name)
    expect(await laptop.did('list', '-o', 'json')).toContain('"app=demo"')
    await laptop.did('delete', name)
    expect(await laptop.did('list', '-o', 'name')).not.toContain(name)
  })

  test.each([
    ['a file', ['-l', 'app=x', './file', '/x'], /file.*is (a file, )?not a directory/],
    ['a folder that is not there', ['-l', 'app=x', './nowhere', '/x'], /nowhere/],
    ['a relative remote folder', ['-l', 'app=x', './a', 'x'], /absolute/],
    ['neither selector nor pod', ['./a', '/x'], /--selector|--pod/],
    ['both selector and pod', ['-l', 'app=x', '--pod', 'y', './a', '/x'], /--selector|--pod/],
    [
      'both sides read-only',
      ['-l', 'a=b', '--local-read-only', '--remote-read-only', './a', '/x'],
      /read-only/,
    ],
    ['a context that is not there', ['--context', 'nowhere', '-l', 'a=b', './a', '/x'], /nowhere/],
  ])('create refuses %s, with a hint and without a trace', async (_, args, message) => {
    laptop.folder('a')
    writeFileSync(join(laptop.home, 'file'), '')
    const { code, stderr, stdout } = await laptop.ksync('create', ...args)
    expect(code).not.toBe(0)
    expect(stderr).toMatch(message)
    expect(stderr).not.toMatch(/ at .*\.js:\d+/)
    expect(stdout).toBe('')
  })

  test('a spec that overlaps another is refused, unless forced', async () => {
    laptop.folder('a/b')
    await laptop.did('create', '--name', 'outer', '-l', 'app=demo', './a', '/a')
    const { code, stderr } = await laptop.ksync('create', '-l', 'app=demo', './a/b', '/a/b')
    expect(code).not.toBe(0)
    expect(stderr).toContain('outer')
    await laptop.did('create', '--force', '--name', 'inner', '-l', 'app=demo', './a/b', '/a/b')
    await laptop.did('delete', '--all')
    expect(await laptop.did('list', '-o', 'name')).toBe('')
  })

  test('deleting a name that is not there names it, and deletes none of the others', async () => {
    laptop.folder('a')
    await laptop.did('create', '--name', 'here', '-l', 'app=demo', './a', '/a')
    const { code, stderr } = await laptop.ksync('delete', 'here', 'gone')
    expect(code).toBe(1)
    expect(stderr).toContain('gone')
    expect(await laptop.did('list', '-o', 'name')).toContain('here')
    await laptop.did('delete', 'here')
  })

  test('a broken configuration is named with line and column, and left untouched', async () => {
    const path = join(laptop.home, 'broken')
    const text = '# mine\nversion: 1\nspecs:\n  - name: [unclosed\n'
    writeFileSync(path, text)
    laptop.folder('a')
    const { code, stderr } = await laptop.ksync('create', '--config', path, '-l', 'a=b', './a', '/x')
    expect(code).not.toBe(0)
    expect(stderr).toContain(path)
    expect(stderr).toMatch(/line \d+|:\d+:\d+/)
    expect(readFileSync(path, 'utf8')).toBe(text)
  })

  test('comments in the configuration survive a create and a delete', async () => {
    const path = join(laptop.home, 'commented')
    writeFileSync(path, '# the team’s\nversion: 1\nspecs: [] # none yet\n')
    laptop.folder('a')
    await laptop.did('create', '--config', path, '--name', 'one', '-l', 'a=b', './a', '/x')
    expect(readFileSync(path, 'utf8')).toContain('# the team’s')
    await laptop.did('delete', '--config', path, 'one')
    expect(readFileSync(path, 'utf8')).toContain('# the team’s')
  })
})

describe('watch', () => {
  const laptop = useLaptop()

  test('in the background: get sees it, a second one refuses and names it, --stop ends it', async () => {
    const started = await laptop.did('watch', '-b')
    const pid = Number(/\d{2,}/.exec(started)?.[0])
    expect(isThere(pid)).toBe(true)
    const second = await laptop.ksync('watch')
    expect(second.code).not.toBe(0)
    expect(second.stderr).toContain(String(pid))
    await laptop.did('watch', '--stop')
    // It has ended; that it is buried, too, is up to the machine's first process.
    await until('no such process is left', () => isThere(pid), { holds: (there) => !there })
    expect((await laptop.ksync('get')).stderr).toMatch(/no .*watch|not running/i)
  })

  test('one killed with -9 does not keep the next from starting', async () => {
    const watch = await laptop.watch()
    await watch.kill('SIGKILL')
    const next = await laptop.watch()
    expect((await next.kill('SIGTERM')).code).toBe(0)
  })
})

describe('what differs when both sides meet', () => {
  const lab = useLab('conflict')
  const laptop = useLaptop()
  let work: string

  beforeAll(async () => {
    laptop.hasRunInit()
    await lab.deploy('plain')
    work = laptop.folder('work')
    for (const name of ['ours', 'theirs']) writeFileSync(join(work, name), 'local\n')
    await lab.sh('plain', 'mkdir work; echo remote > work/ours; echo remote > work/theirs')
  })

  const conflicts = async () =>
    (await laptop.sessions('work')).flatMap(({ session }) => session?.conflicts ?? [])

  test('waits, and run --once lists it, says how to settle it, and exits with 1', async () => {
    const { code, stderr } = await laptop.ksync(
      ...['run', '--once', '-n', lab.namespace, '--pod', 'plain', './work', '/work'],
    )
    expect(code).toBe(1)
    expect(stderr).toMatch(/conflict at ours: .*\nconflict at theirs: /)
    expect(stderr).toContain('delete the version that you do not want')
    expect(readFileSync(join(work, 'theirs'), 'utf8')).toBe('local\n')
    expect(await lab.sh('plain', 'cat work/ours')).toBe('remote\n')
  })

  test('get says the same', async () => {
    await laptop.did(
      ...['create', '--name', 'work', '-n', lab.namespace, '--pod', 'plain', './work', '/work'],
    )
    await laptop.did('watch', '-b')
    const { stderr } = await until('get lists both conflicts', () => laptop.ksync('get'), {
      holds: ({ stdout }) => stdout.includes('in sync, 2 conflicts'),
    })
    expect(stderr).toContain('delete the version that you do not want')
  })

  test('the version that is not deleted, on either side, takes the place of the other', async () => {
    rmSync(join(work, 'theirs'))
    await lab.sh('plain', 'rm work/ours')
    const here = () => (existsSync(join(work, 'theirs')) ? readFileSync(join(work, 'theirs'), 'utf8') : '')
    await until('the remote version is here', here, { holds: (text) => text === 'remote\n' })
    await until('the local version is there', () => lab.sh('plain', 'cat work/ours || true'), {
      holds: (text) => text === 'local\n',
    })
    await until('nothing is left to settle', conflicts, { holds: (all) => all.length === 0 })
  })
})

describe('an API server that cannot be used is told within 10 s, by name', () => {
  const laptop = useLaptop()
  let silent: Server
  let port: number

  beforeAll(async () => {
    silent = createServer(() => {})
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const address = silent.address()
    port = typeof address === 'object' && address !== null ? address.port : 0
  })
  afterAll(() => {
    silent.close()
  })

  async function against(change: (config: KubeConfigFile) => void) {
    const config = JSON.parse(cluster.config.exportConfig()) as KubeConfigFile
    change(config)
    const path = join(laptop.home, `config-${Math.random()}`)
    writeFileSync(path, JSON.stringify(config))
    const started = Date.now()
    const result = await laptop.ksync('init', '--kubeconfig', path, '--timeout', '30s')
    return { ...result, seconds: (Date.now() - started) / 1000 }
  }

  const server = (url: string) => (config: KubeConfigFile) => {
    for (const { cluster } of config.clusters) cluster.server = url
  }

  test.each([
    ['down', () => server('https://127.0.0.1:1'), '127.0.0.1:1'],
    ['one that never answers', () => server(`https://127.0.0.1:${port}`), '127.0.0.1'],
    ['a name that does not exist', () => server('https://no-such-host.invalid:6443'), 'no-such-host.invalid'],
    [
      'one with another authority’s certificate',
      () => (config: KubeConfigFile) => {
        for (const { cluster } of config.clusters) {
          delete cluster['certificate-authority-data']
          delete cluster['certificate-authority']
        }
      },
      'certificate',
    ],
    [
      'one that refuses the token',
      () => (config: KubeConfigFile) => {
        for (const entry of config.users) entry.user = { token: 'wrong' }
      },
      'credentials',
    ],
  ])('%s', async (_, change, named) => {
    const { code, stderr, seconds } = await against(change())
    expect(code).not.toBe(0)
    expect(stderr).toContain(named)
    expect(stderr).toMatch(/hint: /)
    expect(seconds).toBeLessThan(12)
  })
})

/** What is changed of a kubeconfig here. */
interface KubeConfigFile {
  clusters: { cluster: Record<string, unknown> }[]
  users: { user: Record<string, unknown> }[]
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('init and clean', () => {
  const { namespace } = new Lab('init')
  const laptop = useLaptop()

  afterAll(async () => {
    await laptop.ksync('clean', '--namespace', namespace)
  })

  test('--print gives YAML that the API server takes, and nothing is installed', async () => {
    const yaml = await laptop.did('init', '--print', '--image', agentImage, '--namespace', namespace)
    const objects = parseObjects(yaml)
    expect(objects.map(({ kind }) => kind)).toEqual(['Namespace', 'ServiceAccount', 'DaemonSet'])
    // The namespace is not there, so a stand-in has to do.
    for (const { metadata, ...rest } of objects) {
      const inDefault = metadata?.namespace === undefined ? {} : { namespace: 'default' }
      await cluster.objects.create({ ...rest, metadata: { ...metadata, ...inDefault } }, undefined, 'All')
    }
    expect(await namespaceExists(namespace)).toBe(false)
  })

  test('an image that cannot be had is said in a sentence, not just that time ran out', async () => {
    const image = 'registry.invalid/kubesync-test/none:1'
    const { code, stderr } = await laptop.ksync(
      ...['init', '--image', image, '--namespace', namespace, '--timeout', pull],
    )
    expect(code).not.toBe(0)
    expect(stderr).toContain(`the image ${image} cannot be pulled`)
  })

  test('run again with the right image it upgrades, with a line for each node', async () => {
    const { code, stderr, stdout } = await laptop.ksync(
      ...['init', '--image', agentImage, '--namespace', namespace],
    )
    expect(code).toBe(0)
    const { items } = await cluster.core.listNode()
    expect(items).not.toEqual([])
    for (const { metadata } of items) expect(stdout + stderr).toContain(metadata?.name)
  })

  test('clean removes every object that init made', async () => {
    await laptop.did('clean', '--namespace', namespace)
    expect(await namespaceExists(namespace)).toBe(false)
  })

  test('the socket and the configuration are this user’s only', async () => {
    mkdirSync(join(laptop.home, 'x'))
    await laptop.did('create', '-l', 'a=b', './x', '/x')
    expect(statSync(join(laptop.home, '.kubesync')).mode & 0o077).toBe(0)
    expect(statSync(join(laptop.home, '.kubesync/config')).mode & 0o077).toBe(0)
  })
})
