import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { bindBase } from './base/bind.ts'
import { type BaseStore, openBaseStore } from './base/store.ts'
import { nodeAt, walk } from './delta.ts'
import { digestOfRules, noRules } from './ignore/rule-set.ts'
import { openDirectory } from './replica/open-directory.ts'
import type { Replica } from './replica/replica.ts'
import type { RulesToFollow } from './replica/ruling.ts'
import { temporaryRoot } from './replica/testing/roots.ts'
import { eventually, servedReplica } from './replica/testing/served.ts'
import { type Session, startSession } from './session.ts'
import type { SessionStatus } from './status.ts'
import type { Exclusions } from './ways.ts'

const LAPTOP: RulesToFollow = { rules: { ...noRules, vcs: true }, reads: ['ksyncignore', 'gitignore'] }
const OURS: Exclusions = { upload: [], download: ['.ksyncignore', '.gitignore'] }

interface Pair {
  readonly local: string
  readonly remote: string
  readonly here: Replica
  readonly there: Replica
  readonly base: BaseStore
  readonly session: Session
  end(): Promise<void>
}

interface Given {
  readonly local?: string
  readonly remote?: string
  readonly basePath?: string
  readonly exclusions?: Exclusions
}

/** Two folders, as a laptop and a container have them. */
async function synced(given: Given = {}): Promise<Pair> {
  const { local = temporaryRoot(), remote = temporaryRoot(), exclusions = OURS } = given
  const here = await servedReplica(local, openDirectory, { orders: LAPTOP })
  const there = await servedReplica(remote, openDirectory, {
    orders: { rules: here.rules ?? noRules, reads: [] },
  })
  const base = openBaseStore(given.basePath ?? join(temporaryRoot(), 'base'))
  bindBase(base, { container: 'c', local: here.info, remote: there.info, isSuccessor: false })
  const parts = { local: here, remote: there, base, exclusions, settleMs: 1 }
  const session = startSession({ ...parts, mode: 'two-way-safe' })
  const end = async () => {
    await session.stop()
    base.close()
    await here.close()
    await there.close()
  }
  onTestFinished(end)
  return { local, remote, here, there, base, session, end }
}

async function settled({ here, there, session }: Pair): Promise<SessionStatus> {
  for (let i = 0; i < 3; i++) {
    await Promise.all([here.rescan('all'), there.rescan('all')])
    await session.settled()
  }
  return session.status
}

function fill(root: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), content)
  }
}

function listing(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' }).sort()
}

/** The rule file on the laptop says this from now on, and both sides have heard of it. */
async function rule(pair: Pair, text: string): Promise<SessionStatus> {
  writeFileSync(join(pair.local, '.ksyncignore'), text)
  await eventually(
    pair.here,
    () => (pair.here.rules?.files.find(({ directory }) => directory === '')?.text ?? '') === text,
  )
  return settled(pair)
}

