import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { useLab } from './support/cluster.ts'
import { Laptop } from './support/ksync.ts'
import type { Running } from './support/run.ts'
import { until } from './support/until.ts'

const lab = useLab('ignore')
const pod = 'plain'
let laptop: Laptop
let watch: Running
let folder: string

beforeAll(() => lab.deploy('plain'))
beforeEach(async () => {
  laptop = new Laptop()
  laptop.hasRunInit()
  folder = laptop.folder('here')
  watch = await laptop.watch()
})
afterEach(() => laptop.remove())

function fill(files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
}

/** @param remote relative to the container's working directory, which is its root */
async function create(remote: string, ...flags: string[]): Promise<void> {
  const where = ['--pod', pod, '-n', lab.namespace]
  await laptop.did('create', '--name', 'it', ...where, ...flags, folder, `/${remote}`)
  await laptop.inSync('it', 1)
}

/** Everything below a folder in the container, a path a line. */
async function there(remote: string): Promise<string[]> {
  const out = await lab.sh(pod, `cd ${remote} && find . -mindepth 1 | sed 's|^\\./||' | sort`)
  return out.split('\n').filter(Boolean)
}

/** Waits until an edit that is made now is in the container: what came before it was seen as well. */
async function passed(remote: string): Promise<void> {
  const mark = `${Date.now()}`
  writeFileSync(join(folder, 'mark'), mark)
  await until('the mark is there', () => lab.sh(pod, `cat ${remote}/mark`), {
    holds: (text) => text === mark,
  })
  await laptop.inSync('it', 1)
}

describe('ignored files', () => {
  test('stay where they are, on either side', async () => {
    fill({
      '.ksyncignore': 'node_modules/\n*.log\n',
      'src/a.ts': '1',
      'node_modules/x/i.js': '2',
      '.git/config': '3',
    })
    await create('ignored')
    expect(await there('ignored')).toEqual(['.ksyncignore', 'src', 'src/a.ts'])
    await lab.sh(
      pod,
      'cd ignored && mkdir -p node_modules/y .git/hooks && touch node_modules/y/j src/x.log .git/hooks/h',
    )
    await lab.sh(pod, 'echo from there > ignored/src/b.ts')
    await until('the edit is here', () => existsSync(join(folder, 'src/b.ts')), { holds: (is) => is })
    for (const path of ['node_modules/y', 'src/x.log', '.git/hooks'])
      expect(existsSync(join(folder, path))).toBe(false)
  })

  test('are others when .ksyncignore is edited, and nothing is deleted for it', async () => {
    fill({ 'build/out': '1', 'src/a': '2' })
    await create('edited')
    fill({ '.ksyncignore': 'build/\n' })
    await passed('edited')
    rmSync(join(folder, 'build'), { recursive: true })
    await passed('edited')
    expect(await there('edited')).toContain('build/out')
    writeFileSync(join(folder, '.ksyncignore'), '# nothing\n')
    await until('it is back', () => existsSync(join(folder, 'build/out')), { holds: (is) => is })
    expect(readFileSync(join(folder, 'build/out'), 'utf8')).toBe('1')
    const [session] = await laptop.inSync('it', 1)
    expect(session?.session).toMatchObject({ conflicts: [], problems: [] })
  })

  test('keep their directory in the container when it is deleted here', async () => {
    fill({ '.ksyncignore': 'dist/\n', 'pkg/a.ts': '1', b: '2' })
    await create('kept')
    await lab.sh(pod, 'mkdir kept/pkg/dist && echo built > kept/pkg/dist/out')
    await passed('kept')
    rmSync(join(folder, 'pkg'), { recursive: true })
    await passed('kept')
    expect((await there('kept')).filter((path) => path.startsWith('pkg'))).toEqual([
      'pkg',
      'pkg/dist',
      'pkg/dist/out',
    ])
    expect(existsSync(join(folder, 'pkg'))).toBe(false)
    await lab.sh(pod, 'rm -r kept/pkg/dist')
    await until('it is gone', () => there('kept'), { holds: (paths) => !paths.includes('pkg') })
  })

  test('are for this machine to say: what a container writes into .ksyncignore changes nothing', async () => {
    fill({ '.ksyncignore': '.env\n', '.env': 'secret', a: '1' })
    await create('hostile')
    await lab.sh(pod, ': > hostile/.ksyncignore')
    await passed('hostile')
    expect(await there('hostile')).not.toContain('.env')
    expect(readFileSync(join(folder, '.ksyncignore'), 'utf8')).toBe('.env\n')
  })

  test('may be said on the command line, and .gitignore may count', async () => {
    fill({
      '.gitignore': 'dist/\n',
      'lib/.gitignore': '*.o\n',
      'dist/a': '1',
      'lib/b.o': '2',
      'lib/b.c': '3',
      'c.tmp': '4',
    })
    await create(
      'flags',
      '--use-gitignore',
      '--ignore',
      '*.tmp',
      '--no-upload',
      '*.key',
      '--no-download=*.out',
    )
    fill({ 'private.key': '5' })
    await lab.sh(pod, 'echo 6 > flags/x.out && echo 7 > flags/its.key')
    await until('its key is here', () => existsSync(join(folder, 'its.key')), { holds: (is) => is })
    await passed('flags')
    expect(existsSync(join(folder, 'x.out'))).toBe(false)
    expect(await there('flags')).toEqual([
      '.gitignore',
      'its.key',
      'lib',
      'lib/.gitignore',
      'lib/b.c',
      'mark',
      'x.out',
    ])
    expect(await laptop.did('get', '-o', 'yaml')).toContain('useGitignore: true')
  })

  test('with --no-ignore-vcs a repository travels too', async () => {
    fill({ '.git/config': '1' })
    await create('vcs', '--no-ignore-vcs')
    expect(await there('vcs')).toEqual(['.git', '.git/config'])
  })

  test('survive a watch that was killed while the rules changed', async () => {
    fill({ 'out/a': '1', 'src/b': '2' })
    await create('killed')
    appendFileSync(join(folder, '.ksyncignore'), 'out/\n')
    await watch.kill('SIGKILL')
    rmSync(join(folder, 'out'), { recursive: true })
    watch = await laptop.watch()
    await laptop.inSync('it', 1)
    await passed('killed')
    expect(await there('killed')).toContain('out/a')
  })
})
