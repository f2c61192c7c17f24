import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseConfig } from './document.ts'
import { isKeyName, keyNames, keyOf } from './keys.ts'
import { findKey, kubeEnv, rawSetting, readEntry, readValue, setting } from './settings.ts'
import { changeSettings, loadConfig } from './store.ts'

const from = (text: string, env: NodeJS.ProcessEnv = {}) => ({ ...parseConfig(text, 'config').config, env })

/** What each key may be set to by words, so that every entry of the table is tried. */
const examples: Readonly<Record<string, readonly string[]>> = {
  ...{ context: ['kind-dev'], namespaces: [], kubeconfig: ['~/a:/b'], root: ['/srv/manifests'] },
  ...{ layout: ['{namespace}/{name}.yaml'], protectedContexts: ['prod-*', 'live'] },
  ...{ 'defaults.mode': ['to-remote-safe'], 'defaults.agent': ['ephemeral'], agents: [] },
  ...{ 'trash.maxAge': ['2w'], 'trash.maxSize': ['0'], 'github.url': ['https://ghe.example/api/v3'] },
  ...{ 'github.token': ['t0ken'], 'journal.secrets': ['leave-out'] },
  sanitize: ['[{kind: Pod, path: spec.nodeName, reason: chosen}]'],
}
const examplesOf = (name: string) => examples[name] ?? ['true']

describe('a value', () => {
  test('is that of the environment, else of the file, else the default', () => {
    const file = 'git: {push: true, fetch: null}\n'
    expect(setting('git.push', from(''))).toBe(false)
    expect(setting('git.push', from(file))).toBe(true)
    expect(setting('git.push', from(file, { KUBESYNC_GIT_PUSH: 'false' }))).toBe(false)
    // An empty variable is none, and a null says nothing.
    expect(setting('git.push', from(file, { KUBESYNC_GIT_PUSH: '' }))).toBe(true)
    expect(rawSetting('git.fetch', from(file))).toEqual({ value: true, source: 'default' })
  })

  test('of the environment that cannot be meant is refused by the name of the variable', () => {
    expect(() => setting('git.push', from('', { KUBESYNC_GIT_PUSH: 'perhaps' }))).toThrow(
      'KUBESYNC_GIT_PUSH cannot be `perhaps`: it must be true or false',
    )
  })

  test.each([
    ['git: {push: perhaps}', 'config:1:7: git.push: must be true or false'],
    ['protectedContexts: prod', 'protectedContexts: must be names or patterns'],
    ['agents: [tools]', 'agents: must be the name of a namespace'],
    ['namespaces: {kind.dev: 1}', 'namespaces.kind.dev: must be the name of a namespace'],
    ['root: manifests', 'root: must be an absolute path'],
    ['git: {comit: true}', 'unknown key comit'],
    ['kubeconfg: /a', 'unknown key kubeconfg'],
  ])('of a file that says %s is refused with place, key and what is allowed', (text, message) => {
    expect(() => from(text)).toThrow(message)
  })
})

describe('typed words', () => {
  test.each(keyNames.filter((name) => examplesOf(name).length > 0))('%s takes what is documented', (name) => {
    const value = readValue(name, examplesOf(name))
    expect(setting(name, { settings: { [name]: value }, env: {} })).toBeDefined()
  })

  test.each([
    ['protectedContexts', ['*-prod,live'], ['*-prod', 'live']],
    ['protectedContexts', ['[a, b]'], ['a', 'b']],
    ['protectedContexts', ['prod'], ['prod']],
    ['context', ['123'], '123'],
    ['git.push', ['true'], true],
    ['trash.maxAge', ['0'], '0'],
  ] as const)('%s %j is %j', (name, words, value) => {
    expect(readValue(name, words)).toEqual(value)
  })

  test.each([
    ['git.push', 'yes'],
    ['defaults.mode', 'to-remote-mirror'],
    ['trash.maxAge', 'forever'],
    ['github.url', 'http://evil.example'],
    ['layout', '/etc/{name}.yaml'],
  ] as const)('%s %s is refused by name', (name, word) => {
    expect(() => readValue(name, [word])).toThrow(`${name} cannot be \`${word}\`: it must be`)
  })

  test('a token that is refused is not repeated', () => {
    expect(() => readValue('github.token', ['a b'])).toThrow(/^github\.token must be a token$/)
  })
})

