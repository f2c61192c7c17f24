import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { using } from '../files/replica/dir.ts'
import { openDirectory } from '../files/replica/open-directory.ts'
import { storeName } from '../files/trash/layout.ts'
import { localTrash } from '../files/trash/local-trash.ts'
import { TrashPass } from '../files/trash/pass.ts'
import { Terminal } from './testing/terminal.ts'
import { formatTime } from './time.ts'

let terminal: Terminal
let demo: string
let trash: string
beforeEach(() => {
  terminal = new Terminal()
  demo = terminal.folder('demo')
  trash = join(terminal.home, '.kubesync/trash')
})
afterEach(() => {
  vi.useRealTimers()
  terminal.remove()
})

const at = (path: string) => join(demo, path)
const read = (path: string) => readFileSync(at(path), 'utf8')

function edit(path: string, content: string): void {
  mkdirSync(dirname(at(path)), { recursive: true })
  writeFileSync(at(path), content)
}

/** What a sync does here: deletes paths, or replaces a file. */
function sync(...changes: (string | { path: string; by: string })[]): void {
  const root = openDirectory(demo)
  const openStore = localTrash(trash, demo).openStoreFor(root)
  const origin = { spec: 'calm-otter', pod: 'demo-0', container: 'app' }
  const bin = new TrashPass({ root: demo, origin, openStore })
  for (const change of changes) {
    const path = typeof change === 'string' ? change : change.path
    const name = path.slice(path.lastIndexOf('/') + 1)
    using(openDirectory(dirname(at(path))), (dir) => {
      const taken = { dir, name, path, stats: lstatSync(at(path)) }
      if (typeof change === 'string') return bin.remove(taken)
      bin.keep(taken)
      rmSync(at(path))
      writeFileSync(at(path), change.by)
    })
  }
  bin.close()
  root.close()
}

/** At another time, so that it is another moment. */
function later(ms = 5000): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms })
}

async function undo(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await terminal.ksync('undo', ...args)
  return `${code}: ${stdout}${stderr}`
}

