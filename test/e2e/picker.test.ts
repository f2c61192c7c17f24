import { describe, expect } from 'vitest'
import { useLab } from './support/cluster.ts'
import { useLaptop } from './support/ksync.ts'
import { Checkout, createByHand, live, patch } from './support/manifests.ts'
import { testWith } from './support/place.ts'
import type { Screen } from './support/screen.ts'

const { namespace } = useLab('picker')
const laptop = useLaptop()
const test = testWith('terminal')

const field = /this field\? \[y,n,r,a,d,q,\?\] $/
const object = /this object\? \[[^\]]+\] $/
const first = /\[q\]uit, \[\?\] $/

type Values = Readonly<Record<string, string>>

const same: Values = { mine: '1', back: '1', left: '1', both: '1', theirs: '1', ours: '1' }
/** What is changed after both sides agreed, in the file and in the cluster. */
const here: Values = { ...same, mine: 'file', back: 'file', left: 'file', both: 'file' }
const there: Values = { ...same, theirs: 'cluster', ours: 'cluster', both: 'cluster' }

function text(name: string, values: Values): string {
  const data = Object.entries(values).map(([key, value]) => `  ${key}:   "${value}"  # of ${key}\n`)
  return `# kept\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata:\n${data.join('\n')}`
}

/** A folder whose one object was changed on both sides. */
async function apart(name: string): Promise<Checkout> {
  const checkout = new Checkout(laptop, { name, namespace })
  checkout.write('it.yaml', text(name, same))
  await checkout.did('push', '-f')
  await patch({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, ...{ data: there } })
  checkout.write('it.yaml', text(name, here))
  return checkout
}

async function dataOf(name: string): Promise<unknown> {
  return ((await live('ConfigMap', name, namespace)) as { data?: unknown } | undefined)?.data
}

/** Goes to the fields of the one object. */
async function toFields(screen: Screen): Promise<void> {
  await screen.asks(first)
  screen.answer('s')
  await screen.asks(object)
  screen.answer('f')
}

/** Answers each field by its name. */
async function pick(screen: Screen, answers: Values): Promise<string> {
  await toFields(screen)
  for (const _ of Object.keys(answers)) {
    const shown = await screen.asks(field)
    const [key = ''] = Object.keys(answers).filter((one) => new RegExp(`[-+~] +${one}: `).test(shown))
    expect(shown).toContain('data:')
    screen.answer(answers[key] ?? 'q')
  }
  const { code, stdout } = await screen.terminal.exited
  expect(code).toBe(0)
  return stdout
}

describe('field by field', () => {
  test('push: each goes to the cluster, stays, or comes here, as it was said of it', async () => {
    const it = await apart('push')
    const answers = { mine: 'y', back: 'r', left: 'n', both: 'y', theirs: 'r', ours: 'y' }
    const said = await pick(it.atTerminal('push'), answers)
    expect(said).toContain('3 changes to the cluster, 2 to files; 1 left alone')
    expect(it.files()).toEqual({ 'it.yaml': text('push', { ...here, back: '1', theirs: 'cluster' }) })
    expect(await dataOf('push')).toEqual({ ...there, mine: 'file', both: 'file', ours: '1' })
    // What was left is asked again, and nothing else.
    const { stdout } = await it.ksync('diff')
    expect(stdout).toContain('left: file')
    expect(stdout).not.toMatch(/\b(?:mine|back|both|theirs|ours):/)
  })

  test('pull: the same, to the file', async () => {
    const it = await apart('pull')
    const answers = { mine: 'r', back: 'y', left: 'n', both: 'y', theirs: 'y', ours: 'r' }
    const said = await pick(it.atTerminal('pull', 'cm/pull'), answers)
    expect(said).toContain('3 changes to files, 2 to the cluster; 1 left alone')
    const file = { ...here, back: '1', both: 'cluster', theirs: 'cluster' }
    expect(it.files()).toEqual({ 'it.yaml': text('pull', file) })
    expect(await dataOf('pull')).toEqual({ ...there, mine: 'file', ours: '1' })
    expect((await it.ksync('diff')).stdout).not.toMatch(/\b(?:mine|back|both|theirs|ours):/)
  })

  test('a whole object the other way round', async () => {
    const it = await apart('round')
    const screen = it.atTerminal('push')
    await screen.asks(first)
    screen.answer('s')
    await screen.asks(object)
    screen.answer('r')
    await screen.terminal.exited
    expect(it.files()).toEqual({ 'it.yaml': text('round', there) })
    expect(await dataOf('round')).toEqual(there)
    expect(await it.did('diff')).toContain('1 the same')
  })
})

