import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { stringify } from 'yaml'
import { useLab } from './support/cluster.ts'
import { useLaptop } from './support/ksync.ts'
import { testWith } from './support/place.ts'
import { Screen } from './support/screen.ts'

const { namespace } = useLab('env')
const laptop = useLaptop()
const test = testWith('terminal')

/** Contexts beside those of the cluster under test: one that nobody answers. */
function addContexts(): void {
  const dead = join(laptop.home, 'dead')
  const clusters = [{ name: 'dead', cluster: { server: 'https://127.0.0.1:1' } }]
  const contexts = ['dead-one', 'prod-dead'].map((name) => ({ name, context: { cluster: 'dead' } }))
  writeFileSync(dead, stringify({ clusters, contexts, users: [] }))
  laptop.env.KUBECONFIG = `${laptop.env.KUBECONFIG}:${dead}`
}
addContexts()

const at = (...args: string[]) => new Screen(laptop.atTerminal(args))
interface Row {
  readonly what: string
  readonly value: string
}
async function holds(...args: string[]): Promise<Readonly<Record<string, string>>> {
  const rows: readonly Row[] = JSON.parse(await laptop.did('env', 'show', '-o', 'json', ...args))
  return Object.fromEntries(rows.map(({ what, value }) => [what, value]))
}

describe('env at a terminal', () => {
  test('picks context and namespace, shows which are reachable, and commands mean them', async () => {
    const { context = '' } = await holds()
    const screen = at('env')
    await screen.asks(/dead-one +not reachable/)
    await screen.asks(new RegExp(`${context} +reachable`))
    screen.press('dead')
    await screen.asks(/> dead-one/)
    screen.press('\x1b')
    await screen.asks(new RegExp(`> ${context}`))
    screen.press('\r')
    await screen.asks(/Namespace: \s*.*> default/)
    screen.press(namespace)
    await screen.asks(new RegExp(`> ${namespace}`))
    screen.press('\r')
    expect(await screen.terminal.exited).toMatchObject({ code: 0 })
    expect(await holds()).toMatchObject({ context, namespace })
    mkdirSync(join(laptop.home, 'demo'), { recursive: true })
    await laptop.did('create', '--name', 'meant', '-l', 'app=x', './demo', '/x')
    const specs = JSON.parse(await laptop.did('list', '-o', 'json'))
    expect(specs).toMatchObject([{ context, namespace }])
  })

  test('who leaves changes nothing, and finds the terminal as it was', async () => {
    const before = await holds()
    for (const key of ['\x03', '\x1b']) {
      const screen = at('env')
      await screen.asks(/> /)
      screen.press(key)
      const { code, stdout } = await screen.terminal.exited
      expect([code, stdout]).toEqual([1, expect.stringContaining('nothing was changed')])
    }
    expect(await holds()).toEqual(before)
  })

  test('where the cluster does not answer, the namespace is typed', async () => {
    const screen = at('env', 'namespace', '-c', 'dead-one')
    await screen.asks(/Namespace \[default\]: $/)
    screen.answer('typed')
    expect(await screen.terminal.exited).toMatchObject({ code: 0 })
    expect(await holds('-c', 'dead-one')).toMatchObject({ namespace: 'typed' })
  })
})

describe('configure at a terminal', () => {
  test('asks for each key, says what is allowed, and writes all at the end', async () => {
    const screen = at('configure')
    await screen.asks(/kubeconfig.* \[.*\]: $/)
    for (;;) {
      screen.answer('')
      const shown = await screen.asks(/\n\S+ \[.*\]: $/)
      if (shown.includes('protectedContexts [')) break
    }
    screen.answer('prod-*')
    await screen.asks(/defaults\.mode \[two-way-safe\]: $/)
    screen.answer('sideways')
    await screen.asks(/cannot be `sideways`: it must be two-way-safe[\s\S]*\]: $/)
    screen.answer('to-remote-safe')
    for (const key of ['defaults.agent', 'git.commit', 'git.push']) {
      await screen.asks(new RegExp(`${key.replace('.', '\\.')} \\[.*\\]: $`))
      screen.answer('')
    }
    const { code, stdout } = await screen.terminal.exited
    expect([code, stdout]).toEqual([0, expect.stringContaining('2 keys changed')])
    const text = readFileSync(join(laptop.home, '.kubesync', 'config'), 'utf8')
    expect(text).toContain('mode: to-remote-safe')
    expect((await holds('-c', 'prod-dead')).protected).toContain('yes')
  })

  test('who leaves midway changes nothing', async () => {
    const path = join(laptop.home, '.kubesync', 'config')
    const before = readFileSync(path, 'utf8')
    const screen = at('configure')
    await screen.asks(/\]: $/)
    screen.answer('/somewhere')
    await screen.asks(/root \[\]: $/)
    screen.press('\x04')
    expect((await screen.terminal.exited).stdout).toContain('nothing was changed')
    expect(readFileSync(path, 'utf8')).toBe(before)
  })
})
