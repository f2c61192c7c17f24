import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { nodeAt, walk } from '../delta.ts'
import { noRules, type RuleSet } from '../ignore/rule-set.ts'
import { openDirectory } from './open-directory.ts'
import type { RulesToFollow } from './ruling.ts'
import { type Call, FaultyDir } from './testing/faulty-dir.ts'
import { act, put, write } from './testing/puts.ts'
import { temporaryRoot } from './testing/roots.ts'
import { Scanning } from './testing/scanning.ts'
import { entryAt, eventually, servedReplica, stampAt } from './testing/served.ts'

const LAPTOP: RulesToFollow = {
  rules: { ...noRules, vcs: true },
  reads: ['ksyncignore', 'gitignore', 'exclude'],
}

function given(...patterns: string[]): RulesToFollow {
  return { rules: { ...noRules, patterns }, reads: [] }
}

function fill(root: string, ...paths: string[]): void {
  for (const path of paths) {
    const at = join(root, path)
    mkdirSync(path.endsWith('/') ? at : join(at, '..'), { recursive: true })
    if (!path.endsWith('/')) writeFileSync(at, path)
  }
}

function pathsOf({ tree }: Pick<Scanning, 'tree'>): string[] {
  return [...walk(tree)].map(([path]) => path).sort()
}

/** A scanner with a record of every call that it makes. */
function observed(root: string, orders: RulesToFollow): { scanning: Scanning; calls: Call[] } {
  const calls: Call[] = []
  const before = (call: Call) => calls.push(call)
  return {
    calls,
    scanning: new Scanning(root, (path) => new FaultyDir(openDirectory(path), { before }), orders),
  }
}

describe('what is ignored', () => {
  test('is never listed, watched or looked at', async () => {
    const root = temporaryRoot()
    fill(root, 'src/a.ts', 'node_modules/x/index.js', 'src/debug.log')
    const { scanning, calls } = observed(root, given('node_modules/', '*.log', '/dist'))
    await scanning.rescan()
    expect(pathsOf(scanning)).toEqual(['src', 'src/a.ts'])
    // Without the slash it need not even be known what it is.
    expect(calls.filter(({ name }) => name === 'debug.log')).toEqual([])
    const asked = calls.filter(({ name }) => name === 'node_modules')
    expect(new Set(asked.map(({ operation }) => operation))).toEqual(new Set(['lstat']))
    expect(calls.filter(({ operation }) => operation === 'watch')).toHaveLength(2)
  })

  test('wakes nobody when it is written to', async () => {
    const root = temporaryRoot()
    fill(root, 'app.log', 'main')
    const { scanning, calls } = observed(root, given('*.log'))
    await scanning.rescan()
    calls.length = 0
    for (let i = 0; i < 50; i++) writeFileSync(join(root, 'app.log'), `${i}`, { flag: 'a' })
    writeFileSync(join(root, 'main'), 'new')
    while (!calls.some(({ name }) => name === 'main')) await scanning.nextPass()
    expect(calls.filter(({ name }) => name === 'app.log')).toEqual([])
  })

  test('is known to be in its directory for as long as it is', async () => {
    const root = temporaryRoot()
    fill(root, 'd/x.log', 'd/y.log', 'd/kept', 'e/')
    const scanning = new Scanning(root, openDirectory, given('*.log'))
    await scanning.rescan()
    const holds = (path: string) => nodeAt(scanning.tree, path)?.entry
    expect(holds('d')).toMatchObject({ hasIgnored: true })
    expect(holds('e')).not.toHaveProperty('hasIgnored')
    unlinkSync(join(root, 'd/x.log'))
    await scanning.rescan(['d/x.log'])
    expect(holds('d')).toMatchObject({ hasIgnored: true })
    unlinkSync(join(root, 'd/y.log'))
    while ('hasIgnored' in (holds('d') ?? {})) await scanning.nextPass()
    writeFileSync(join(root, 'e/z.log'), '')
    while (!('hasIgnored' in (holds('e') ?? {}))) await scanning.nextPass()
  })

  test('may be ignored as a directory and synced as a file', async () => {
    const root = temporaryRoot()
    fill(root, 'build/x', 'src/build')
    const scanning = new Scanning(root, openDirectory, given('build/'))
    await scanning.rescan()
    expect(pathsOf(scanning)).toEqual(['src', 'src/build'])
    rmSync(join(root, 'build'), { recursive: true })
    fill(root, 'build')
    unlinkSync(join(root, 'src/build'))
    fill(root, 'src/build/y')
    await scanning.rescan()
    expect(pathsOf(scanning)).toEqual(['build', 'src'])
  })

  test('leaves the tree, its watches and its problems when the rules change, and comes back', async () => {
    const root = temporaryRoot()
    fill(root, 'a/x', 'b/deep/y', 'b/deep/z.log')
    symlinkSync('/etc', join(root, 'b/deep/link'))
    const { scanning, calls } = observed(root, given('*.log'))
    await scanning.rescan()
    const all = pathsOf(scanning)
    expect(scanning.problems.has('b/deep/link')).toBe(true)
    calls.length = 0
    await scanning.scanner.follow(given('b'))
    expect(pathsOf(scanning)).toEqual(['a', 'a/x'])
    expect(scanning.problems.size).toBe(0)
    await scanning.scanner.follow(given())
    expect(pathsOf(scanning)).toEqual([...all, 'b/deep/z.log'].sort())
    // Only where something was ignored is there anything to find.
    expect(calls.filter(({ operation, name }) => operation === 'openDir' && name === 'a')).toEqual([])
    writeFileSync(join(root, 'b/deep/new'), '')
    while (nodeAt(scanning.tree, 'b/deep/new') === undefined) await scanning.nextPass()
  })

  test('is neither written, changed nor removed by anybody', async () => {
    const root = temporaryRoot()
    fill(root, 'd/x.log', 'd/y', 'out/z')
    const replica = await servedReplica(root)
    const stamps = { x: stampAt(replica, 'd/x.log'), out: stampAt(replica, 'out') }
    await replica.follow({ ...noRules, patterns: ['*.log', 'out/'] })
    expect(await act(replica, { op: 'remove', path: 'd/x.log', expect: stamps.x })).toBe('stale')
    expect(await act(replica, { op: 'remove', path: 'out', expect: stamps.out })).toBe('stale')
    expect(await act(replica, { op: 'mkdir', path: 'new.log', expect: 'absent' })).toBe('stale')
    expect(await write(replica, put('d/new.log', '1'), '1')).toMatchObject({ result: 'stale' })
    expect(await write(replica, put('out/new', '1'), '1')).toMatchObject({ result: 'stale' })
    const directory = entryAt(replica, 'd')
    if (directory.kind !== 'directory') throw new Error('no directory')
    expect(await act(replica, { op: 'remove', path: 'd', expect: directory.stamp })).toBe('stale')
    expect(pathsOf(await servedReplica(root))).toEqual(['d', 'd/x.log', 'd/y', 'out', 'out/z'])
  })

  test('is said to be in the way of a file by its name', async () => {
    const root = temporaryRoot()
    fill(root, 'build/x')
    const replica = await servedReplica(root, openDirectory, { orders: given('build/') })
    const outcome = await write(replica, put('build', '1'), '1')
    expect(outcome).toMatchObject({
      result: 'failed',
      problem: { code: 'IGNORED_IN_THE_WAY', path: 'build' },
    })
  })
})

