import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { KubeConfig, type KubernetesObject, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cli } from './support/agent.ts'
import { Cluster, cluster, useLab } from './support/cluster.ts'
import { useLaptop } from './support/ksync.ts'
import { createByHand, live, patch } from './support/manifests.ts'
import { testWith } from './support/place.ts'
import { type Finished, run } from './support/run.ts'
import { type Sandbox, startSandbox } from './support/sandbox.ts'
import { Screen } from './support/screen.ts'

const staging = useLab('staging').namespace
const prod = useLab('prod').namespace
const laptop = useLaptop()

/** Contexts of two environments, of which one has a slash in its name. */
beforeAll(() => {
  const config = new KubeConfig()
  config.loadFromFile(laptop.env.KUBECONFIG ?? '')
  const { cluster = '', user = '' } = config.getContextObject(config.getCurrentContext()) ?? {}
  config.addContext({ name: 'staging', cluster, user, namespace: staging })
  config.addContext({ name: 'eu/prod', cluster, user })
  laptop.env.KUBECONFIG = join(laptop.home, 'kubeconfig')
  writeFileSync(laptop.env.KUBECONFIG, config.exportConfig())
})

/** There are no images: what was written does not come up everywhere. */
const places = ['--from', 'staging', '--to', `eu/prod/${prod}`, '--no-wait']

/** A folder of manifests in which somebody promotes. */
class Folder {
  readonly path: string

  constructor(name: string) {
    this.path = laptop.folder(name)
  }

  promote(...args: string[]): Promise<Finished> {
    const options = { env: laptop.env, cwd: this.path }
    return run(process.execPath, [cli, 'promote', ...args], options)
  }

  atTerminal(...args: string[]): Screen {
    return new Screen(laptop.atTerminal(['promote', ...args], this.path))
  }

  write(file: string, text: string): void {
    mkdirSync(dirname(join(this.path, file)), { recursive: true })
    writeFileSync(join(this.path, file), text)
  }

  read(file: string): string {
    return readFileSync(join(this.path, file), 'utf8')
  }
}

interface Given {
  readonly image: string
  readonly command?: string
  readonly replicas?: number
  readonly env?: Readonly<Record<string, string>>
}

function deployment(
  name: string,
  { image, command = 'sleep', replicas = 0, env = {} }: Given,
): KubernetesObject & { spec: object } {
  const entries = Object.entries(env).map(([name, value]) => ({ name, value }))
  const container = { name: 'web', image, env: entries, command: [command, '1000000'] }
  const labels = { app: name }
  return {
    ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name } },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  }
}

/** As somebody keeps the same in a file, with comments. */
function file(name: string, { image, command = 'sleep', replicas = 0, env = {} }: Given): string {
  const entries = Object.entries(env).map(
    ([name, value]) => `        - {name: ${name}, value: "${value}"}   # of ${name}`,
  )
  return `# The shop's front.
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: ${prod}}
spec:
  replicas: ${replicas}  # here
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers:
      - name: web
        image:   ${image}  # released
        imagePullPolicy: IfNotPresent  # which is the default
        command: [${command}, "1000000"]
        env:
${entries.join('\n')}
`
}

async function both(name: string, there: Given, here: Given): Promise<void> {
  await createByHand(deployment(name, there), staging)
  await createByHand(deployment(name, here), prod)
}

async function imageOf(name: string): Promise<string | undefined> {
  return /"image":"([^"]+)"/.exec(JSON.stringify((await live('Deployment', name, prod)) ?? {}))?.[1]
}

async function release(name: string, image: string): Promise<void> {
  const containers = [{ name: 'web', image, command: ['sleep', '1000000'] }]
  await patch({
    ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace: staging } },
    ...{ spec: { template: { spec: { containers } } } },
  })
}

