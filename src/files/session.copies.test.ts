import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { bindBase } from './base/bind.ts'
import { openBaseStore } from './base/store.ts'
import type { Replica } from './replica/replica.ts'
import { noise } from './replica/testing/noise.ts'
import { temporaryRoot } from './replica/testing/roots.ts'
import { servedReplica } from './replica/testing/served.ts'
import { type Session, startSession } from './session.ts'

/** Two folders in step, and how many bytes of content went between them. */
interface Pair {
  readonly local: string
  readonly remote: string
  readonly session: Session
  sent: number
  settle(): Promise<void>
}

async function synced(fill: (root: string) => void): Promise<Pair> {
  const [local, remote] = [temporaryRoot(), temporaryRoot()]
  fill(local)
  const count = (bytes: number) => {
    pair.sent += bytes
  }
  const replicas = [
    counted(await servedReplica(local), count),
    counted(await servedReplica(remote), count),
  ] as const
  const base = openBaseStore(join(temporaryRoot(), 'base'))
  bindBase(base, { container: 'c', local: replicas[0].info, remote: replicas[1].info, isSuccessor: false })
  const session = startSession({
    ...{ local: replicas[0], remote: replicas[1], base },
    ...{ mode: 'two-way-safe', settleMs: 50 },
  })
  onTestFinished(async () => {
    await session.stop()
    base.close()
  })
  const settle = async () => {
    await Promise.all(replicas.map((replica) => replica.rescan('all')))
    expect((await session.settled()).phase).toBe('in-sync')
    expect(session.status.problems).toEqual([])
  }
  const pair: Pair = { local, remote, session, sent: 0, settle }
  await settle()
  pair.sent = 0
  return pair
}

function counted(replica: Replica, count: (bytes: number) => void): Replica {
  return new Proxy(replica, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key)
      if (typeof value !== 'function') return value
      if (key !== 'read') return value.bind(target)
      return (...args: Parameters<Replica['read']>) => {
        const content = target.read(...args)
        content.on('data', (chunk: Buffer) => count(chunk.length))
        return content.pause()
      }
    },
  })
}

/** Path -> content. */
function contents(root: string): Record<string, string> {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).sort()
  const files = names.filter((name) => statSync(join(root, name)).isFile())
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(root, name), 'latin1')]))
}

function fillMany(root: string): void {
  for (let i = 0; i < 1000; i++) {
    const directory = join(root, 'a', `d${i % 20}`)
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, `f${i}`), `content ${i}`)
  }
}

async function inSync(pair: Pair): Promise<void> {
  await pair.settle()
  expect(contents(pair.remote)).toEqual(contents(pair.local))
}

describe.each(['local', 'remote'] as const)('on the %s side, and no content is sent:', (side) => {
  test('a directory of a thousand files is renamed', async () => {
    const pair = await synced(fillMany)
    renameSync(join(pair[side], 'a'), join(pair[side], 'b'))
    await inSync(pair)
    expect(readdirSync(pair.remote)).toEqual(['b'])
    expect(pair.sent).toBe(0)
  })

  test('it is copied', async () => {
    const pair = await synced(fillMany)
    cpSync(join(pair[side], 'a'), join(pair[side], 'b'), { recursive: true })
    await inSync(pair)
    expect(pair.sent).toBe(0)
  })

  test('a large file is renamed into a new directory', async () => {
    const pair = await synced((root) => writeFileSync(join(root, 'large'), noise(9_000_000, 'large')))
    mkdirSync(join(pair[side], 'in/here'), { recursive: true })
    renameSync(join(pair[side], 'large'), join(pair[side], 'in/here/it is'))
    await inSync(pair)
    expect(pair.sent).toBe(0)
  })

  test('a large file takes the place of another', async () => {
    const pair = await synced((root) => {
      for (const name of ['a', 'b']) writeFileSync(join(root, name), noise(5_000_000, name))
    })
    renameSync(join(pair[side], 'a'), join(pair[side], 'b'))
    await inSync(pair)
    expect(pair.sent).toBe(0)
  })
})

