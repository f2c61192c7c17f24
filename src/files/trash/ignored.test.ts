import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { bindBase } from '../base/bind.ts'
import { openBaseStore } from '../base/store.ts'
import { noRules } from '../ignore/rule-set.ts'
import { openDirectory } from '../replica/open-directory.ts'
import type { ContentSource, Replica } from '../replica/replica.ts'
import { TRASH_INSIDE } from '../replica/temporary.ts'
import { act, contentOf, put, write } from '../replica/testing/puts.ts'
import { temporaryRoot } from '../replica/testing/roots.ts'
import { carriedOut, eventually, servedReplica, stampAt } from '../replica/testing/served.ts'
import { type Session, startSession } from '../session.ts'
import type { SessionStatus } from '../status.ts'
import type { Exclusions } from '../ways.ts'
import { lastMoment } from './choose.ts'
import { catalogOf, keptIn } from './testing/catalog.ts'
import { carryOutUndo, planUndo, type Undone } from './undo.ts'

function fill(root: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), content)
  }
}

const read = (root: string, path: string) => readFileSync(join(root, path), 'utf8')

describe('what has become ignored since it was decided to replace or remove it', () => {
  test('stays, and does not go to the trash', async () => {
    const [root, trash] = [temporaryRoot(), join(temporaryRoot(), 'trash')]
    fill(root, { 'd/x.log': 'x', 'd/y.log': 'y' })
    const replica = await servedReplica(root, openDirectory, { trash })
    const [x, y, d] = ['d/x.log', 'd/y.log', 'd'].map((path) => stampAt(replica, path))
    if (x === undefined || y === undefined || d === undefined) throw new Error('no stamps')
    await replica.follow({ ...noRules, patterns: ['*.log'] })
    expect(await act(replica, { op: 'remove', path: 'd/x.log', expect: x })).toBe('stale')
    expect(await write(replica, put('d/y.log', 'new', y), 'new')).toMatchObject({ result: 'stale' })
    expect(await act(replica, { op: 'symlink', path: 'd/y.log', expect: y, target: 'z' })).toBe('stale')
    expect(await act(replica, { op: 'remove', path: 'd', expect: d })).toBe('stale')
    expect([read(root, 'd/x.log'), read(root, 'd/y.log')]).toEqual(['x', 'y'])
    expect(await keptIn(trash)).toEqual([])
  })

  test('even while its new content was on its way', async () => {
    const [root, trash] = [temporaryRoot(), join(temporaryRoot(), 'trash')]
    fill(root, { 'd/out': 'old' })
    const replica = await servedReplica(root, openDirectory, { trash })
    const content = 'new'.repeat(200_000)
    const { source, finish } = await interrupted(content)
    const writing = carriedOut(replica, [put('d/out', content, stampAt(replica, 'd/out'))], source)
    while (readdirSync(join(root, 'd')).length < 2) await new Promise(setImmediate)
    await replica.follow({ ...noRules, patterns: ['out'] })
    finish()
    expect(await writing).toMatchObject([{ result: 'stale' }])
    expect(readdirSync(join(root, 'd'))).toEqual(['out'])
    expect(read(root, 'd/out')).toBe('old')
    expect(await keptIn(trash)).toEqual([])
  })
})

/** Content of which the last bytes are held back. */
async function interrupted(content: string): Promise<{ source: ContentSource; finish: () => void }> {
  const bytes = await buffer(contentOf(content).read([]))
  const stream = new PassThrough()
  stream.write(bytes.subarray(0, -8))
  return { source: { read: () => stream }, finish: () => stream.end(bytes.subarray(-8)) }
}

interface Pair {
  readonly local: string
  readonly remote: string
  readonly trash: string
  readonly here: Replica
  readonly there: Replica
  readonly session: Session
  settled(): Promise<SessionStatus>
  /** The rule file on the laptop says this from now on, and its replica has heard of it. */
  rule(text: string): Promise<void>
  /** Brings back what went last. */
  undo(): Promise<readonly Undone[]>
}

const WAYS: Exclusions = { upload: ['*.key'], download: ['.ksyncignore'] }