describe('from one place of a cluster to another', () => {
  test('what runs goes into file and cluster, what belongs to each stays, and then there is nothing to do', async () => {
    const it = new Folder('plain')
    const here = { image: 'web:1', replicas: 1, env: { LEVEL: 'info', DB: 'postgres://prod/db' } }
    await both('plain', { image: 'web:2', env: { LEVEL: 'debug', DB: 'postgres://staging/db' } }, here)
    it.write('plain.yaml', file('plain', here))
    const unasked = await it.promote('deploy/plain', ...places)
    expect([unasked.code, unasked.stderr]).toEqual([1, expect.stringContaining('--force')])
    expect(unasked.stdout).toMatch(/- +image: web:1 +# portable: the image\n +\+ +image: web:2/)
    expect(unasked.stdout).toMatch(/~ +replicas: 1 +# bound: .*\n +~ +replicas: 0 +# the source/)
    expect(it.read('plain.yaml')).toBe(file('plain', here))

    const done = await it.promote('deploy/plain', ...places, '-f')
    expect(done).toMatchObject({ code: 0 })
    const now = { ...here, image: 'web:2', env: { ...here.env, LEVEL: 'debug' } }
    expect(it.read('plain.yaml')).toBe(file('plain', now))
    expect(await live('Deployment', 'plain', prod)).toMatchObject({
      spec: {
        replicas: 1,
        template: {
          spec: {
            containers: [{ image: 'web:2', env: [{ value: 'debug' }, { value: 'postgres://prod/db' }] }],
          },
        },
      },
    })
    const again = await it.promote('deploy/plain', ...places, '-f')
    expect([again.code, again.stderr]).toEqual([0, expect.not.stringContaining('Deployment')])
    const options = { env: laptop.env, cwd: it.path }
    const history = await run(process.execPath, [cli, 'history', 'plain', '-o', 'json'], options)
    const writes: { where: string; operation: string }[] = JSON.parse(history.stdout)
    expect(writes.map(({ where }) => where).sort()).toEqual(['cluster', 'file'])
    expect(new Set(writes.map(({ operation }) => operation)).size).toBe(1)
  })

  test('what is new there is created only if it is named, without what belongs to the source, in a file where others are', async () => {
    const it = new Folder('new')
    await both('old', { image: 'web:1' }, { image: 'web:1' })
    it.write(`${prod}/deployment/old.yaml`, file('old', { image: 'web:1' }))
    await createByHand(
      deployment('fresh', { image: 'web:2', replicas: 1, env: { DB: 'postgres://staging/db' } }),
      staging,
    )
    await createByHand({ ...config('mine'), ...{ data: { a: '1' } } }, prod)
    const all = await it.promote(...places, '-f')
    expect(all.stdout).toMatch(/\/fresh .*only in the source/)
    expect(all.stdout).toMatch(/\/mine .*only in the target: left alone/)
    expect(await live('Deployment', 'fresh', prod)).toBeUndefined()
    expect(await it.promote('fresh', ...places, '-f')).toMatchObject({ code: 0 })
    expect(it.read(`${prod}/deployment/fresh.yaml`)).not.toMatch(/replicas|postgres|staging/)
    expect(await imageOf('fresh')).toBe('web:2')
    expect(await live('ConfigMap', 'mine', prod)).toBeDefined()
  })

  test('with --cluster-only files stay; from a folder that is pinned to the source, files of the target are found beside it', async () => {
    const it = new Folder('pinned')
    await both('pinned', { image: 'web:2' }, { image: 'web:1' })
    it.write('staging/.kubesync.yaml', 'context: staging\n')
    it.write('prod/.kubesync.yaml', `context: eu/prod\nnamespace: ${prod}\n`)
    it.write('prod/pinned.yaml', file('pinned', { image: 'web:1' }))
    const inStaging = new Folder('pinned/staging')
    expect(await inStaging.promote('pinned', ...places, '-f', '--cluster-only')).toMatchObject({ code: 0 })
    expect([await imageOf('pinned'), it.read('prod/pinned.yaml')]).toEqual([
      'web:2',
      file('pinned', { image: 'web:1' }),
    ])
    it.write('prod/pinned.yaml', file('pinned', { image: 'web:2' }))
    await release('pinned', 'web:3')
    expect(
      await inStaging.promote('pinned', '--from', 'staging', '--to', 'eu/prod', '-f', '--no-wait'),
    ).toMatchObject({
      code: 0,
    })
    expect([await imageOf('pinned'), it.read('prod/pinned.yaml')]).toEqual([
      'web:3',
      file('pinned', { image: 'web:3' }),
    ])
  })

  test('digests are what pods report, and where none does it is said and the tag stays', async () => {
    const it = new Folder('digests')
    const name = 'digests'
    await both(name, { image: 'web:2' }, { image: 'web:1' })
    const said = await it.promote(`deploy/${name}`, ...places, '-f', '--digests')
    expect(said.stdout).toContain('web:2 stays as it is: no pod reports its digest')
    expect(await imageOf(name)).toBe('web:2')

    // A pod that no node looks after: it says what the test has it say.
    const containers = [{ name: 'web', image: 'web:2', command: ['web'] }]
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { app: name } } }
    await createByHand({ ...pod, ...{ spec: { schedulerName: 'nobody', containers } } }, staging)
    const pinned = `web:2@sha256:${'a'.repeat(64)}`
    const ran = { name: 'web', image: 'web:2', imageID: `docker.io/library/${pinned.replace(':2', '')}` }
    const body = { status: { containerStatuses: [{ ...ran, ready: true, restartCount: 0 }] } }
    const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch)
    await cluster.core.patchNamespacedPodStatus({ name, namespace: staging, body }, merge)
    for (const _ of ['as it was not', 'as it is already']) {
      expect(await it.promote(`deploy/${name}`, ...places, '-f', '--digests')).toMatchObject({ code: 0 })
      expect(await imageOf(name)).toBe(pinned)
    }
  })

  test('what somebody wrote into the file and did not push is not replaced unasked', async () => {
    const it = new Folder('edited')
    await both('edited', { image: 'web:3' }, { image: 'web:1' })
    it.write('edited.yaml', file('edited', { image: 'web:2' }))
    const left = await it.promote('edited', ...places, '-f')
    expect([left.code, left.stdout]).toEqual([
      1,
      expect.stringContaining('the file has something else than the cluster'),
    ])
    expect([await imageOf('edited'), it.read('edited.yaml')]).toEqual([
      'web:1',
      file('edited', { image: 'web:2' }),
    ])
    expect(await it.promote('edited', ...places, '-f', '--conflicts', 'take')).toMatchObject({ code: 0 })
    expect([await imageOf('edited'), it.read('edited.yaml')]).toEqual([
      'web:3',
      file('edited', { image: 'web:3' }),
    ])
  })

  test('where a file cannot be read or changed, the cluster stays as it is, too', async () => {
    const it = new Folder('broken')
    await both('broken', { image: 'web:2' }, { image: 'web:1' })
    const anchored = file('broken', { image: '&image web:1' })
    for (const text of [`${anchored}: [`, anchored.replace('command: [sleep,', 'command: [*image,')]) {
      it.write('broken.yaml', text)
      expect(await it.promote('broken', ...places, '-f')).toMatchObject({ code: 1 })
      expect([await imageOf('broken'), it.read('broken.yaml')]).toEqual(['web:1', text])
    }
  })

  test('a rollout that fails is explained, and taken back in file and cluster', async () => {
    const it = new Folder('failing')
    const here = { image: 'docker.io/kubesync-test/plain:1', replicas: 1, env: { A: 'b' } }
    await both('failing', { ...here, command: 'no-such-program' }, here)
    it.write('failing.yaml', file('failing', here))
    const args = ['failing', ...places.slice(0, 4), '-f', '--rollback-on-failure', '--timeout', '30s']
    const failed = await it.promote(...args)
    expect([failed.code, failed.stderr]).toEqual([
      1,
      expect.stringMatching(/failed: .*no-such-program[\s\S]*file and cluster are what they were before/),
    ])
    expect(it.read('failing.yaml')).toBe(file('failing', here))
    expect(JSON.stringify(await live('Deployment', 'failing', prod))).toContain('"sleep"')
  })

  test('a protected target is written to only by whoever names it', async () => {
    const it = new Folder('protected')
    await both('guarded', { image: 'web:2' }, { image: 'web:1' })
    it.write('.config', "version: 1\nprotectedContexts: ['eu/*']\n")
    const args = ['guarded', ...places, '-f', '--config', join(it.path, '.config')]
    const refused = await it.promote(...args)
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('--confirm-context eu/prod')])
    expect(await imageOf('guarded')).toBe('web:1')
    expect(await it.promote(...args, '--confirm-context', 'eu/prod')).toMatchObject({ code: 0 })
    expect(await imageOf('guarded')).toBe('web:2')
  })

  test('places that are none, or one and the same, are refused', async () => {
    const it = new Folder('nowhere')
    const said = async (...args: string[]) => (await it.promote(...args)).stderr
    expect(await said('--from', 'stagin', '--to', 'eu/prod')).toContain(
      '`stagin` is neither a context nor a folder',
    )
    expect(await said('--from', 'staging', '--to', `eu/prod/${staging}`)).toContain(
      'both places are the same',
    )
    expect(await said('--from', 'staging', '--to', '.')).toContain('one place is a folder')
  })
})