describe('what is ignored', () => {
  test('does not travel, whichever side has it', async () => {
    const pair = await synced()
    fill(pair.local, {
      '.ksyncignore': 'node_modules/\n*.log\n',
      'src/a.ts': '1',
      'node_modules/x/index.js': 'x',
    })
    await settled(pair)
    fill(pair.remote, {
      'node_modules/y/index.js': 'y',
      'src/out.log': 'z',
      '.git/hooks/post-checkout': 'evil',
    })
    fill(pair.local, { 'src/b.ts': '2' })
    const status = await settled(pair)
    expect([status.conflicts, status.problems]).toEqual([[], []])
    expect(listing(pair.remote).filter((path) => path.endsWith('x') || path.endsWith('.ts'))).toEqual([
      'src/a.ts',
      'src/b.ts',
    ])
    expect(existsSync(join(pair.local, 'node_modules/y'))).toBe(false)
    expect(existsSync(join(pair.local, 'src/out.log'))).toBe(false)
    expect(existsSync(join(pair.local, '.git'))).toBe(false)
    expect(nodeAt(pair.there.tree, 'node_modules')).toBeUndefined()
  })

  test('keeps the directory that the other side removed, until it is gone', async () => {
    const pair = await synced()
    fill(pair.local, { '.ksyncignore': 'dist/\n', 'pkg/deep/a.ts': '1', 'other/b.ts': '2' })
    await settled(pair)
    fill(pair.remote, { 'pkg/deep/dist/out.js': 'built' })
    await settled(pair)
    rmSync(join(pair.local, 'pkg'), { recursive: true })
    const status = await settled(pair)
    expect([status.phase, status.conflicts, status.problems]).toEqual(['in-sync', [], []])
    expect(listing(join(pair.remote, 'pkg'))).toEqual(['deep', 'deep/dist', 'deep/dist/out.js'])
    expect(existsSync(join(pair.local, 'pkg'))).toBe(false)
    rmSync(join(pair.remote, 'pkg/deep/dist'), { recursive: true })
    await eventually(pair.there, () => nodeAt(pair.there.tree, 'pkg') === undefined)
    await settled(pair)
    expect(existsSync(join(pair.remote, 'pkg'))).toBe(false)
    expect(existsSync(join(pair.local, 'pkg'))).toBe(false)
  })

  test('keeps it over a restart as well', async () => {
    const basePath = join(temporaryRoot(), 'base')
    const first = await synced({ basePath })
    fill(first.local, { '.ksyncignore': 'x\n', 'pkg/.ksyncignore': 'dist/\n', 'pkg/a.ts': '1', other: '2' })
    await settled(first)
    fill(first.remote, { 'pkg/dist/out.js': 'built' })
    await settled(first)
    // With the directory goes its rule file; what that ignored over there is ignored still.
    rmSync(join(first.local, 'pkg'), { recursive: true })
    await settled(first)
    expect(listing(join(first.remote, 'pkg'))).toEqual(['dist', 'dist/out.js'])
    await first.end()
    const second = await synced({ ...first, basePath })
    await settled(second)
    expect(existsSync(join(second.local, 'pkg'))).toBe(false)
    expect(listing(join(second.remote, 'pkg'))).toEqual(['dist', 'dist/out.js'])
    // Made anew, and without the rule, it is a directory like any other.
    fill(second.local, { 'pkg/new.ts': '3' })
    await settled(second)
    expect(readFileSync(join(second.local, 'pkg/dist/out.js'), 'utf8')).toBe('built')
  })

  test('is not removed to make room for a file', async () => {
    const pair = await synced()
    fill(pair.local, { '.ksyncignore': '*.log\n', 'd/a': '1', other: '2' })
    await settled(pair)
    fill(pair.remote, { 'd/x.log': 'kept' })
    await settled(pair)
    rmSync(join(pair.local, 'd'), { recursive: true })
    fill(pair.local, { d: 'a file' })
    const { conflicts } = await settled(pair)
    expect(conflicts.map(({ path }) => path)).toEqual(['d'])
    expect(listing(join(pair.remote, 'd'))).toEqual(['a', 'x.log'])
  })
})

