import { writeFileSync } from 'node:fs'
import { chmod, lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Spec } from './spec.ts'
import { addSpec, loadConfig, removeSpecs, setAgent } from './store.ts'

let home: string
let path: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'config-'))
  path = join(home, 'config')
})
afterEach(() => rm(home, { recursive: true, force: true }))

function spec(name: string, more: Partial<Spec> = {}): Spec {
  const rest = { local: `/home/${name}`, remote: `/srv/${name}`, context: 'kind', namespace: 'default' }
  return { name, ...rest, selector: `app=${name}`, mode: 'two-way-safe', ...more }
}

const lines = (...text: string[]) => `${text.join('\n')}\n`

describe('reading', () => {
  test.each([
    ['a missing file', undefined],
    ['an empty file', ''],
    ['a file of comments', '# nothing yet\n'],
    ['an empty list', 'version: 1\nspecs:\n'],
  ])('%s has no specs', async (_, text) => {
    if (text !== undefined) await writeFile(path, text)
    expect(await loadConfig(path)).toMatchObject({ version: 1, specs: [], agents: {} })
  })

  const entry = (more: string) =>
    `version: 1\nspecs:\n  - name: demo\n    local: /a\n    remote: /b\n    context: c\n    namespace: n\n${more}`

  test.each([
    ['a syntax error', 'version: 1\nspecs: [a, b\n', '3:1', 'end with a ]'],
    ['a second document', 'version: 1\n---\nversion: 1\n', '2:1', 'multiple documents'],
    ['a key given twice', 'version: 1\nversion: 1\n', '2:1', 'unique'],
    ['an unknown key', 'version: 1\nspec: []\n', '2:1', 'unknown key spec'],
    ['an unknown key of a spec', entry('    pod: p\n    lokal: /x\n'), '9:5', 'unknown key lokal'],
    ['a missing key', 'version: 1\nspecs:\n  - name: demo\n', '3:5', 'local is missing'],
    ['no mapping', '- a\n', '1:1', 'a mapping is expected'],
    ['a spec that is no mapping', 'specs: [1]\n', '1:9', 'a mapping is expected'],
    ['another version', 'version: 2\n', '1:1', 'this kubesync knows version 1'],
    [
      'a relative local path',
      entry('    pod: p\n').replace('/a', 'a'),
      '4:5',
      'local must be an absolute path',
    ],
    ['neither selector nor pod', entry(''), '3:5', 'either a selector or a pod'],
    ['both selector and pod', entry('    pod: p\n    selector: a=b\n'), '3:5', 'either a selector or a pod'],
    [
      'a name taken twice',
      `${entry('    pod: p\n')}${entry('    pod: p\n').slice(18)}`,
      '9:5',
      'demo is taken twice',
    ],
  ])('%s is named with path, line and column', async (_, text, position, reason) => {
    await writeFile(path, text)
    const error = await loadConfig(path).catch((caught) => caught)
    expect(error).toMatchObject({ code: 'CONFIG_BROKEN' })
    expect(error.message).toContain(`${path}:${position}: `)
    expect(error.message).toContain(reason)
  })

  test('a document that unfolds without end is refused quickly', async () => {
    const levels = [...'bcdefghij'].map((name, index) => {
      const inner = String.fromCharCode(name.charCodeAt(0) - 1)
      return `${name}: &${name} [${Array(9).fill(`*${inner}`).join(', ')}] # ${index}`
    })
    await writeFile(path, lines('a: &a [1]', ...levels))
    await expect(loadConfig(path)).rejects.toMatchObject({ code: 'CONFIG_BROKEN' })
  })

  test('a file of more than a megabyte is refused', async () => {
    await writeFile(path, '#'.repeat(1024 * 1024 + 1))
    await expect(loadConfig(path)).rejects.toMatchObject({ code: 'CONFIG_BROKEN' })
  })

  test('a file that cannot be read is an error that names it', async () => {
    await expect(loadConfig(home)).rejects.toMatchObject({ code: 'CONFIG_UNREADABLE' })
  })
})