function config(name: string): KubernetesObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } }
}

describe('from one cluster to another', () => {
  let sandbox: Sandbox | undefined
  afterAll(() => sandbox?.close())

  test('both are in one kubeconfig, and each is asked what is a default there', async () => {
    const it = new Folder('clusters')
    sandbox = await startSandbox(join(it.path, '.sandbox'))
    const there = new Cluster(sandbox.kubeconfig)
    const name = 'across'
    await there.objects.create({
      ...deployment(name, { image: 'web:2', replicas: 1 }),
      metadata: { name, namespace: 'default' },
    })
    await createByHand(deployment(name, { image: 'web:1' }), prod)
    it.write('across.yaml', file(name, { image: 'web:1', env: { A: 'b' } }))

    const config = new KubeConfig()
    config.loadFromFile(laptop.env.KUBECONFIG ?? '')
    const [cluster, user] = [there.config.getCurrentCluster(), there.config.getCurrentUser()]
    if (cluster === null || user === null) throw new Error('the sandbox has no context')
    config.addCluster({ ...cluster, name: 'other' })
    config.addUser({ ...user, name: 'other' })
    config.addContext({ name: 'other', cluster: 'other', user: 'other', namespace: 'default' })
    it.write('.kubeconfig', config.exportConfig())
    const args = [
      'across',
      '--from',
      'other',
      '--to',
      `eu/prod/${prod}`,
      '--kubeconfig',
      join(it.path, '.kubeconfig'),
    ]
    const done = await it.promote(...args, '-f', '--no-wait')
    expect([done.code, done.stdout.match(/portable: .*/g)]).toEqual([0, ['portable: the image']])
    expect([await imageOf(name), it.read('across.yaml')]).toEqual([
      'web:2',
      file(name, { image: 'web:2', env: { A: 'b' } }),
    ])
    expect((await it.promote(...args, '-f')).stdout).not.toContain('portable')
  })
})

