import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { useLab } from './support/cluster.ts'
import { useLaptop } from './support/ksync.ts'
import { Checkout, createByHand, live, patch } from './support/manifests.ts'
import { testWith } from './support/place.ts'
import { until } from './support/until.ts'

const withTerminal = testWith('terminal')
const lab = useLab('revert')
const laptop = useLaptop()
const { namespace } = lab

const checkout = (name: string) => new Checkout(laptop, { name, namespace })
const map = (name: string, value: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name} # mine\ndata:\n  a: "${value}"\n  b: x\n`
const secret = (value: string) =>
  `apiVersion: v1\nkind: Secret\nmetadata: {name: pass}\nstringData: {word: ${value}}\n`
const dataOf = async (name: string, kind = 'ConfigMap') =>
  ((await live(kind, name, namespace)) as { data?: Record<string, string> } | undefined)?.data
const config = (name: string, data: Record<string, string>) => ({
  ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace } },
  data,
})
const wordOf = async () => Buffer.from((await dataOf('pass', 'Secret'))?.word ?? '', 'base64').toString()

describe('what a push wrote', () => {
  test('is taken back in the cluster, and taking that back makes it again; Secrets too', async () => {
    const here = checkout('pushed')
    here.write('all.yaml', `${map('one', '1')}---\n${secret('hunter1')}`)
    await here.did('push', '-f')
    here.write('all.yaml', `${map('one', '2')}---\n${secret('hunter2')}`)
    await here.did('push', '-f')
    const shown = await here.ksync('revert', '--last')
    expect([shown.code, shown.stdout + shown.stderr]).toEqual([1, expect.not.stringContaining('hunter')])
    expect(await dataOf('one')).toEqual({ a: '2', b: 'x' })

    await here.did('revert', '--last', '-f')
    expect([await dataOf('one'), await wordOf()]).toEqual([{ a: '1', b: 'x' }, 'hunter1'])
    expect(here.read('all.yaml')).toContain('hunter2')
    await here.did('revert', '--last', '-f')
    expect([await dataOf('one'), await wordOf()]).toEqual([{ a: '2', b: 'x' }, 'hunter2'])
    expect(await here.did('diff')).toContain('2 the same')
    const history = await laptop.did('history', 'pass')
    expect(history.match(/revert --last -f/g)).toHaveLength(2)
    expect(history).toMatch(/done, reverted/)
    expect(await laptop.did('history', '-o', 'json')).not.toContain('hunter')

    // Back to before the first: what was made goes, and comes again.
    await here.did('revert', '--to', '0', '-f')
    expect([await dataOf('one'), await dataOf('pass', 'Secret')]).toEqual([undefined, undefined])
    await here.did('revert', '--last', '-f')
    expect([await dataOf('one'), await wordOf()]).toEqual([{ a: '2', b: 'x' }, 'hunter2'])
  })

  test('stays where others changed it since, unless it is taken; what they changed beside it stays', async () => {
    const here = checkout('moved')
    here.write('m.yaml', map('moved', '1'))
    await here.did('push', '-f')
    here.write('m.yaml', map('moved', '2').replace('b: x', 'b: z'))
    await here.did('push', '-f')
    await patch(config('moved', { b: 'theirs', c: 'new' }))
    const { code, stdout } = await here.ksync('revert', 'moved', '-f')
    expect([code, stdout]).toEqual([
      1,
      expect.stringMatching(/changed since by kubectl-edit[\s\S]*changed in the cluster since/),
    ])
    expect(await dataOf('moved')).toEqual({ a: '1', b: 'theirs', c: 'new' })
    // Taking that back, and it again with what is disputed.
    await here.did('revert', 'moved', '-f')
    expect(await dataOf('moved')).toEqual({ a: '2', b: 'theirs', c: 'new' })
    const numbers = JSON.parse(await laptop.did('history', 'moved', '-o', 'json')) as { number: number }[]
    await here.did('revert', 'moved', '--to', `${numbers.at(-1)?.number}`, '-f', '--conflicts', 'take')
    expect(await dataOf('moved')).toEqual({ a: '1', b: 'x', c: 'new' })
  })

  withTerminal(
    'is deleted only if it is still what was made, and what holds data only by its name',
    async () => {
      const here = checkout('made')
      const claim =
        'apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: disk}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}\n'
      here.write('all.yaml', `${map('made', '1')}---\n${claim}`)
      await here.did('push', '-f')
      await patch(config('made', { later: 'x' }))
      expect(await here.ksync('revert', '--last', '-f')).toMatchObject({ code: 1 })
      expect([await dataOf('made'), (await live('PersistentVolumeClaim', 'disk', namespace))?.kind]).toEqual([
        { a: '1', b: 'x', later: 'x' },
        'PersistentVolumeClaim',
      ])
      const screen = here.atTerminal('revert', 'disk')
      await screen.asks(/\[q\]uit, \[\?\] $/)
      screen.answer('a')
      await screen.asks(/AND WITH IT WHAT IT HOLDS\? Its name, if so: $/)
      screen.answer('disk')
      expect((await screen.terminal.exited).code).toBe(0)
      expect(await live('PersistentVolumeClaim', 'disk', namespace)).toBeUndefined()
    },
  )

  test('and was pruned comes back', async () => {
    const here = checkout('pruned')
    here.write('p.yaml', map('pruned', '1'))
    here.write('other.yaml', map('other', '1'))
    await here.did('push', '-f')
    const before = (await live('ConfigMap', 'pruned', namespace))?.metadata?.uid
    here.remove('p.yaml')
    await here.did('push', '--prune', '-f')
    expect(await dataOf('pruned')).toBeUndefined()
    await here.did('revert', 'pruned', '-f')
    expect(await dataOf('pruned')).toEqual({ a: '1', b: 'x' })
    expect((await live('ConfigMap', 'pruned', namespace))?.metadata?.uid).not.toBe(before)
  })
})