describe('a path', () => {
  test('that was deleted is back, with its folders, its mode and its time', async () => {
    edit('a/b/run', '#!/bin/sh')
    const before = statSync(at('a/b/run'))
    sync('a/b/run', 'a/b', 'a')
    expect(existsSync(at('a'))).toBe(false)
    expect(await undo('demo/a/b/run')).toBe('0: demo/a/b/run is back\n')
    const after = statSync(at('a/b/run'))
    expect([after.mode, after.mtimeMs, read('a/b/run')]).toEqual([before.mode, before.mtimeMs, '#!/bin/sh'])
    expect(await undo('demo/a/b/run')).toMatch(
      /^1: error: there is nothing of .*demo\/a\/b\/run in the trash/,
    )
  })

  test('that is a folder comes back with all that was in it', async () => {
    edit('d/f', '1')
    edit('d/new\nline', '2')
    symlinkSync('f', at('d/link'))
    mkdirSync(at('d/empty'))
    sync('d/f', 'd/new\nline', 'd/link', 'd/empty', 'd')
    expect(await undo('demo/d')).toBe(
      ['0: demo/d', 'demo/d/empty', 'demo/d/f', 'demo/d/link', 'demo/d/new\\nline', ''].join(' is back\n'),
    )
    expect([read('d/f'), read('d/new\nline'), readlinkSync(at('d/link'))]).toEqual(['1', '2', 'f'])
    expect(readdirSync(at('d/empty'))).toEqual([])
    expect((await terminal.ksync('undo', '--list')).stdout).toBe('')
  })

  test('that has several versions comes back in the newest, and then in older ones', async () => {
    edit('f', '1')
    sync({ path: 'f', by: '2' })
    later()
    sync({ path: 'f', by: '3' })
    expect(await undo('demo/f', '--yes')).toContain('0:')
    expect(read('f')).toBe('2')
  })

  test('that holds something else is not touched without a yes, and that is said', async () => {
    edit('f', 'old')
    sync({ path: 'f', by: 'from the container' })
    const { code, stdout, stderr } = await terminal.ksync('undo', 'demo/f')
    expect([code, stdout, read('f')]).toEqual([1, '', 'from the container'])
    expect(stderr).toContain('demo/f: 18 B of ')
    expect(stderr).toContain('1 path holds something else now; nothing was changed')
    expect(stderr).toContain('--yes')
    expect(await undo('demo/f', '--yes')).toBe('0: demo/f is back\n')
    expect(read('f')).toBe('old')
  })

  test('that gave way can be brought back in turn', async () => {
    edit('f', 'old')
    sync({ path: 'f', by: 'new' })
    for (const content of ['old', 'new', 'old']) {
      later()
      expect(await undo('--last', '--yes')).toBe('0: demo/f is back\n')
      expect(read('f')).toBe(content)
    }
  })

  test('that holds the very same already is left as it is', async () => {
    edit('f', 'same')
    sync('f')
    edit('f', 'same')
    expect(await undo('demo/f')).toBe('0: demo/f was there already\n')
  })

  test('in whose place is a folder with something in it has to wait', async () => {
    edit('f', 'old')
    sync('f')
    edit('f/g', '')
    expect(await undo('demo/f', '--yes')).toBe(
      '1: demo/f: there is a folder now, with something in it: move that away first\n',
    )
    rmSync(at('f'), { recursive: true })
    expect(await undo('demo/f')).toBe('0: demo/f is back\n')
  })

  test('on the way to which is a file has to wait, and the rest does not', async () => {
    edit('d/g', 'old')
    edit('f', 'old')
    sync('d/g', 'f')
    rmSync(at('d'), { recursive: true })
    edit('d', 'a file')
    expect(await undo('--last', '--yes')).toBe(
      '1: demo/f is back\ndemo/d/g: a folder on the way to it is now a file or a link: move that away first\n',
    )
    expect(read('d')).toBe('a file')
  })

  test('is found through a link, and relative to the folder of a spec', async () => {
    edit('f', '1')
    edit('g', '2')
    sync('f', 'g')
    symlinkSync('demo', join(terminal.home, 'link'))
    expect(await undo('link/f')).toContain('demo/f is back')
    expect(await undo('--spec', 'calm-otter', 'g')).toContain('demo/g is back')
    expect(await undo('--spec', 'none', 'g')).toContain('there is no spec named none')
  })
})

describe('a time', () => {
  test('--last undoes what was done together last, and nothing before', async () => {
    for (const path of ['a', 'b', 'c']) edit(path, path)
    sync('a')
    later()
    sync('b', 'c')
    expect(await undo('--last')).toBe('0: demo/b is back\ndemo/c is back\n')
    expect(existsSync(at('a'))).toBe(false)
  })

  test('--since brings back what was there then, whatever happened in between', async () => {
    edit('a', 'old')
    edit('b', '1')
    sync('a')
    later(3600_000)
    sync({ path: 'b', by: '2' })
    later()
    sync({ path: 'b', by: '3' }, 'b')
    expect(await undo('--since', '1m')).toBe('0: demo/b is back\n')
    expect([read('b'), existsSync(at('a'))]).toEqual(['1', false])
  })

  test('--at undoes what the list shows with that time', async () => {
    edit('a', '1')
    edit('b', '1')
    sync('a')
    const time = formatTime(Date.now())
    later()
    sync('b')
    expect((await terminal.ksync('undo', '--list')).stdout).toContain(time)
    expect(await undo('--at', time)).toBe('0: demo/a is back\n')
    expect(await undo('--at', '2001-02-03 04:05')).toContain('in the trash')
  })

  test('is no use together with another, and something has to be asked for', async () => {
    expect(await undo('--last', '--since', '1h')).toContain('cannot be used with')
    expect(await undo()).toContain('what is to come back?')
    expect(await undo('-o', 'json', '--last')).toContain('-o is for --list')
    expect(await undo('--since', 'yore')).toContain('is not a time')
  })
})