describe('a copy', () => {
  test('is of what the file was when it was copied, though both change at once', async () => {
    const pair = await synced((root) => writeFileSync(join(root, 'a'), 'first'))
    cpSync(join(pair.local, 'a'), join(pair.local, 'b'))
    writeFileSync(join(pair.local, 'a'), 'other')
    await inSync(pair)
    expect(contents(pair.remote)).toEqual({ a: 'other', b: 'first' })
  })

  test('of what the other side is changing is sent', async () => {
    const pair = await synced((root) => writeFileSync(join(root, 'a'), 'first'))
    cpSync(join(pair.local, 'a'), join(pair.local, 'b'))
    writeFileSync(join(pair.remote, 'a'), 'other')
    await inSync(pair)
    expect(contents(pair.remote)).toEqual({ a: 'other', b: 'first' })
  })

  test('with the same time and size as another file has its own content', async () => {
    const pair = await synced((root) => writeFileSync(join(root, 'a'), 'first'))
    writeFileSync(join(pair.local, 'b'), 'other')
    const { atime, mtime } = statSync(join(pair.local, 'a'))
    utimesSync(join(pair.local, 'b'), atime, mtime)
    await inSync(pair)
    expect(contents(pair.remote)).toEqual({ a: 'first', b: 'other' })
  })

  test('that is one of two files that change places is right', async () => {
    const pair = await synced((root) => {
      for (const name of ['a', 'b']) writeFileSync(join(root, name), noise(5_000_000, name))
    })
    const at = (name: string) => join(pair.local, name)
    renameSync(at('a'), at('x'))
    renameSync(at('b'), at('a'))
    renameSync(at('x'), at('b'))
    await inSync(pair)
  })

  test('takes the place of a directory that it was in, and the other way round', async () => {
    const pair = await synced((root) => {
      mkdirSync(join(root, 'd'))
      writeFileSync(join(root, 'd/a'), 'inner')
      writeFileSync(join(root, 'f'), 'outer')
    })
    renameSync(join(pair.local, 'd/a'), join(pair.local, 'x'))
    rmSync(join(pair.local, 'd'), { recursive: true })
    renameSync(join(pair.local, 'x'), join(pair.local, 'd'))
    renameSync(join(pair.local, 'f'), join(pair.local, 'x'))
    mkdirSync(join(pair.local, 'f'))
    renameSync(join(pair.local, 'x'), join(pair.local, 'f/a'))
    await inSync(pair)
    expect(contents(pair.remote)).toEqual({ d: 'inner', 'f/a': 'outer' })
  })
})

const name = fc.constantFrom('a', 'b', 'c', 'd/a', 'd/b', 'e/d/a', 'd', 'e')
interface Act {
  readonly do: string
  readonly side: 'local' | 'remote'
  readonly from: string
  readonly to: string
}

const act: fc.Arbitrary<Act> = fc.record({
  do: fc.constantFrom('move', 'copy', 'write', 'remove'),
  side: fc.constantFrom('local' as const, 'remote' as const),
  from: name,
  to: name,
})

/** What a person does; what makes no sense is not done. */
function carryOut(root: string, { do: what, from, to }: Act, content: string): void {
  try {
    mkdirSync(join(root, to, '..'), { recursive: true })
    if (what === 'move') renameSync(join(root, from), join(root, to))
    else if (what === 'copy') cpSync(join(root, from), join(root, to), { recursive: true })
    else if (what === 'write') writeFileSync(join(root, to), content)
    else rmSync(join(root, to), { recursive: true })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
  }
}

test('whatever is moved and copied on one side is the same on the other, and nothing else is lost', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 12 }), fc.boolean(), async (acts, isLocal) => {
      const pair = await synced((root) => {
        for (const path of ['a', 'b', 'c']) writeFileSync(join(root, path), `same size ${path}`)
      })
      const root = isLocal ? pair.local : pair.remote
      for (const [i, one] of acts.entries()) {
        carryOut(root, one, `same size ${i % 3}`)
        if (i % 4 === 3) await new Promise((resolve) => setImmediate(resolve))
      }
      const meant = contents(root)
      await pair.settle().catch(() => {})
      if (pair.session.status.phase === 'halted') return
      expect(contents(pair.local)).toEqual(meant)
      expect(contents(pair.remote)).toEqual(meant)
      await pair.session.stop()
    }),
    { numRuns: 25 },
  )
})