/** A folder with a trash and rule files, and one in a container, which `wrap` may make misbehave. */
async function pair(
  locally: Readonly<Record<string, string>>,
  remotely: Readonly<Record<string, string>> = {},
  wrap: (there: Replica) => Replica = (there) => there,
): Promise<Pair> {
  const [local, remote, trash] = [temporaryRoot(), temporaryRoot(), join(temporaryRoot(), 'trash')]
  fill(local, locally)
  fill(remote, remotely)
  const orders = { rules: noRules, reads: ['ksyncignore'] as const }
  const here = await servedReplica(local, openDirectory, { orders, trash })
  const rules = here.rules ?? noRules
  const there = wrap(await servedReplica(remote, openDirectory, { orders: { rules, reads: [] } }))
  const base = openBaseStore(join(temporaryRoot(), 'base'))
  bindBase(base, { container: 'c', local: here.info, remote: there.info, isSuccessor: false })
  const parts = { local: here, remote: there, base, exclusions: WAYS, settleMs: 1 }
  const session = startSession({ ...parts, mode: 'two-way-safe' })
  onTestFinished(async () => {
    await session.stop()
    base.close()
  })
  const settled = async () => {
    for (let i = 0; i < 3; i++) {
      await Promise.all([here.rescan('all'), there.rescan('all')])
      await session.settled()
    }
    return session.status
  }
  const rule = async (text: string) => {
    writeFileSync(join(local, '.ksyncignore'), text)
    await eventually(here, () => here.rules?.files.some((file) => file.text === text) ?? false)
  }
  const undo = async () => {
    const { items } = await catalogOf(trash)
    return carryOutUndo(planUndo(lastMoment(items)), trash)
  }
  await settled()
  return { local, remote, trash, here, there, session, settled, rule, undo }
}

describe('undo', () => {
  test('brings back what was beside ignored files, which stayed where they were', async () => {
    const { local, remote, trash, settled, undo } = await pair({
      '.ksyncignore': 'dist/\n',
      'pkg/a': 'a',
      'pkg/sub/b': 'b',
      'pkg/dist/out': 'built here',
      other: '',
    })
    rmSync(join(remote, 'pkg'), { recursive: true })
    expect(await settled()).toMatchObject({ phase: 'in-sync', conflicts: [], problems: [] })
    expect(readdirSync(join(local, 'pkg'))).toEqual(['dist'])
    expect(await keptIn(trash)).toEqual(['pkg/a: a', 'pkg/sub/b: b', 'pkg/sub: directory'])
    expect((await undo()).map(({ result }) => result)).toEqual(['restored', 'restored', 'restored'])
    expect(await settled()).toMatchObject({ phase: 'in-sync', conflicts: [], problems: [] })
    for (const root of [local, remote])
      expect([read(root, 'pkg/a'), read(root, 'pkg/sub/b')]).toEqual(['a', 'b'])
    expect(read(local, 'pkg/dist/out')).toBe('built here')
    expect(existsSync(join(remote, 'pkg/dist'))).toBe(false)
  })

  test('of what is ignored by now brings it back here, and it travels once it is not ignored any more', async () => {
    const { local, remote, settled, rule, undo } = await pair({ 'log/a': 'a', other: '' })
    rmSync(join(remote, 'log/a'))
    await settled()
    expect(existsSync(join(local, 'log/a'))).toBe(false)
    await rule('log/\n')
    await settled()
    expect((await undo()).map(({ result }) => result)).toEqual(['restored'])
    expect(await settled()).toMatchObject({ phase: 'in-sync', conflicts: [], problems: [] })
    expect(read(local, 'log/a')).toBe('a')
    expect(existsSync(join(remote, 'log/a'))).toBe(false)
    await rule('# nothing\n')
    await settled()
    expect(read(remote, 'log/a')).toBe('a')
  })

  test('of an older version of what is ignored by now changes nothing in the container', async () => {
    const { local, remote, trash, settled, rule, undo } = await pair({ '.env': 'mine', other: '' })
    writeFileSync(join(remote, '.env'), 'from there')
    await settled()
    await rule('.env\n')
    await settled()
    expect((await undo()).map(({ result }) => result)).toEqual(['restored'])
    await settled()
    expect([read(local, '.env'), read(remote, '.env')]).toEqual(['mine', 'from there'])
    expect(await keptIn(trash)).toEqual(['.env: from there'])
  })
})

