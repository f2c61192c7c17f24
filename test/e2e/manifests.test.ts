import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { cluster, useLab } from './support/cluster.ts'
import { useLaptop } from './support/ksync.ts'
import { Checkout, createByHand, live, patch } from './support/manifests.ts'

const lab = useLab('manifests')
const laptop = useLaptop()
const { namespace } = lab

const web = `# The shop's front.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web   # as the Service calls it
spec:
    replicas: 0 # nobody runs here

    selector: {matchLabels: {app: "web"}}
    template:
        metadata: {labels: {app: "web"}}
        spec:
            containers:
                # the only one
                - name: web
                  image: 'web:1'
                  command: [web]
`

function checkout(name: string): Checkout {
  return new Checkout(laptop, { name, namespace })
}

const config = (name: string, data: Record<string, string>) => ({
  ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace } },
  data,
})
const text = (name: string, value: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  a: ${value}\n  b: "1"\n`
const dataOf = async (name: string) =>
  (await live('ConfigMap', name, namespace)) as { data?: object } | undefined

describe('a manifest with comments', () => {
  test('is pushed, follows the cluster, and keeps every byte but for what changed', async () => {
    const here = checkout('comments')
    here.write('web.yaml', web)
    expect(await here.ksync('diff')).toMatchObject({ code: 1 })
    expect(await here.did('push', '-f')).toContain(`Deployment.apps ${namespace}/web created`)
    expect(await here.did('diff')).toContain('1 the same')

    const metadata = { name: 'web', namespace, annotations: { 'by/hand': 'yes' } }
    await patch({ apiVersion: 'apps/v1', kind: 'Deployment', metadata })
    const theirs = await here.ksync('diff')
    expect([theirs.code, theirs.stdout]).toEqual([
      1,
      expect.stringMatching(/theirs \(kubectl-edit\)[\s\S]*by\/hand/),
    ])
    // Nothing of ours to push: what changed there stays.
    await here.did('push', '-f')
    expect((await live('Deployment', 'web', namespace))?.metadata?.annotations).toMatchObject({
      'by/hand': 'yes',
    })

    await here.did('pull', '-f')
    expect(here.read('web.yaml')).toBe(
      web.replace(
        'as the Service calls it\n',
        'as the Service calls it\n  annotations:\n      by/hand: "yes"\n',
      ),
    )
    here.write('web.yaml', web.replace('web:1', 'web:2'))
    await here.did('push', '-f', '--no-wait')
    const now = await live('Deployment', 'web', namespace)
    expect(now?.metadata?.annotations).not.toHaveProperty('by/hand')
    expect(JSON.stringify(now)).toContain('"web:2"')
    expect(await here.did('diff')).toContain('1 the same')
  })
})

describe('a rule of the user for what does not belong into files', () => {
  test('keeps it out of what is pulled, and in the cluster', async () => {
    const here = checkout('rules')
    const rule = '{kind: ConfigMap, path: data.built, reason: the pipeline sets it}'
    here.write('.config', `version: 1\nsanitize: [${rule}]\n`)
    const own = ['--config', join(here.folder, '.config')]
    await createByHand(config('ruled', { a: '1', built: '17' }), namespace)
    await here.did('pull', 'cm/ruled', '-o', 'r', '-f', ...own)
    expect(here.read('r.yaml')).toContain('data:\n  a: "1"\nkind:')
    here.edit('r.yaml', 'a: "1"', 'a: "2"')
    await here.did('push', '-f', ...own)
    expect((await dataOf('ruled'))?.data).toEqual({ a: '2', built: '17' })
    expect(await here.did('diff', ...own)).toContain('1 the same')
  })
})

describe('a file in an order of its own', () => {
  const own = `kind: ConfigMap\napiVersion: v1\nmetadata: {name: sorted}\ndata:\n  b: "1"\n  # of a\n  a: "1"\n`

  test('is never sorted by itself, and with --sort after a yes, with its comments', async () => {
    const here = checkout('sorted')
    here.write('s.yaml', own)
    await here.did('push', '-f')
    await patch(config('sorted', { a: '2' }))
    await here.did('pull', 'cm', 'sorted', '-f')
    const pulled = own.replace('a: "1"', 'a: "2"')
    expect(here.read('s.yaml')).toBe(pulled)
    expect(await here.ksync('pull', 'cm', 'sorted', '--sort')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('in another order'),
    })
    expect(here.read('s.yaml')).toBe(pulled)
    await here.did('pull', 'cm', 'sorted', '--sort', '-f')
    expect(here.read('s.yaml')).toBe(
      'apiVersion: v1\ndata:\n  # of a\n  a: "2"\n  b: "1"\nkind: ConfigMap\nmetadata: {name: sorted}\n',
    )
    expect(await here.did('diff')).toContain('1 the same')
  })
})