describe('what was written to files', () => {
  test('goes back byte for byte, and by field where the file moved on; a new file goes and comes again', async () => {
    const here = checkout('pulled')
    await createByHand(config('new', { a: '1' }), namespace)
    await here.did('pull', 'cm', 'new', '-o', 'new', '-f')
    const text = here.read('new.yaml')
    await patch(config('new', { a: '2' }))
    await here.did('pull', 'cm', 'new', '-f')
    here.write('new.yaml', `# later\n${here.read('new.yaml')}`)
    await here.did('revert', 'new', '-f')
    expect(here.read('new.yaml')).toBe(`# later\n${text}`)
    await here.did('revert', 'new', '--to', '0', '-f', '--conflicts', 'take')
    expect(existsSync(join(here.folder, 'new.yaml'))).toBe(false)
    await here.did('revert', '--last', '-f')
    expect(here.read('new.yaml')).toBe(`# later\n${text}`)
    expect(await dataOf('new')).toEqual({ a: '2' })
  })

  test('goes back on both sides where a text of a Secret was new, and comes again', async () => {
    const here = checkout('texts')
    const text = 'apiVersion: v1\nkind: Secret\nmetadata: {name: texts}\ndata: {old: b2xk}\n'
    here.write('s.yaml', text)
    await here.did('push', '-f')
    expect(
      await here.did(
        'deploy',
        'texts',
        '--set',
        'stringData.token=abc',
        '--set',
        'metadata.labels.x=y',
        '-f',
      ),
    ).not.toContain('# a default')
    const made = here.read('s.yaml')
    expect(await dataOf('texts', 'Secret')).toEqual({ old: 'b2xk', token: 'YWJj' })
    expect(await here.did('revert', 'texts', '-f')).not.toContain('# a default')
    expect([here.read('s.yaml'), await dataOf('texts', 'Secret')]).toEqual([text, { old: 'b2xk' }])
    expect(await here.did('diff', 'texts')).toContain('1 the same')
    await here.did('revert', 'texts', '-f')
    expect(here.read('s.yaml')).toBe(made)
    expect(await dataOf('texts', 'Secret')).toEqual({ old: 'b2xk', token: 'YWJj' })
    expect(await here.did('diff', 'texts')).toContain('1 the same')
  })

  test('goes back in file and cluster as one step, or on one side alone', async () => {
    const here = checkout('both')
    const web = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: both}\ndata: {a: "1"} # kept\n'
    here.write('both.yaml', web)
    await here.did('push', '-f')
    await here.did('deploy', 'both', '--set', 'data.a=2', '-f')
    expect([here.read('both.yaml'), await dataOf('both')]).toEqual([web.replace('1"', '2"'), { a: '2' }])
    await here.did('revert', 'both', '--only', 'file', '-f')
    expect([here.read('both.yaml'), await dataOf('both')]).toEqual([web, { a: '2' }])
    await here.did('revert', 'both', '--only', 'cluster', '-f')
    expect([here.read('both.yaml'), await dataOf('both')]).toEqual([web, { a: '1' }])
    expect(await here.did('diff')).toContain('1 the same')
  })
})