describe('the list', () => {
  test('is empty without a trash', async () => {
    expect(await undo('--list')).toBe('0: there is nothing in the trash\n')
  })

  test('says when, by which spec, why, how large and where', async () => {
    edit('f', 'four')
    edit('d/g', '')
    sync('d/g', 'd', { path: 'f', by: 'x' })
    const { stdout } = await terminal.ksync('undo', '--list')
    expect(stdout).toMatch(/^TAKEN +SPEC +WHY +SIZE +PATH\n/)
    expect(stdout).toMatch(new RegExp(`calm-otter +deleted +- +${demo}/d/\n`))
    expect(stdout).toMatch(new RegExp(`calm-otter +replaced +4 B +${demo}/f\n`))
    expect((await terminal.ksync('undo', '--list', '-o', 'wide')).stdout).toContain('demo-0')
    expect((await terminal.ksync('undo', '--list', '-o', 'name', 'demo/d')).stdout).toBe(
      `${at('d')}\n${at('d/g')}\n`,
    )
    const [first] = JSON.parse((await terminal.ksync('undo', '--list', '-o', 'json', 'demo/f')).stdout)
    expect(first).toMatchObject({ path: at('f'), kind: 'file', why: 'replaced', size: 4, spec: 'calm-otter' })
  })

  test('of very many paths is short, unless it is to be wide', async () => {
    const names = Array.from({ length: 30 }, (_, i) => `f${i}`)
    for (const name of names) edit(name, '')
    sync(...names)
    expect((await terminal.ksync('undo', '--list')).stdout).toContain('and 10 more paths; -o wide lists all')
    expect((await terminal.ksync('undo', '--list', '-o', 'wide')).stdout.split('\n')).toHaveLength(32)
  })
})

describe('a trash that somebody tampered with', () => {
  function tamper(file: string, text: string): void {
    const store = join(trash, storeName(demo))
    const [pass = ''] = readdirSync(store).filter((name) => name !== 'folder')
    writeFileSync(file === 'folder' ? join(store, file) : join(store, pass, file), text)
  }

  test('leads nowhere outside of the folder', async () => {
    edit('f', 'old')
    sync('f')
    const note = { path: '../../escaped', why: 'deleted', at: 1, directory: 0o40755 }
    tamper('index', `\n${JSON.stringify(note)}`)
    expect((await terminal.ksync('undo', '--list', '-o', 'name')).stdout).toBe(`${at('f')}\n`)
    await undo('--last')
    expect(readdirSync(terminal.home).sort()).toEqual(['.kubesync', 'demo', 'kubeconfig'])
  })

  test('is of the folder that it is named after, or of none', async () => {
    const other = terminal.folder('other')
    edit('f', 'old')
    sync('f')
    tamper('folder', JSON.stringify({ version: 1, root: other }))
    expect(await undo('--list')).toBe('0: there is nothing in the trash\n')
    tamper('folder', 'damaged')
    expect(await undo('--last')).toBe('0: demo/f is back\n')
  })

  test('without its index still has what was kept', async () => {
    edit('d/f', 'old')
    sync('d/f', 'd')
    tamper('index', '{"nonsense": \n\n[1]')
    expect(await undo('demo/d/f')).toBe('0: demo/d/f is back\n')
  })

  test('with a link in it does not follow that', async () => {
    edit('d/f', 'old')
    sync('d/f', 'd')
    const store = join(trash, storeName(demo))
    const [pass = ''] = readdirSync(store).filter((name) => name !== 'folder')
    rmSync(join(store, pass, 'files/d'), { recursive: true })
    symlinkSync('/etc', join(store, pass, 'files/d'))
    const { stdout } = await terminal.ksync('undo', '--list', '-o', 'name')
    expect(stdout).toBe(`${at('d')}\n`)
  })
})