describe('both sides change', () => {
  test('different fields: neither pull nor push undoes the other side', async () => {
    const here = checkout('both')
    here.write('both.yaml', text('both', '"1"'))
    await here.did('push', 'both', '-f')
    await patch(config('both', { b: '2' }))
    here.edit('both.yaml', 'a: "1"', 'a: "2"')
    await here.did('push', '-f')
    expect((await dataOf('both'))?.data).toEqual({ a: '2', b: '2' })
    expect(here.read('both.yaml')).toBe(text('both', '"2"'))
    const pulled = await here.ksync('pull', 'configmap', 'both', 'nobody', '-f')
    expect([pulled.code, pulled.stderr]).toEqual([
      1,
      expect.stringMatching(/configmaps\/nobody: .*not found/),
    ])
    expect(here.read('both.yaml')).toBe(text('both', '"2"').replace('b: "1"', 'b: "2"'))
  })

  test('the same field: nothing is written until somebody decides', async () => {
    const here = checkout('conflict')
    here.write('c.yaml', text('conflict', '"1"'))
    await here.did('push', '-f')
    await patch(config('conflict', { a: 'theirs' }))
    here.edit('c.yaml', '"1"', 'mine')
    const { code, stdout } = await here.ksync('push', '-f')
    expect([code, stdout]).toEqual([1, expect.stringContaining('conflict')])
    expect(await here.ksync('pull', 'cm', 'conflict', '-f')).toMatchObject({ code: 1 })
    expect([here.read('c.yaml'), (await dataOf('conflict'))?.data]).toEqual([
      text('conflict', 'mine'),
      { a: 'theirs', b: '1' },
    ])
    await here.did('push', '-f', '--conflicts', 'take')
    expect((await dataOf('conflict'))?.data).toEqual({ a: 'mine', b: '1' })
  })

  test('what another manager holds is named, and taken or adopted only if that is said', async () => {
    const here = checkout('held')
    await createByHand(config('held', { a: 'x' }), namespace)
    await patch(config('held', { a: 'theirs' }), 'a-controller')
    await here.did('pull', 'cm', 'held', '-o', 'held', '-f')
    here.edit('held.yaml', 'theirs', 'mine')
    const { code, stdout } = await here.ksync('push', '-f')
    expect([code, stdout]).toEqual([1, expect.stringContaining('held by a-controller')])
    expect((await dataOf('held'))?.data).toEqual({ a: 'theirs' })
    await here.did('push', '-f', '--conflicts', 'take')
    expect((await dataOf('held'))?.data).toEqual({ a: 'mine' })
    await patch(config('held', { a: 'again' }), 'a-controller')
    here.edit('held.yaml', 'mine', 'mine too')
    await here.did('push', '-f', '--conflicts', 'adopt')
    expect(here.read('held.yaml')).toContain('a: again')
  })
})

describe('without anybody to ask', () => {
  test('nothing is written, on neither side, and the exit code is 1', async () => {
    const here = checkout('nobody')
    here.write('n.yaml', text('nobody', '"1"'))
    expect(await here.ksync('push')).toMatchObject({ code: 1, stderr: expect.stringContaining('--force') })
    expect(await dataOf('nobody')).toBeUndefined()
    await createByHand(config('somebody', { a: '1' }), namespace)
    expect(await here.ksync('pull', 'cm', 'somebody')).toMatchObject({ code: 1 })
    expect(Object.keys(here.files())).toEqual(['n.yaml'])
  })

  test('a protected context is written to only by whoever names it', async () => {
    const here = checkout('protected')
    here.write('p.yaml', text('protected', '"1"'))
    const settings = join(here.folder, '.config')
    here.write('.config', "version: 1\nprotectedContexts: ['kube*']\n")
    const refused = await here.ksync('push', '-f', '--config', settings)
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringMatching(/is protected; --confirm-context \S+/),
    ])
    expect(await dataOf('protected')).toBeUndefined()
    const context = /--confirm-context (\S+)/.exec(refused.stderr)?.[1] ?? ''
    await here.did('push', '-f', '--config', settings, '--confirm-context', context)
    expect(await dataOf('protected')).toBeDefined()
  })
})

describe('a pinned folder', () => {
  test('is pushed to its own cluster only, from anywhere in it, and lays out new files as it says', async () => {
    const here = checkout('pinned')
    here.write('.kubesync.yaml', `server: https://elsewhere:6443\n`)
    here.write('deep/pin.yaml', text('pinned', '"1"'))
    const refused = await here.ksync('push', '-f')
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining('belongs to https://elsewhere:6443'),
    ])
    expect(await dataOf('pinned')).toBeUndefined()
    here.write('.kubesync.yaml', `layout: 'all/{kind}-{name}.yaml'\n`)
    await here.did('push', '-f')
    await createByHand(config('laid-out', { a: '1' }), namespace)
    await here.did('pull', 'cm', 'laid-out', '-f')
    expect(Object.keys(here.files())).toContain('all/configmap-laid-out.yaml')
  })
})