test('an entry of a map is named with all that follows, dots included', () => {
  expect(findKey('agents.arn:aws:eks/a.b')).toEqual({ name: 'agents', place: ['agents', 'arn:aws:eks/a.b'] })
  expect(readEntry('agents', ['agents', 'a.b'], 'tools')).toBe('tools')
  expect(() => findKey('git.comit')).toThrow('there is no key `git.comit`')
})

test('the kubeconfig that is configured counts unless the environment names one', () => {
  const text = 'kubeconfig: ~/a:/b\n'
  expect(kubeEnv(from(text, { HOME: '/home/me' })).KUBECONFIG).toBe('/home/me/a:/b')
  expect(kubeEnv(from(text, { KUBECONFIG: '/c' })).KUBECONFIG).toBe('/c')
})

describe('changing the file', () => {
  async function changed(text: string, place: readonly string[], value: unknown): Promise<string> {
    const home = await mkdtemp(join(tmpdir(), 'settings-'))
    try {
      await writeFile(join(home, 'config'), text)
      await changeSettings(join(home, 'config'), [{ place, value }])
      await loadConfig(join(home, 'config'))
      return await readFile(join(home, 'config'), 'utf8')
    } finally {
      await rm(home, { recursive: true })
    }
  }

  test('keeps comments, beside what is changed too', async () => {
    const before = '# mine\ngit:\n  push: true # ask Jo\nprotectedContexts:\n  - a # first\n  - b # second\n'
    expect(await changed(before, ['git', 'push'], false)).toBe(before.replace('true', 'false'))
    expect(await changed(before, ['protectedContexts'], ['b', 'c'])).toContain('\n  - b # second\n  - c\n')
    expect(await changed(before, ['git', 'push'], undefined)).toMatch(/^# mine\n[\s\S]*- b # second\n$/)
  })

  test.each(['', '# nothing yet\n', 'version: 1\ngit:\n', 'git: {}\n'])('adds a key to %j', async (text) => {
    expect(await changed(text, ['git', 'push'], true)).toMatch(
      /git:(?: \{ push: true \}|\n {2}push: true)\n$/,
    )
  })

  test('whatever is set and unset, one key changes and the others stay', async () => {
    const keys = keyNames.filter((name) => examplesOf(name).length > 0)
    const change = fc.record({ name: fc.constantFrom(...keys), isSet: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 8 }), async (changes) => {
        const home = await mkdtemp(join(tmpdir(), 'settings-'))
        const path = join(home, 'config')
        const expected = new Map<string, unknown>()
        for (const { name, isSet } of changes) {
          const value = isSet ? readValue(name, examplesOf(name)) : undefined
          await changeSettings(path, [{ place: name.split('.'), value }])
          if (isSet) expected.set(name, value)
          else expected.delete(name)
          expect((await loadConfig(path)).settings).toEqual(Object.fromEntries(expected))
        }
        await rm(home, { recursive: true })
      }),
      { numRuns: 25 },
    )
  })
})

test('the README has a row for each key, as the table has it', async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  const rows = readme
    .split('\n')
    .filter((line) => isKeyName(/^\| `([\w.]+?)(?:\.[A-Z]+)?` \|/.exec(line)?.[1] ?? ''))
  const code = (text: string | undefined) => (text === undefined ? '' : `\`${text}\``)
  const expected = keyNames.map((name) => {
    const { doc, each, env } = keyOf(name)
    const { value } = rawSetting(name, { settings: {}, env: {} })
    const usual = ['string', 'boolean'].includes(typeof value) ? code(String(value)) : ''
    return `| ${code(each === undefined ? name : `${name}.${each}`)} | ${doc} | ${usual} | ${code(env)} |`
  })
  expect(rows).toEqual(expected)
})
