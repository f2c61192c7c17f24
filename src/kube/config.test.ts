import { mkdir, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { listContexts, loadContext } from './config.ts'
import { readKubeconfig, userEntry } from './kubeconfig.ts'
import { temporaryDirectory, temporaryFile } from './testing/files.ts'

interface Part {
  current?: string
  /** context name -> server, or cluster */
  contexts?: Record<string, string | object>
  users?: Record<string, object>
}

/** A kubeconfig in which each context has a cluster and a user of its own name. */
function kubeconfig({ current, contexts = {}, users = {} }: Part): string {
  const names = Object.keys(contexts)
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    ...(current === undefined ? {} : { 'current-context': current }),
    contexts: names.map((name) => ({
      name,
      context: { cluster: name, user: name, namespace: `${name}-ns` },
    })),
    clusters: Object.entries(contexts).map(([name, cluster]) => ({
      name,
      cluster: typeof cluster === 'string' ? { server: cluster } : cluster,
    })),
    users: names.map((name) => ({ name, user: users[name] ?? { token: name } })),
  })
}

async function file(part: Part): Promise<string> {
  return temporaryFile('config', kubeconfig(part))
}

function paths(...list: string[]): NodeJS.ProcessEnv {
  return { KUBECONFIG: list.join(delimiter) }
}

describe('which kubeconfig', () => {
  test('the current context of ~/.kube/config, when nothing else is said', async () => {
    const home = await temporaryDirectory()
    await mkdir(join(home, '.kube'))
    await writeFile(join(home, '.kube', 'config'), kubeconfig({ current: 'a', contexts: { a: 'https://a' } }))
    expect(await loadContext({ env: { HOME: home } })).toMatchObject({
      name: 'a',
      cluster: 'a',
      server: 'https://a',
      namespace: 'a-ns',
      user: 'a',
    })
  })

  test('--kubeconfig wins over KUBECONFIG', async () => {
    const [named, listed] = [
      await file({ current: 'a', contexts: { a: 'https://a' } }),
      await file({ current: 'b', contexts: { b: 'https://b' } }),
    ]
    expect((await loadContext({ kubeconfig: named, env: paths(listed) })).name).toBe('a')
  })

  test('a missing --kubeconfig is an error that names it', async () => {
    const promise = loadContext({ kubeconfig: '/nowhere/config', env: {} })
    await expect(promise).rejects.toMatchObject({
      code: 'KUBECONFIG_NOT_FOUND',
      message: /\/nowhere\/config/,
    })
  })

  test('missing files of KUBECONFIG are skipped', async () => {
    const there = await file({ current: 'a', contexts: { a: 'https://a' } })
    expect((await loadContext({ env: paths('/nowhere/1', there, '/nowhere/2') })).name).toBe('a')
  })

  test('without any, the error says where it looked', async () => {
    const promise = loadContext({ env: paths('/nowhere/1', '/nowhere/2') })
    await expect(promise).rejects.toMatchObject({ code: 'NO_CONTEXT', message: /\/nowhere\/1, \/nowhere\/2/ })
  })
})

describe('several files', () => {
  test('of two entries of a name the first counts, whole', async () => {
    const first = await file({ contexts: { a: { server: 'https://first' } } })
    const second = await file({
      current: 'a',
      contexts: { a: { server: 'https://second', 'tls-server-name': 'second' }, b: 'https://b' },
    })
    const context = await loadContext({ env: paths(first, second) })
    expect(context.server).toBe('https://first')
    expect(context.config.cluster).not.toHaveProperty('tlsServerName')
    expect((await loadContext({ env: paths(first, second), context: 'b' })).server).toBe('https://b')
  })

  test('of two entries of a name in one file the first counts too', async () => {
    const text = kubeconfig({ current: 'a', contexts: { a: 'https://first' } })
    const twice = text.replace(
      'clusters:\n',
      'clusters:\n  - name: a\n    cluster: { server: https://zeroth }\n',
    )
    const context = await loadContext({ kubeconfig: await temporaryFile('config', twice), env: {} })
    expect(context.server).toBe('https://zeroth')
  })

  test('the current context is what the first file that sets one says', async () => {
    const contexts = { a: 'https://a', b: 'https://b' }
    const none = await file({ contexts })
    const b = await file({ current: 'b', contexts: {} })
    const a = await file({ current: 'a', contexts: {} })
    expect((await loadContext({ env: paths(none, b, a) })).name).toBe('b')
  })

  test('a relative path is relative to the file that has it', async () => {
    const contexts = { a: { server: 'https://a', 'certificate-authority': 'pki/ca.pem' } }
    const users = { a: { 'client-certificate': './me.pem', 'client-key': '/absolute.key' } }
    const path = await file({ current: 'a', contexts, users })
    const { config } = await loadContext({ env: paths(path) })
    const directory = join(path, '..')
    expect(config.cluster.caFile).toBe(join(directory, 'pki/ca.pem'))
    expect(config.user).toMatchObject({
      certFile: join(directory, 'me.pem'),
      keyFile: '/absolute.key',
    })
  })
})