describe('a set that needs itself', () => {
  test('is pushed in order, and pruned when it is gone from the files', async () => {
    const here = checkout('set')
    const name = `${namespace}-inner`
    const inner = (body: string) => `${body.replace('metadata:\n', `metadata:\n  namespace: ${name}\n`)}---\n`
    here.write(
      'set.yaml',
      `${inner(text('in', '"1"'))}apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${name}\n`,
    )
    const { stdout } = await here.ksync('diff')
    expect(stdout).toContain('not validated by the server yet')
    await here.did('push', '-f')
    expect(await here.did('diff')).toContain('2 the same')
    here.write('set.yaml', '')
    await createByHand(config('not-ours', {}), name)
    const pruned = await here.ksync('push', '--prune')
    expect([pruned.code, pruned.stdout]).toEqual([1, expect.stringContaining(`- ConfigMap ${name}/in`)])
    expect(await live('ConfigMap', 'in', name)).toBeDefined()
    expect(await here.did('push', '--prune', '-f')).toContain(`Namespace ${name} stays`)
    const names = ['in', 'not-ours'].map(async (one) => (await live('ConfigMap', one, name))?.metadata?.name)
    expect(await Promise.all(names)).toEqual([undefined, 'not-ours'])
    await cluster.core.deleteNamespace({ name })
  })
})

describe('words', () => {
  test('are files, with or without an extension, types and names; what fits twice is refused', async () => {
    const here = checkout('words')
    here.write('one.yaml', text('first', '"1"'))
    here.write('deep/two.yml', text('second', '"1"'))
    const about = async (...words: string[]) => {
      const { stdout, stderr, code } = await here.ksync('diff', ...words)
      return [code, ...[...`${stdout}${stderr}`.matchAll(/\/(first|second) {2}\(/g)].map(([, name]) => name)]
    }
    expect(await about('one')).toEqual([1, 'first'])
    expect(await about('deep')).toEqual([1, 'second'])
    expect(await about('second')).toEqual([1, 'second'])
    expect(await about('cm')).toEqual([1, 'second', 'first'])
    expect(await about('configmaps', 'first')).toEqual([1, 'first'])
    expect(await about('cm/second')).toEqual([1, 'second'])
    expect(await about('third')).toEqual([2])
    here.write('one.json', '{}')
    const { code, stderr } = await here.ksync('diff', 'one')
    expect([code, stderr]).toEqual([2, expect.stringContaining('one.yaml or one.json')])
  })
})

describe('what is wrong with one file', () => {
  test('is said with its place, and the others go on', async () => {
    const here = checkout('wrong')
    here.write('good.yaml', text('good', '"1"'))
    here.write('broken.yaml', 'apiVersion: v1\nkind: [ConfigMap\nmetadata: {}\n')
    here.write('twice.yaml', 'apiVersion: v1\nkind: ConfigMap\nkind: Secret\nmetadata: {name: t}\n')
    here.write('kind.yaml', text('kind', '"1"').replace('ConfigMap', 'ConfigMop'))
    here.write('version.yaml', text('version', '"1"').replace('apiVersion: v1', 'apiVersion: nowhere/v9'))
    here.write('path.yaml', text('../../etc/passwd', '"1"'))
    here.write('bad.yaml', text('Not_A_Name', '"1"'))
    here.write('bomb.yaml', `a: &a [x]\n${'b: [*a, *a]\n'.repeat(1)}c: &c [${'*a, '.repeat(2000)}]\n`)
    here.write('large.yaml', `${text('large', '"1"')}  c: ${'x'.repeat(9_000_000)}\n`)
    here.write('lock.json', `{"packages": "${'x'.repeat(9_000_000)}"}`)
    for (const file of ['one.yaml', 'two.yaml']) here.write(file, text('double', '"1"'))
    here.write('escape.yaml', text('escape', '"\\e[2J"'))
    here.write('chart.yaml', 'name: {{ .Values.name }}\n{{- if x }}\n')
    here.write('sops.yaml', `${text('sops', '"1"')}sops: {version: "3"}\n`)
    const { code, stdout, stderr } = await here.ksync('push', '-f')
    expect(code).toBe(1)
    expect(stderr).toMatch(/broken\.yaml:[23]:\d+: .*\n {4}\S/)
    expect(stderr).toMatch(/twice\.yaml:3:1: .*unique.*\n {4}kind: Secret/)
    expect(stdout).toMatch(/no ConfigMop in v1/)
    expect(stdout).toMatch(/no ConfigMap in nowhere\/v9/)
    expect(stderr).toContain('`../../etc/passwd` cannot be the name of an object')
    expect(stdout).toMatch(/Not_A_Name[\s\S]*the server refuses it/)
    expect(stderr).toMatch(/bomb\.yaml.*alias/i)
    expect(stderr).toContain('error: large.yaml: it has 9')
    expect(stderr).toContain('passed over: lock.json: it has 9')
    expect(stderr).toMatch(/error: one\.yaml: ConfigMap \S*double is also in two\.yaml/)
    expect(await dataOf('double')).toBeUndefined()
    expect(stderr).toMatch(/chart\.yaml.*template/)
    expect(stderr).toMatch(/sops\.yaml.*sops/)
    expect(stdout + stderr).not.toContain('\u001b')
    expect(await dataOf('good')).toMatchObject({ data: { a: '1', b: '1' } })
    expect(await dataOf('escape')).toMatchObject({ data: { a: '\u001b[2J' } })
  })
})