describe('rules that change', () => {
  test('take what they ignore out of both sides and the base, and delete nothing', async () => {
    const pair = await synced()
    fill(pair.local, { 'build/a': '1', 'build/b': '2', 'src/c': '3' })
    await settled(pair)
    await rule(pair, 'build/\n')
    expect(nodeAt(pair.base.tree, 'build')).toBeUndefined()
    expect([pair.here, pair.there].map(({ tree }) => nodeAt(tree, 'build'))).toEqual([undefined, undefined])
    rmSync(join(pair.local, 'build'), { recursive: true })
    fill(pair.remote, { 'build/a': 'by the container' })
    await settled(pair)
    expect(listing(pair.remote)).toEqual(['.ksyncignore', 'build', 'build/a', 'build/b', 'src', 'src/c'])
    expect(listing(pair.local)).toEqual(['.ksyncignore', 'src', 'src/c'])
  })

  test('have what is not ignored any more meet as for the first time', async () => {
    const pair = await synced()
    fill(pair.local, { 'x/same': '1', 'x/differs': '2', 'x/gone here': '3', y: '4' })
    await settled(pair)
    await rule(pair, 'x/\n')
    fill(pair.local, { 'x/differs': 'here', 'x/new here': '5' })
    fill(pair.remote, { 'x/differs': 'there', 'x/new there': '6' })
    unlinkSync(join(pair.local, 'x/gone here'))
    await settled(pair)
    const status = await rule(pair, '# nothing\n')
    expect(status.conflicts.map(({ path }) => path)).toEqual(['x/differs'])
    expect(listing(join(pair.local, 'x'))).toEqual(['differs', 'gone here', 'new here', 'new there', 'same'])
    expect(listing(join(pair.remote, 'x'))).toEqual(listing(join(pair.local, 'x')))
    expect([pair.local, pair.remote].map((root) => readFileSync(join(root, 'x/differs'), 'utf8'))).toEqual([
      'here',
      'there',
    ])
  })

  test('ignore everything, and that is no deletion', async () => {
    const pair = await synced()
    const files = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`d${i % 5}/f${i}`, `${i}`]))
    fill(pair.local, files)
    await settled(pair)
    const before = listing(pair.remote)
    const status = await rule(pair, '*\n')
    expect(status).toMatchObject({ phase: 'in-sync', conflicts: [], problems: [] })
    expect(listing(pair.remote)).toEqual(before)
    expect((await rule(pair, 'nothing\n')).conflicts).toEqual([])
    expect(listing(pair.remote).filter((path) => path !== '.ksyncignore')).toEqual(before)
  })

  test('that a container writes change nothing here', async () => {
    const pair = await synced()
    fill(pair.local, { '.ksyncignore': '.env\n', '.env': 'secret', 'a/b': '1' })
    await settled(pair)
    fill(pair.remote, { '.ksyncignore': '', 'a/.ksyncignore': '*\n' })
    const status = await settled(pair)
    expect([status.phase, status.conflicts]).toEqual(['in-sync', []])
    expect(existsSync(join(pair.remote, '.env'))).toBe(false)
    expect(readFileSync(join(pair.local, '.ksyncignore'), 'utf8')).toBe('.env\n')
    expect(existsSync(join(pair.local, 'a/.ksyncignore'))).toBe(false)
  })

  test('while nothing runs leave the base where they ignore, and nowhere else', async () => {
    const basePath = join(temporaryRoot(), 'base')
    const first = await synced({ basePath })
    fill(first.local, { 'a/x': '1', 'b/y': '2' })
    await settled(first)
    await first.end()
    fill(first.local, { '.ksyncignore': 'a/\n' })
    rmSync(join(first.local, 'a'), { recursive: true })
    unlinkSync(join(first.local, 'b/y'))
    const second = await synced({ ...first, basePath })
    await settled(second)
    // The one was deleted, the other is nobody's business any more.
    expect(listing(second.remote)).toEqual(['.ksyncignore', 'a', 'a/x', 'b'])
    expect(digestOfRules(second.base.rules ?? noRules)).toBe(digestOfRules(second.here.rules ?? noRules))
  })

  test('have nothing to say of a base that was stored before there were any', async () => {
    const first = await synced()
    fill(first.local, { 'a/x': '1', b: '2', '.git/config': '3' })
    await settled(first)
    const basePath = join(temporaryRoot(), 'old')
    const old = openBaseStore(basePath)
    if (first.base.identity === undefined) throw new Error('it was never bound')
    old.reset(first.base.identity, 'merge')
    old.commit([...walk(first.base.tree), ['.git', { kind: 'directory' }]])
    old.close()
    await first.end()
    const second = await synced({ ...first, basePath })
    expect((await settled(second)).applied).toEqual({ local: 0, remote: 0 })
    expect([...walk(second.base.tree)].map(([path]) => path).sort()).toEqual(['a', 'a/x', 'b'])
  })

  test('whatever they are and whatever happens meanwhile: nothing is lost, and both sides agree in the end', async () => {
    const names = ['a', 'b', 'c.log', 'd/a', 'd/b.log', 'd/e/f', 'x/.ksyncignore']
    const text = fc.constantFrom('', 'a\n', '*.log\n', 'd/\n', '*\n!d\n', '!*.log\n', 'e/\n')
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('write' as const),
        side: fc.constantFrom('local' as const, 'remote' as const),
        path: fc.constantFrom(...names),
      }),
      fc.record({ kind: fc.constant('rules' as const), text, directory: fc.constantFrom('', 'd/') }),
      fc.record({ kind: fc.constant('wait' as const), turns: fc.nat(20) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
        const pair = await synced()
        const written = { local: new Map<string, string>(), remote: new Map<string, string>() }
        let count = 0
        for (const one of steps) {
          if (one.kind === 'wait')
            for (let i = 0; i < one.turns; i++) await new Promise((resolve) => setImmediate(resolve))
          else if (one.kind === 'rules') fill(pair.local, { [`${one.directory}.ksyncignore`]: one.text })
          else {
            const content = `${one.side} ${count++}`
            fill(pair[one.side], { [one.path]: content })
            written[one.side].set(one.path, content)
            // What the other side wrote before may be replaced by this.
            if (one.path !== 'x/.ksyncignore')
              written[one.side === 'local' ? 'remote' : 'local'].delete(one.path)
          }
        }
        const { conflicts } = await quiet(pair)
        const excused = conflicts.map(({ path }) => path)
        for (const side of ['local', 'remote'] as const) {
          for (const [path, content] of written[side]) {
            const versions = [pair.local, pair.remote].map((root) => contentOf(root, path))
            expect([path, versions.includes(content)]).toEqual([path, true])
          }
        }
        expect(digestOfRules(pair.there.rules ?? noRules)).toBe(digestOfRules(pair.here.rules ?? noRules))
        const [here, there] = [pair.here, pair.there].map(
          ({ tree }) => new Set([...walk(tree)].map(([path]) => path)),
        )
        for (const path of new Set([...(here ?? []), ...(there ?? [])])) {
          if (excused.includes(path) || path.endsWith('.ksyncignore')) continue
          expect([path, here?.has(path)]).toEqual([path, there?.has(path)])
          if (path.includes('.log') || path.endsWith('f') || /^[ab]$/.test(path)) {
            expect([path, contentOf(pair.local, path)]).toEqual([path, contentOf(pair.remote, path)])
          }
        }
        await pair.end()
      }),
      { numRuns: 10, interruptAfterTimeLimit: 15_000 },
    )
  }, 60_000)
})