describe('from one folder to another', () => {
  test('takes no cluster, leaves every other byte, and appends what is new to the file of that name', async () => {
    const it = new Folder('overlays')
    const nowhere = { ...laptop.env, KUBECONFIG: join(it.path, 'none') }
    const promote = (...args: string[]) =>
      run(process.execPath, [cli, 'promote', '--from', 'staging', '--to', './prod', ...args], {
        env: nowhere,
        cwd: it.path,
      })
    const own = { replicas: 3, env: { LEVEL: 'info', DB: 'postgres://prod/db' } }
    const added = (namespace: string) =>
      `apiVersion: v1\ndata:\n  a: b\nkind: ConfigMap\nmetadata:\n  name: new\n  namespace: ${namespace}\n`
    const there = file('web', { image: 'web:2', env: { LEVEL: 'debug', DB: 'postgres://staging/db' } })
    it.write('staging/web.yaml', `${there.replaceAll(prod, 'shop-staging')}---\n${added('shop-staging')}`)
    it.write('prod/front.yaml', file('web', { ...own, image: 'web:1' }))
    it.write('prod/web.yaml', '# nothing here yet\n')
    expect(await promote('-f')).toMatchObject({ code: 0 })
    const now = file('web', { ...own, image: 'web:2', env: { ...own.env, LEVEL: 'debug' } })
    expect([it.read('prod/front.yaml'), it.read('prod/web.yaml')]).toEqual([now, '# nothing here yet\n'])
    expect(await promote('cm/new', '-f')).toMatchObject({ code: 0 })
    expect([it.read('prod/front.yaml'), it.read('prod/web.yaml')]).toEqual([
      now,
      `# nothing here yet\n---\n${added(prod)}`,
    ])
    expect((await promote('-f')).stderr).toContain('1 the same')
    const history = await run(process.execPath, [cli, 'history', '-o', 'json'], {
      env: nowhere,
      cwd: it.path,
    })
    expect(JSON.parse(history.stdout)).toContainEqual(
      expect.objectContaining({ where: 'file', file: join(it.path, 'prod/front.yaml'), outcome: 'done' }),
    )
  })
})