describe('who leaves midway leaves both sides as they were', () => {
  for (const way of [['push'], ['pull', 'cm/leave']]) {
    test(`${way[0]}: with q, with ^C and with ^D, after some fields were chosen`, async () => {
      const it = await apart('leave')
      for (const key of ['q\n', '\u0003', '\u0004']) {
        const screen = it.atTerminal(...way)
        await toFields(screen)
        for (const answer of ['y', 'r', '?']) {
          await screen.asks(field)
          screen.answer(answer)
        }
        expect(await screen.asks(field)).toContain('q  quit: change nothing at all')
        screen.press(key)
        const { code, stdout } = await screen.terminal.exited
        expect(code).not.toBe(0)
        expect(stdout).not.toMatch(/written|created|changed\r?\n|\bat .*:\d+:\d+/)
        expect(it.files()).toEqual({ 'it.yaml': text('leave', here) })
        expect(await dataOf('leave')).toEqual(there)
      }
    })
  }
})

describe('what the cluster cannot change', () => {
  const fixed = (value: string) =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: fixed\nimmutable: true\ndata:\n  a: "${value}"\n`
  const claim = (mode: string) =>
    `apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: claim\nspec:\n  accessModes: [${mode}]\n  storageClassName: none\n  resources: {requests: {storage: 1Mi}}\n`
  const uidOf = async (kind: string, name: string) => (await live(kind, name, namespace))?.metadata?.uid

  test('is deleted and made again for nobody but who types its name', async () => {
    const it = new Checkout(laptop, { name: 'fixed', namespace })
    it.write('it.yaml', fixed('1'))
    await it.did('push', '-f')
    const uid = await uidOf('ConfigMap', 'fixed')
    it.write('it.yaml', fixed('2'))
    expect(await it.ksync('push', '-f')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('delete it'),
    })
    for (const [typed, isSame] of [
      ['y', true],
      ['fixed', false],
    ] as const) {
      const screen = it.atTerminal('push')
      await screen.asks(first)
      screen.answer('a')
      await screen.asks(/Delete ConfigMap \S+\/fixed and make it again\? Its name, if so: $/)
      screen.answer(typed)
      await screen.terminal.exited
      expect((await uidOf('ConfigMap', 'fixed')) === uid).toBe(isSame)
    }
    expect(await dataOf('fixed')).toEqual({ a: '2' })
  })

  const set = (service: string) =>
    `apiVersion: apps/v1\nkind: StatefulSet\nmetadata:\n  name: claim\nspec:\n  replicas: 0\n  serviceName: ${service}\n  selector: {matchLabels: {a: b}}\n  template:\n    metadata: {labels: {a: b}}\n    spec:\n      containers: [{name: a, image: a, command: [a]}]\n`
  for (const [kind, before, after] of [
    ['PersistentVolumeClaim', claim('ReadWriteOnce'), claim('ReadWriteMany')],
    ['StatefulSet', set('one'), set('two')],
  ] as const) {
    test(`of a ${kind} it is said what goes with it; a yes is not enough, its name is`, async () => {
      const it = new Checkout(laptop, { name: `holds-${kind}`, namespace })
      it.write('it.yaml', before)
      await it.did('push', '-f', '--no-wait')
      const uid = await uidOf(kind, 'claim')
      it.write('it.yaml', after)
      for (const [typed, code, isSame] of [
        ['yes', 1, true],
        ['claim', 0, false],
      ] as const) {
        const screen = it.atTerminal('push', '--no-wait')
        await screen.asks(first)
        screen.answer('a')
        await screen.asks(/claim, AND WITH IT WHAT IT HOLDS, and make it again\? Its name, if so: $/)
        screen.answer(typed)
        expect((await screen.terminal.exited).code).toBe(code)
        expect((await uidOf(kind, 'claim')) === uid).toBe(isSame)
      }
      expect(await it.did('diff')).toContain('1 the same')
    })
  }
})

describe('what somebody does in the cluster while the question stands', () => {
  test('is shown, and asked again, and nothing of it is written over', async () => {
    const it = await apart('meanwhile')
    const screen = it.atTerminal('push')
    await screen.asks(first)
    const metadata = { name: 'meanwhile', namespace }
    await patch({ apiVersion: 'v1', kind: 'ConfigMap', metadata, ...{ data: { mine: 'taken' } } })
    screen.answer('a')
    const again = await screen.asks(first)
    expect(again).toContain('this is how it stands now')
    expect(again).toMatch(/~ +mine: file[\s\S]*~ +mine: taken/)
    expect(await dataOf('meanwhile')).toEqual({ ...there, mine: 'taken' })
    screen.answer('a')
    await screen.terminal.exited
    expect(await dataOf('meanwhile')).toEqual({ ...there, mine: 'taken', back: 'file', left: 'file' })
  })

  test('also if they make what was to be made', async () => {
    const it = new Checkout(laptop, { name: 'made', namespace })
    it.write('it.yaml', text('made', here))
    const screen = it.atTerminal('push')
    await screen.asks(first)
    const theirs = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'made' },
      ...{ data: { mine: 'taken' } },
    }
    await createByHand(theirs, namespace)
    screen.answer('a')
    expect(await screen.asks(first)).toContain('mine: taken')
    screen.answer('q')
    await screen.terminal.exited
    expect(await dataOf('made')).toEqual({ mine: 'taken' })
  })
})