describe('editing', () => {
  test('what was added is read back, and only this user can read the file', async () => {
    await addSpec(path, () => spec('one', { container: 'app' }))
    await addSpec(path, () => spec('two', { mode: 'to-remote-safe' }))
    expect((await loadConfig(path)).specs).toEqual([
      spec('one', { container: 'app' }),
      spec('two', { mode: 'to-remote-safe' }),
    ])
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  test('comments stay with what they speak of', async () => {
    await addSpec(path, () => spec('one'))
    const [head, ...rest] = (await readFile(path, 'utf8')).split('specs:')
    await writeFile(
      path,
      `# mine\n${head}specs: # all of them\n  # the first${rest.join('specs:')}# the end\n`,
    )
    await addSpec(path, () => spec('two'))
    const text = await readFile(path, 'utf8')
    const order = ['# mine', '# all of them', '# the first', 'name: one', 'name: two', '# the end']
    const places = order.map((part) => text.indexOf(part))
    expect(places).toEqual([...places].sort((a, b) => a - b))
    expect(places).not.toContain(-1)
    await removeSpecs(path, ['one'])
    expect(await readFile(path, 'utf8')).toContain('# mine')
    expect((await loadConfig(path)).specs).toEqual([spec('two')])
  })

  test('a file of nothing but comments keeps them', async () => {
    await writeFile(path, '# my notes\n')
    await addSpec(path, () => spec('one'))
    expect(await readFile(path, 'utf8')).toContain('# my notes')
    expect((await loadConfig(path)).specs).toEqual([spec('one')])
  })

  test('specs are removed by name, or all of them', async () => {
    for (const name of ['one', 'two', 'three']) await addSpec(path, () => spec(name))
    expect(await removeSpecs(path, ['three', 'one'])).toEqual([spec('three'), spec('one')])
    expect((await loadConfig(path)).specs).toEqual([spec('two')])
    expect(await removeSpecs(path, 'all')).toEqual([spec('two')])
    expect((await loadConfig(path)).specs).toEqual([])
  })

  test('where a context has its agent is written down, and forgotten', async () => {
    await setAgent(path, 'prod', undefined)
    await writeFile(path, 'agents: # where they are\n')
    await setAgent(path, 'prod', 'tools')
    await setAgent(path, 'kind', 'kubesync')
    await setAgent(path, 'prod', 'other')
    expect((await loadConfig(path)).agents).toEqual({ prod: 'other', kind: 'kubesync' })
    await setAgent(path, 'prod', undefined)
    await setAgent(path, 'unknown', undefined)
    expect((await loadConfig(path)).agents).toEqual({ kind: 'kubesync' })
  })

  test('a new file says of which version it is, whatever is written first', async () => {
    await setAgent(path, 'kind', 'kubesync')
    expect(await readFile(path, 'utf8')).toBe('version: 1\nagents:\n  kind: kubesync\n')
  })

  test('an unknown name removes nothing', async () => {
    await addSpec(path, () => spec('one'))
    await expect(removeSpecs(path, ['one', 'other'])).rejects.toMatchObject({ code: 'NO_SUCH_SPEC' })
    expect((await loadConfig(path)).specs).toHaveLength(1)
  })

  test('a name that is taken is refused', async () => {
    await addSpec(path, () => spec('one'))
    await expect(addSpec(path, () => spec('one', { remote: '/x' }))).rejects.toMatchObject({
      code: 'NAME_TAKEN',
    })
  })

  test.each([
    ['broken', 'version: 1\nspecs: [\n', 'CONFIG_BROKEN'],
    [
      'of shared parts',
      'specs:\n  - &a {name: a, local: /l, remote: /r, context: c, namespace: n, pod: p}\n  - {<<: *a}\n',
      'CONFIG_BROKEN',
    ],
  ])('a file that is %s stays as it is', async (_, text, code) => {
    await writeFile(path, text)
    await expect(addSpec(path, () => spec('one'))).rejects.toMatchObject({ code })
    expect(await readFile(path, 'utf8')).toBe(text)
    expect(await readdir(home)).toEqual(['config'])
  })

  test('removing what others refer to is refused and changes nothing', async () => {
    const text = lines(
      'specs:',
      '  - {name: a, local: &l /home/me/code, remote: /r, context: c, namespace: n, pod: p}',
      '  - {name: b, local: *l, remote: /r, context: d, namespace: n, pod: p}',
    )
    await writeFile(path, text)
    await expect(removeSpecs(path, ['a'])).rejects.toMatchObject({ code: 'CONFIG_BROKEN' })
    expect(await readFile(path, 'utf8')).toBe(text)
  })

  test.each([
    ['one that is there', true],
    ['one that is missing', false],
  ])('a symlink stays a link to its target: %s', async (_, exists) => {
    const target = join(home, 'dotfiles.yaml')
    if (exists) await writeFile(target, 'version: 1\n')
    await symlink('dotfiles.yaml', path)
    await addSpec(path, () => spec('one'))
    expect((await lstat(path)).isSymbolicLink()).toBe(true)
    expect((await loadConfig(target)).specs).toEqual([spec('one')])
  })

  test('a refusal of the caller changes nothing', async () => {
    const refuse = () => {
      throw new Error('no')
    }
    await expect(addSpec(path, refuse)).rejects.toThrow('no')
    expect(await readdir(home)).toEqual([])
  })

  test.skipIf(process.getuid?.() === 0)(
    'a folder that may not be written is an error that names the file',
    async () => {
      await chmod(home, 0o500)
      await expect(addSpec(path, () => spec('one'))).rejects.toMatchObject({ code: 'CONFIG_UNWRITABLE' })
    },
  )

  test('an edit by somebody who knows no lock is not lost', async () => {
    await addSpec(path, () => spec('one'))
    let calls = 0
    await addSpec(path, (specs) => {
      calls += 1
      if (calls === 1) writeFileSync(path, 'specs: []\n')
      expect(specs).toHaveLength(calls === 1 ? 1 : 0)
      return spec('two')
    })
    expect((await loadConfig(path)).specs).toEqual([spec('two')])
  })

  test('writers at the same time lose nothing of one another', async () => {
    const names = Array.from({ length: 24 }, (_, index) => `spec-${index}`)
    await Promise.all(names.map((name) => addSpec(path, () => spec(name))))
    expect((await loadConfig(path)).specs.map(({ name }) => name).sort()).toEqual([...names].sort())
    expect(await readdir(home)).toEqual(['config'])
  })
})