describe('field by field', () => {
  const field = /this field\? \[[^\]]+\] $/
  const object = /this object\? \[[^\]]+\] $/

  testWith('terminal')(
    'Enter is what is preselected, and what was picked is preselected the next time',
    async () => {
      const it = new Folder('picked')
      await both(
        'picked',
        { image: 'web:2', replicas: 1, env: { LEVEL: 'debug' } },
        { image: 'web:1', env: { LEVEL: 'info' } },
      )
      const screen = it.atTerminal('picked', ...places)
      await screen.asks(/\[q\]uit, \[\?\] $/)
      screen.answer('s')
      await screen.asks(object)
      screen.answer('f')
      const answers = { replicas: ['[y,N,', 'y'], LEVEL: ['[Y,n,', 'n'], 'image:': ['[Y,n,', ''] } as const
      for (const _ of Object.keys(answers)) {
        const shown = await screen.asks(field)
        const [usual, answer] = Object.entries(answers).find(([name]) => shown.includes(name))?.[1] ?? [
          '',
          'q',
        ]
        expect(shown).toContain(usual)
        screen.answer(answer)
      }
      expect(await screen.terminal.exited).toMatchObject({ code: 0 })
      const now = (replicas: number, image: string, value: string) => ({
        spec: { replicas, template: { spec: { containers: [{ image, env: [{ name: 'LEVEL', value }] }] } } },
      })
      expect(await live('Deployment', 'picked', prod)).toMatchObject(now(1, 'web:2', 'info'))

      await patch({
        ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'picked', namespace: staging } },
        ...{ spec: { replicas: 0 } },
      })
      const later = await it.promote('picked', ...places, '-f')
      expect(later.stdout).toMatch(/replicas: 1 +# bound: .*; picked before/)
      expect(await live('Deployment', 'picked', prod)).toMatchObject(now(0, 'web:2', 'info'))
      // Whatever was picked: what is portable, and nothing else.
      expect(await it.promote('picked', ...places, '--all-portable')).toMatchObject({ code: 0 })
      expect(await live('Deployment', 'picked', prod)).toMatchObject(now(0, 'web:2', 'debug'))
    },
  )
})