describe('a trash in a folder within the folder', () => {
  const inside = `sub/${TRASH_INSIDE}/kept`

  test('is ignored, whatever rules say, and its folder stays when it is deleted in the container', async () => {
    const { local, remote, settled } = await pair({
      '.ksyncignore': '!*\n',
      [inside]: 'kept',
      'sub/a': '1',
      b: '',
    })
    expect(existsSync(join(remote, 'sub', TRASH_INSIDE))).toBe(false)
    rmSync(join(remote, 'sub'), { recursive: true })
    expect(await settled()).toMatchObject({ phase: 'in-sync', conflicts: [], problems: [] })
    expect(readdirSync(join(local, 'sub'))).toEqual([TRASH_INSIDE])
    expect(read(local, inside)).toBe('kept')
  })

  test('keeps a file from taking that place', async () => {
    const { local, remote, settled } = await pair({ [inside]: 'kept', 'sub/a': '1', b: '' })
    rmSync(join(remote, 'sub'), { recursive: true })
    writeFileSync(join(remote, 'sub'), 'a file')
    expect(await settled()).toMatchObject({ phase: 'in-sync', conflicts: [{ path: 'sub' }], problems: [] })
    expect([read(local, inside), read(local, 'sub/a')]).toEqual(['kept', '1'])
  })
})

describe('settling a conflict', () => {
  test('never takes a rule file from a container', async () => {
    const { local, remote, session, settled } = await pair(
      { '.ksyncignore': '.env\n', '.env': 'secret' },
      { '.ksyncignore': '' },
    )
    expect(session.status.conflicts).toMatchObject([{ path: '.ksyncignore' }])
    for (const keep of ['remote', 'both'] as const) {
      await expect(session.conflicts.resolve('.ksyncignore', keep)).rejects.toMatchObject({
        code: 'SIDE_READ_ONLY',
        message: '.ksyncignore on the local side is never written by this spec',
      })
    }
    await session.conflicts.resolve('.ksyncignore', 'local')
    expect(await settled()).toMatchObject({ conflicts: [] })
    expect([read(local, '.ksyncignore'), read(remote, '.ksyncignore')]).toEqual(['.env\n', '.env\n'])
    expect(readdirSync(remote)).toEqual(['.ksyncignore'])
  })

  test('removes no folder with something in it that is ignored or travels the other way only', async () => {
    const { remote, session } = await pair(
      { '.ksyncignore': '*.log\n', x: 'a file', y: 'a file', z: 'a file' },
      { 'x/a': '1', 'x/sub/b.log': '2', 'y/a': '3', 'y/b.key': '4', 'z/a': '5' },
    )
    for (const path of ['x', 'y'])
      await expect(session.conflicts.resolve(path, 'local')).rejects.toMatchObject({ code: 'NOT_SETTLED' })
    const stays = ['x/a', 'x/sub/b.log', 'y/a', 'y/b.key']
    expect(stays.map((path) => read(remote, path))).toEqual(['1', '2', '3', '4'])
    await session.conflicts.resolve('z', 'local')
    expect(existsSync(join(remote, 'z/a'))).toBe(false)
  })

  test('gives no version a name that is ignored', async () => {
    const { local, remote, session } = await pair(
      { '.ksyncignore': '*.remote.js\n', 'a.js': 'ours' },
      { 'a.js': 'theirs' },
    )
    await expect(session.conflicts.resolve('a.js', 'both')).rejects.toMatchObject({
      code: 'NOT_SETTLED',
      message: expect.stringContaining('a.remote.js'),
    })
    expect([read(local, 'a.js'), read(remote, 'a.js')]).toEqual(['ours', 'theirs'])
  })

  test('waits until the container knows what is ignored: nothing is taken for deleted here', async () => {
    const { local, remote, session, rule } = await pair({ 'out/a': 'ours' }, { 'out/a': 'theirs' }, (there) =>
      Object.create(there, { follow: { value: () => new Promise<void>(() => {}) } }),
    )
    expect(session.status.conflicts).toMatchObject([{ path: 'out/a' }])
    await rule('out/\n')
    await expect(session.conflicts.resolve('out/a', 'local')).rejects.toMatchObject({ code: 'NOT_SETTLED' })
    expect([read(local, 'out/a'), read(remote, 'out/a')]).toEqual(['ours', 'theirs'])
  })

  test('is refused while the folder here is gone', async () => {
    const { local, remote, here, session } = await pair({ a: 'ours' }, { a: 'theirs' })
    rmSync(local, { recursive: true })
    await here.rescan('all')
    await expect(session.conflicts.resolve('a', 'local')).rejects.toMatchObject({ code: 'NOT_SETTLED' })
    expect(read(remote, 'a')).toBe('theirs')
  })
})