describe('the command of a credential plugin', () => {
  async function commandOf(command: string): Promise<[string | undefined, string]> {
    const users = { a: { exec: { apiVersion: 'client.authentication.k8s.io/v1', command } } }
    const path = await file({ current: 'a', contexts: { a: 'https://a' }, users })
    const config = await readKubeconfig(path)
    return [config && userEntry(config, 'a')?.exec?.command, dirname(path)]
  }

  test('with a slash is relative to the file', async () => {
    const [command, directory] = await commandOf('./bin/login')
    expect(command).toBe(join(directory, 'bin/login'))
  })

  test('without one is looked up on PATH', async () => {
    expect((await commandOf('login'))[0]).toBe('login')
  })
})

describe('which context and namespace', () => {
  test('another context and another namespace than the current ones', async () => {
    const path = await file({ current: 'a', contexts: { a: 'https://a', b: 'https://b' } })
    const context = await loadContext({ kubeconfig: path, context: 'b', namespace: 'mine', env: {} })
    expect(context).toMatchObject({ name: 'b', namespace: 'mine' })
  })

  test('the namespace is "default" when nobody says one', async () => {
    const text = kubeconfig({ current: 'a', contexts: { a: 'https://a' } }).replace(/ +namespace: .*\n/, '')
    const context = await loadContext({ kubeconfig: await temporaryFile('config', text), env: {} })
    expect(context.namespace).toBe('default')
  })

  test('an unknown context is an error that lists those there are', async () => {
    const path = await file({ current: 'a', contexts: { b: 'https://b', a: 'https://a' } })
    const promise = loadContext({ kubeconfig: path, context: 'c', env: {} })
    await expect(promise).rejects.toMatchObject({
      code: 'NO_SUCH_CONTEXT',
      message: /"c"/,
      hint: 'There are: a, b.',
    })
  })

  test('a context that names a cluster nobody has is an error that names both', async () => {
    const text = kubeconfig({ current: 'a', contexts: { a: 'https://a' } }).replace(
      'cluster: a',
      'cluster: gone',
    )
    const promise = loadContext({ kubeconfig: await temporaryFile('config', text), env: {} })
    await expect(promise).rejects.toMatchObject({
      code: 'KUBECONFIG_INVALID',
      message: /"a".*cluster "gone"/,
    })
  })

  test('all contexts, sorted, with the current one marked', async () => {
    const path = await file({ current: 'b', contexts: { b: 'https://b', a: 'https://a' } })
    expect(await listContexts({ kubeconfig: path })).toEqual([
      { name: 'a', cluster: 'a', user: 'a', namespace: 'a-ns', current: false },
      { name: 'b', cluster: 'b', user: 'b', namespace: 'b-ns', current: true },
    ])
  })
})

describe('a broken kubeconfig', () => {
  test('that is no YAML is named, with line and column', async () => {
    const path = await temporaryFile('config', 'contexts:\n  - name: "a\n')
    const promise = loadContext({ kubeconfig: path, env: {} })
    await expect(promise).rejects.toMatchObject({ code: 'KUBECONFIG_INVALID' })
    await expect(promise).rejects.toThrow(path)
    await expect(promise).rejects.toThrow(/line \d+, column \d+/)
  })

  test('that is something else is named, with what is wrong', async () => {
    const path = await temporaryFile('config', 'contexts: 5')
    await expect(loadContext({ kubeconfig: path, env: {} })).rejects.toThrow(
      `${path} cannot be used: contexts`,
    )
  })

  test('a broken entry is an error when it is used, and only then', async () => {
    const path = await file({ current: 'a', contexts: { a: 'https://a', b: { server: '' } } })
    expect((await loadContext({ kubeconfig: path, env: {} })).name).toBe('a')
    const promise = loadContext({ kubeconfig: path, context: 'b', env: {} })
    await expect(promise).rejects.toThrow(`${path} cannot be used: cluster "b": server: must not be empty`)
  })
})