test('what is ignored all the time is never touched, whatever happens around it', async () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('write' as const),
      side: fc.constantFrom('local' as const, 'remote' as const),
      path: fc.constantFrom('d/a', 'd/e/b', 'c', 'd/.ksyncignore', 'd/e/.ksyncignore'),
      content: fc.constantFrom('x\n', 'e/\n', 'b\n', '!x\n'),
    }),
    fc.record({
      kind: fc.constant('remove' as const),
      side: fc.constantFrom('local' as const, 'remote' as const),
      path: fc.constantFrom('d/a', 'd/e', 'd', 'd/.ksyncignore'),
    }),
    fc.record({ kind: fc.constant('wait' as const), turns: fc.nat(30) }),
    fc.record({ kind: fc.constant('settle' as const) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      const pair = await synced()
      const kept = { 'd/e/kept.log': 'of the container', 'd/kept.log': 'too' }
      fill(pair.local, { '.ksyncignore': '*.log\n', other: '1', 'd/e/b': '2' })
      await settled(pair)
      fill(pair.remote, kept)
      for (const one of steps) {
        if (one.kind === 'wait')
          for (let i = 0; i < one.turns; i++) await new Promise((resolve) => setImmediate(resolve))
        else if (one.kind === 'settle') await settled(pair)
        else if (one.kind === 'write') fill(pair[one.side], { [one.path]: one.content })
        else if (one.side === 'local') rmSync(join(pair.local, one.path), { recursive: true, force: true })
        // Whoever removes the directory there removes what is ignored in it.
        else
          rmSync(join(pair.remote, one.path.startsWith('d/') && one.path !== 'd/e' ? one.path : 'd/a'), {
            force: true,
          })
      }
      const { phase } = await quiet(pair)
      expect(phase).toBe('in-sync')
      for (const [path, content] of Object.entries(kept)) expect(contentOf(pair.remote, path)).toBe(content)
      expect(listing(pair.local).filter((path) => path.endsWith('.log'))).toEqual([])
      await pair.end()
    }),
    { numRuns: 6, interruptAfterTimeLimit: 10_000 },
  )
}, 60_000)

/** Rules that are gone hold on for half a second: after it nothing changes any more. */
async function quiet(pair: Pair): Promise<SessionStatus> {
  await new Promise((resolve) => setTimeout(resolve, 550))
  return settled(pair)
}

function contentOf(root: string, path: string): string | undefined {
  const at = join(root, path)
  return existsSync(at) ? readFileSync(at, 'utf8') : undefined
}

describe('what travels one way only', () => {
  test('is not sent, not brought, or neither, and that is no conflict', async () => {
    const exclusions = { upload: ['/secrets/', '*.local'], download: ['/cache/', '*.local'] }
    const pair = await synced({ exclusions })
    fill(pair.local, { 'secrets/key': '1', 'cache/warm': '2', 'my.local': '3', a: '4' })
    fill(pair.remote, { 'secrets/token': '5', 'cache/hot': '6', 'its.local': '7', b: '8' })
    const status = await settled(pair)
    expect([status.conflicts, status.problems]).toEqual([[], []])
    expect(listing(pair.local)).toEqual([
      'a',
      'b',
      'cache',
      'cache/warm',
      'my.local',
      'secrets',
      'secrets/key',
      'secrets/token',
    ])
    expect(listing(pair.remote)).toEqual([
      'a',
      'b',
      'cache',
      'cache/hot',
      'cache/warm',
      'its.local',
      'secrets',
      'secrets/token',
    ])
    fill(pair.local, { 'secrets/token': 'changed here' })
    fill(pair.remote, { 'cache/warm': 'changed there' })
    expect((await settled(pair)).conflicts).toEqual([])
    expect(contentOf(pair.remote, 'secrets/token')).toBe('5')
    expect(contentOf(pair.local, 'cache/warm')).toBe('2')
  })

  test('is not removed with the directory that it is in', async () => {
    const pair = await synced({ exclusions: { upload: [], download: ['keep'] } })
    fill(pair.local, { 'd/keep': '1', 'd/other': '2', e: '3' })
    await settled(pair)
    rmSync(join(pair.remote, 'd'), { recursive: true })
    await settled(pair)
    expect(listing(pair.local)).toEqual(['d', 'd/keep', 'e'])
    expect(listing(pair.remote)).toEqual(['d', 'd/keep', 'e'])
    rmSync(join(pair.remote, 'd'), { recursive: true })
    fill(pair.remote, { d: 'a file' })
    expect((await settled(pair)).conflicts.map(({ path }) => path)).toEqual(['d'])
    expect(contentOf(pair.local, 'd/keep')).toBe('1')
  })
})