test('of a file that cannot be read, neither side goes back; the cluster alone does if that is said', async () => {
  const here = checkout('mistaken')
  here.write('f.yaml', map('mistaken', '1'))
  await here.did('push', '-f')
  await here.did('deploy', 'mistaken', '--set', 'data.a=2', '-f')
  const broken = `${here.read('f.yaml')}---\nx: [\n`
  here.write('f.yaml', broken)
  const refused = await here.ksync('revert', '--last', '-f', '--conflicts', 'take')
  expect([refused.code, refused.stdout]).toEqual([
    1,
    expect.stringMatching(/refused\n {2}! .*\n.*--only cluster/),
  ])
  expect(await dataOf('mistaken')).toEqual({ a: '2', b: 'x' })
  await here.did('revert', '--last', '-f', '--only', 'cluster')
  expect([await dataOf('mistaken'), here.read('f.yaml')]).toEqual([{ a: '1', b: 'x' }, broken])
})

test('killed in the middle, it is undone or finished by the next command', async () => {
  const here = checkout('killed')
  const held = `apiVersion: apps/v1
kind: Deployment
metadata: {name: held, finalizers: [e2e.kubesync/held]}
spec:
  replicas: 0
  selector: {matchLabels: {app: held}}
  template:
    metadata: {labels: {app: held}}
    spec: {containers: [{name: a, image: a, envFrom: [{configMapRef: {name: needed}}]}]}
`
  here.write('all.yaml', `${held}---\n${map('needed', '1')}`)
  await here.did('push', '-f', '--no-wait')
  const running = here.start('revert', '--last', '-f')
  await until('it is being deleted', () => live('Deployment', 'held', namespace), {
    holds: (object) => object?.metadata?.deletionTimestamp !== undefined,
  })
  running.child.kill('SIGKILL')
  await running.exited
  const metadata = { name: 'held', namespace, finalizers: null as unknown as string[] }
  await patch({ apiVersion: 'apps/v1', kind: 'Deployment', metadata })
  await until('it is gone', () => live('Deployment', 'held', namespace), {
    holds: (object) => object === undefined,
  })

  const { code, stderr } = await here.ksync('push', '-f')
  expect([code, stderr]).toEqual([1, expect.stringContaining('was interrupted')])
  expect(await dataOf('needed')).toEqual({ a: '1', b: 'x' })
  expect(await here.did('push', '-f', '--no-wait', '--interrupted', 'undo')).toContain('it is undone')
  expect((await live('Deployment', 'held', namespace))?.metadata?.name).toBe('held')
  expect(await here.did('diff')).toContain('2 the same')
  await patch({ apiVersion: 'apps/v1', kind: 'Deployment', metadata })
})

describe('values of Secrets', () => {
  test('that were left out of the history cannot be taken back, and it says so', async () => {
    const here = checkout('hidden')
    await laptop.did('configure', 'set', 'journal.secrets', 'leave-out')
    here.write('s.yaml', secret('hunter1'))
    await here.did('push', '-f')
    here.write('s.yaml', secret('hunter2'))
    await here.did('push', '-f')
    await laptop.did('configure', 'unset', 'journal.secrets')
    const { code, stdout } = await here.ksync('revert', '--last', '-f')
    expect([code, stdout]).toEqual([1, expect.stringContaining('does not have the values of this Secret')])
    expect(await wordOf()).toBe('hunter2')
  })
})