describe('rule files', () => {
  test('are found where they are, nested, and by their kinds', async () => {
    const root = temporaryRoot()
    fill(root, '.git/info/', 'a/b/one.o', 'a/two.tmp', 'three.x', 'ignored/.ksyncignore', 'a/keep.tmp')
    writeFileSync(join(root, '.ksyncignore'), '/ignored\n*.tmp\n')
    writeFileSync(join(root, 'a/.gitignore'), '*.o\n')
    writeFileSync(join(root, 'a/.ksyncignore'), '!keep.tmp\n')
    writeFileSync(join(root, '.git/info/exclude'), '*.x\n')
    const replica = await servedReplica(root, openDirectory, { orders: LAPTOP })
    expect(pathsOf(replica)).toEqual([
      ...['.ksyncignore', 'a', 'a/.gitignore', 'a/.ksyncignore', 'a/b', 'a/keep.tmp'],
    ])
    expect(new Set(replica.rules?.files.map(({ directory, kind }) => `${directory}:${kind}`))).toEqual(
      new Set([':ksyncignore', ':exclude', 'a:gitignore', 'a:ksyncignore']),
    )
  })

  test('on the other side are files like any other', async () => {
    const root = temporaryRoot()
    fill(root, 'x.log')
    writeFileSync(join(root, '.ksyncignore'), '*.log\n')
    const replica = await servedReplica(root, openDirectory, { orders: given() })
    expect(pathsOf(replica)).toEqual(['.ksyncignore', 'x.log'])
    expect(replica.rules).toEqual(noRules)
  })

  test('hold as soon as they are written, together with what follows from them', async () => {
    const root = temporaryRoot()
    fill(root, 'a/x.log', 'a/main')
    const replica = await servedReplica(root, openDirectory, { orders: LAPTOP })
    const seen: [string, boolean][] = []
    replica.subscribe(() => {
      const isIgnored = replica.rules?.files.some(({ text }) => text.includes('*.log')) ?? false
      seen.push([pathsOf(replica).join(), isIgnored])
    })
    writeFileSync(join(root, 'a/.ksyncignore'), '*.log\n')
    await eventually(replica, () => nodeAt(replica.tree, 'a/x.log') === undefined)
    for (const [paths, isIgnored] of seen)
      expect([paths, paths.includes('x.log')]).toEqual([paths, !isIgnored])
    writeFileSync(join(root, 'a/.ksyncignore'), '# *.log\n')
    await eventually(replica, () => nodeAt(replica.tree, 'a/x.log') !== undefined)
  })

  test('hold on for a moment when they vanish, as they do while an editor saves', async () => {
    const root = temporaryRoot()
    fill(root, 'x.log', 'main')
    writeFileSync(join(root, '.ksyncignore'), '*.log\n')
    const replica = await servedReplica(root, openDirectory, { orders: LAPTOP })
    const paths = new Set<string>()
    replica.subscribe(() => paths.add(pathsOf(replica).join()))
    renameSync(join(root, '.ksyncignore'), join(root, '.ksyncignore~'))
    await eventually(replica, () => nodeAt(replica.tree, '.ksyncignore') === undefined)
    writeFileSync(join(root, '.ksyncignore'), '')
    await replica.rescan('all')
    writeFileSync(join(root, '.ksyncignore'), '*.log\n*.tmp\n')
    await eventually(replica, () => replica.rules?.files[0]?.text === '*.log\n*.tmp\n')
    expect([...paths].filter((all) => all.includes('x.log'))).toEqual([])
    unlinkSync(join(root, '.ksyncignore'))
    await eventually(replica, () => nodeAt(replica.tree, 'x.log') !== undefined)
    expect(replica.rules?.files).toEqual([])
  })

  test('go and come with their directories', async () => {
    const root = temporaryRoot()
    fill(root, 'a/x.log')
    writeFileSync(join(root, 'a/.ksyncignore'), '*.log\n')
    const replica = await servedReplica(root, openDirectory, { orders: LAPTOP })
    renameSync(join(root, 'a'), join(root, 'b'))
    await eventually(replica, () => nodeAt(replica.tree, 'b') !== undefined)
    await replica.rescan('all')
    expect(replica.rules?.files).toEqual([{ directory: 'b', kind: 'ksyncignore', text: '*.log\n' }])
    expect(pathsOf(replica)).toEqual(['b', 'b/.ksyncignore'])
    rmSync(join(root, 'b'), { recursive: true })
    mkdirSync(join(root, 'b'))
    fill(root, 'b/x.log')
    await eventually(replica, () => nodeAt(replica.tree, 'b/x.log') !== undefined)
    expect(replica.rules?.files).toEqual([])
  })

  test('stay in force while the folder is away', async () => {
    const root = join(temporaryRoot(), 'root')
    fill(root, 'x.log')
    writeFileSync(join(root, '.ksyncignore'), '*.log\n')
    const replica = await servedReplica(root, openDirectory, { orders: LAPTOP })
    renameSync(root, `${root}.away`)
    await replica.rescan('all')
    expect([replica.tree, replica.rules?.files.length]).toEqual([undefined, 1])
    renameSync(`${root}.away`, root)
    await replica.rescan('all')
    expect(pathsOf(replica)).toEqual(['.ksyncignore'])
  })

  test.each<[string, (at: string) => void, RegExp]>([
    ['a link', (at) => symlinkSync('elsewhere', at), /is no regular file/],
    ['too large', (at) => writeFileSync(at, 'x\n'.repeat(200_000)), /larger than 256 KiB/],
  ])('that cannot be obeyed keep their folder to itself: one that is %s', async (_what, make, message) => {
    const root = temporaryRoot()
    fill(root, 'a/secret', 'b/other')
    make(join(root, 'a/.ksyncignore'))
    const replica = await servedReplica(root, openDirectory, { orders: LAPTOP })
    expect(pathsOf(replica)).toEqual(['a', 'a/.ksyncignore', 'b', 'b/other'])
    expect(entryAt(replica, 'a/.ksyncignore').kind).toBe('opaque')
    expect(replica.problems.get('a/.ksyncignore')?.message).toMatch(message)
    rmSync(join(root, 'a/.ksyncignore'))
    writeFileSync(join(root, 'a/.ksyncignore'), '')
    await eventually(replica, () => nodeAt(replica.tree, 'a/secret') !== undefined)
    expect(replica.problems.size).toBe(0)
  })
})

describe('a replica and who it serves', () => {
  test('never disagree on the rules while these change', async () => {
    const root = temporaryRoot()
    fill(root, 'a.log', 'b.tmp', 'c')
    const replica = await servedReplica(root, openDirectory, { orders: given('*.log') })
    const sets: RuleSet[] = [
      { ...noRules, patterns: ['*.tmp'] },
      { ...noRules, patterns: ['*.log'] },
    ]
    const seen: string[] = []
    const stop = replica.subscribe(() => seen.push(`${replica.rules?.patterns} ${pathsOf(replica).join()}`))
    onTestFinished(stop)
    const orders = sets.map((rules) => replica.follow(rules))
    expect(replica.rules).toBeUndefined()
    await Promise.all(orders)
    expect([replica.rules?.patterns, pathsOf(replica)]).toEqual([['*.log'], ['b.tmp', 'c']])
    for (const line of seen) expect(line).toMatch(/^undefined /)
  })
})
