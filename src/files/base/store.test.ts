import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { applyDelta, walk } from '../delta.ts'
import { anyDigest, anyStamp } from '../testing/arbitrary.ts'
import type { BaseEntry, BaseTree, BaseUpdate } from './base.ts'
import { emptyBase } from './base.ts'
import type { Disk } from './disk.ts'
import { nodeDisk } from './disk.ts'
import type { Identity } from './image.ts'
import type { BaseStore } from './store.ts'
import { openBaseStore } from './store.ts'

const identity: Identity = { container: 'pod/id', localRoot: '1:2', remoteRoot: '3:4', storage: 'container' }
const stamp = { mtimeMs: 1.5, ctimeMs: 2.5, ino: 3, size: 4, mode: 0o100644 }
const file = (content: string): BaseEntry => ({
  kind: 'file',
  digest: content.repeat(32).slice(0, 32),
  executable: false,
  local: stamp,
  remote: { ...stamp, ino: 5 },
})
const directory: BaseEntry = { kind: 'directory' }

let root: string
let path: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'base-'))
  path = join(root, 'sessions', 'one.base')
})
afterEach(() => rmSync(root, { recursive: true }))

function opened(): BaseStore {
  const store = openBaseStore(path)
  store.reset(identity, 'merge')
  return store
}

const anyBaseEntry: fc.Arbitrary<BaseEntry> = fc.oneof(
  fc.record({
    kind: fc.constant('file' as const),
    digest: anyDigest,
    executable: fc.boolean(),
    local: anyStamp,
    remote: anyStamp,
  }),
  fc.record({ kind: fc.constant('symlink' as const), target: fc.constantFrom('x', '../ü') }),
)

/** Updates of two directories, which are always there. */
const anyUpdates: fc.Arbitrary<BaseUpdate[]> = fc
  .array(fc.tuple(fc.constantFrom('a/x', 'a/ü\n', 'b/x'), fc.option(anyBaseEntry, { nil: null })))
  .map((updates): BaseUpdate[] => [['a', directory], ['b', directory], ...updates])

describe('a base store', () => {
  test('remembers what was ignored, in its log and in its snapshot', () => {
    const store = opened()
    expect(store.rules).toBeUndefined()
    const rules = {
      patterns: ['*.log'],
      vcs: true,
      files: [{ directory: 'a', kind: 'gitignore', text: 'x\n' }],
    } as const
    store.setRules({ ...rules, patterns: [] })
    store.commit([['a', directory]])
    store.setRules(rules)
    store.close()
    const log = openBaseStore(path)
    expect([log.rules, [...walk(log.tree)]]).toEqual([rules, [['a', directory]]])
    const many = Array.from({ length: 20_000 }, (_, i): BaseUpdate => [`f${i}`, file('x')])
    log.commit(many)
    log.commit([['g', file('y')]])
    log.commit([['h', file('z')]])
    log.close()
    const snapshot = openBaseStore(path)
    expect(snapshot.rules).toEqual(rules)
    snapshot.reset(identity, 'merge')
    expect(snapshot.rules).toBeUndefined()
    snapshot.close()
  })

  test('is empty and bound to nothing before its first reset', () => {
    const store = openBaseStore(path)
    expect(store.tree).toEqual(emptyBase)
    expect(store.identity).toBeUndefined()
    expect(() => store.commit([['a', directory]])).toThrow()
  })

  test('holds, opened again, what was committed', () => {
    fc.assert(
      fc.property(fc.array(anyUpdates, { maxLength: 4 }), (commits) => {
        const store = opened()
        let tree: BaseTree = emptyBase
        for (const updates of commits) {
          store.commit(updates)
          tree = applyDelta(tree, updates) ?? emptyBase
        }
        store.close()
        const again = openBaseStore(path)
        expect(new Map(walk(again.tree))).toEqual(new Map(walk(tree)))
        expect(again.identity).toEqual(identity)
        again.close()
      }),
      { numRuns: 50 },
    )
  })

  test('remembers that a fresh container is being seeded until that is done', () => {
    const store = openBaseStore(path)
    store.reset(identity, 'seed')
    store.close()
    const again = openBaseStore(path)
    expect(again.firstContact).toBe('seed')
    again.settle()
    expect(again.firstContact).toBe('over')
    again.close()
    const third = openBaseStore(path)
    expect(third.firstContact).toBe('over')
    third.close()
  })

  test('a reset forgets what was agreed on with another container', () => {
    const store = opened()
    store.commit([['a', directory]])
    store.reset({ ...identity, container: 'other' }, 'seed')
    expect(store.tree).toEqual(emptyBase)
    store.commit([['b', directory]])
    store.close()
    const again = openBaseStore(path)
    expect([...walk(again.tree)]).toEqual([['b', directory]])
    expect(again.identity?.container).toBe('other')
    again.close()
  })

  test('is readable by this user only', () => {
    opened().close()
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(join(root, 'sessions')).mode & 0o777).toBe(0o700)
  })

  test('does not grow with what was forgotten, and loses nothing by that', () => {
    const store = opened()
    const many = Array.from({ length: 1000 }, (_, i): BaseUpdate => [`file ${i}`, file('x')])
    for (let round = 0; round < 30; round++) store.commit(many)
    store.commit([['last', file('y')]])
    store.close()
    expect(statSync(path).size).toBeLessThan(2_000_000)
    const again = openBaseStore(path)
    expect([...walk(again.tree)].length).toBe(1001)
    again.close()
  })
})

describe('a file that cannot be used', () => {
  function expectSetAside(reason: RegExp): void {
    const store = openBaseStore(path)
    expect(store.tree).toEqual(emptyBase)
    expect(store.identity).toBeUndefined()
    expect(store.setAside?.reason).toMatch(reason)
    store.reset(identity, 'merge')
    store.close()
  }

  test('is set aside, each under a name of its own, and said', () => {
    mkdirSync(join(root, 'sessions'))
    writeFileSync(path, 'something else')
    expectSetAside(/no base/)
    writeFileSync(path, '')
    expectSetAside(/no base/)
    expect(readdirSync(join(root, 'sessions')).sort()).toEqual([
      'one.base',
      'one.base.damaged-1',
      'one.base.damaged-2',
    ])
    expect(readFileSync(`${path}.damaged-1`, 'utf8')).toBe('something else')
  })

  test('is one of another version', () => {
    opened().close()
    const bytes = readFileSync(path)
    bytes[9] = 1
    writeFileSync(path, bytes)
    expectSetAside(/version 1/)
  })

  test('is one whose snapshot has a single wrong bit, wherever', () => {
    const store = opened()
    const updates: BaseUpdate[] = [['a', file('x')]]
    store.commit(updates)
    store.reset(identity, 'merge')
    store.close()
    const good = readFileSync(path)
    for (let at = 0; at < good.length; at++) {
      const bytes = Buffer.from(good)
      bytes[at] = (bytes[at] ?? 0) ^ 4
      writeFileSync(path, bytes)
      expectSetAside(/./)
    }
  })

  test('is said by its path when it may not be read', () => {
    const denied: Disk = {
      ...nodeDisk,
      read: () => {
        throw new Error('permission denied')
      },
    }
    expect(() => openBaseStore(path, denied)).toThrow(`${path}: permission denied`)
  })
})

describe('a long log', () => {
  const many = (content: string) =>
    Array.from({ length: 8000 }, (_, index): BaseUpdate => [`file-${index}`, file(content)])

  test('is a snapshot once it is closed, and says the same', () => {
    const store = opened()
    for (const content of ['1', '2']) store.commit(many(content))
    const [before, wanted] = [statSync(path).size, [...walk(store.tree)]]
    store.close()
    expect(statSync(path).size).toBeLessThan(before * 0.6)
    const again = openBaseStore(path)
    expect(new Map(walk(again.tree))).toEqual(new Map(wanted))
    again.close()
  })

  test('is left as it is where there is no room for a snapshot', () => {
    const full: Disk = {
      ...nodeDisk,
      write(fd, bytes) {
        if (isFull && bytes.length > 1_000_000) throw new Error('ENOSPC')
        nodeDisk.write(fd, bytes)
      },
    }
    let isFull = false
    const store = openBaseStore(path, full)
    store.reset(identity, 'merge')
    store.commit(many('1').slice(0, 100))
    for (const part of [0, 2000, 4000, 6000]) store.commit(many('2').slice(part, part + 2000))
    isFull = true
    const wanted = [...walk(store.tree)]
    store.close()
    const again = openBaseStore(path)
    expect(new Map(walk(again.tree))).toEqual(new Map(wanted))
    again.close()
  })
})

describe('a log that ends in the middle', () => {
  test('is, cut off at any byte, the base of some moment before, and goes on from there', () => {
    const store = opened()
    const moments: string[] = []
    const remember = (tree: BaseTree) => moments.push(JSON.stringify([...walk(tree)]))
    remember(store.tree)
    const start = statSync(path).size
    for (const content of ['1', '2', '3']) {
      store.commit([
        ['a', file(content)],
        [content, file(content)],
      ])
      remember(store.tree)
    }
    store.close()
    const whole = readFileSync(path)
    for (let end = start; end <= whole.length; end++) {
      writeFileSync(path, whole.subarray(0, end))
      const cut = openBaseStore(path)
      expect(cut.setAside).toBeUndefined()
      expect(moments).toContain(JSON.stringify([...walk(cut.tree)]))
      cut.commit([['after', file('4')]])
      const now = [...walk(cut.tree)]
      cut.close()
      const again = openBaseStore(path)
      expect([...walk(again.tree)]).toEqual(now)
      again.close()
    }
  })

  test('may end in zeros, as after a loss of power', () => {
    const store = opened()
    store.commit([['a', file('1')]])
    store.close()
    writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.alloc(100)]))
    const again = openBaseStore(path)
    expect([...walk(again.tree)]).toEqual([['a', file('1')]])
    expect(again.setAside).toBeUndefined()
    again.close()
  })
})

/** A disk that stops for good at the given call, which is carried out to that share of it. */
function dyingDisk(callsLeft: number, share: number): Disk {
  let left = callsLeft
  const guarded = <A extends unknown[], R>(call: (...args: A) => R, dying?: (...args: A) => void) => {
    return (...args: A): R => {
      if (left === 0) dying?.(...args)
      left = Math.max(-1, left - 1)
      if (left < 0) throw new Error('killed')
      return call(...args)
    }
  }
  return {
    read: nodeDisk.read,
    exists: nodeDisk.exists,
    open: guarded(nodeDisk.open, (...args) => share > 0.5 && nodeDisk.close(nodeDisk.open(...args))),
    write: guarded(nodeDisk.write, (fd, bytes) =>
      nodeDisk.write(fd, bytes.subarray(0, Math.floor(bytes.length * share))),
    ),
    truncate: guarded(nodeDisk.truncate),
    sync: guarded(nodeDisk.sync),
    close: nodeDisk.close,
    rename: guarded(nodeDisk.rename, (...args) => share > 0.5 && nodeDisk.rename(...args)),
    makeDirectory: guarded(nodeDisk.makeDirectory),
  }
}

describe('kill -9', () => {
  const big = Array.from({ length: 12_000 }, (_, i): BaseUpdate => [`file ${i}`, file(`${i % 10}`)])
  const steps: ((store: BaseStore) => void)[] = [
    (store) => store.reset(identity, 'seed'),
    (store) => store.commit([['first', file('1')]]),
    (store) => store.commit(big),
    (store) => store.commit([['second', file('2')]]),
    (store) => store.commit(big),
    (store) => store.commit([['third', file('3')]]),
    (store) => store.settle(),
  ]
  const show = (store: BaseStore) =>
    `${store.identity?.container} ${store.firstContact} ${[...walk(store.tree)].length}`

  test('at any moment leaves what was committed, with or without what was being committed', () => {
    const healthy = openBaseStore(path)
    const states = [show(healthy)]
    for (const step of steps) {
      step(healthy)
      states.push(show(healthy))
    }
    healthy.close()
    const shares = [0, 0.3, 0.9, 1]
    let done = 0
    for (let calls = 0; done < steps.length; calls++) {
      for (const share of shares) {
        rmSync(join(root, 'sessions'), { recursive: true })
        done = stepsUntilDeath(dyingDisk(calls, share))
        const again = openBaseStore(path)
        expect(again.setAside).toBeUndefined()
        expect(states.slice(done, done + 2)).toContain(show(again))
        again.close()
        mkdirSync(join(root, 'sessions'), { recursive: true })
      }
    }
  })

  function stepsUntilDeath(disk: Disk): number {
    const store = openBaseStore(path, disk)
    let done = 0
    try {
      for (const step of steps) {
        step(store)
        if (store.unsaved !== undefined) break
        done++
      }
    } catch {
      // Killed before there was a base.
    }
    store.close()
    return done
  }
})

describe('a full disk', () => {
  test('is said, keeps nothing half-written, and is made up for as soon as there is room', () => {
    let full = false
    const disk: Disk = {
      ...nodeDisk,
      write(fd, bytes) {
        if (!full) return nodeDisk.write(fd, bytes)
        nodeDisk.write(fd, bytes.subarray(0, 5))
        throw new Error('no space left on device')
      },
    }
    const store = openBaseStore(path, disk)
    store.reset(identity, 'merge')
    store.commit([['a', file('1')]])
    full = true
    store.commit([['b', file('2')]])
    expect(store.unsaved).toBe('no space left on device')
    expect([...(openBaseStore(path).tree.children?.keys() ?? [])]).toEqual(['a'])
    expect([...walk(store.tree)].length).toBe(2)
    full = false
    store.commit([['c', file('3')]])
    expect(store.unsaved).toBeUndefined()
    store.close()
    expect([...walk(openBaseStore(path).tree)].map(([name]) => name)).toEqual(['a', 'b', 'c'])
  })

  test('before anything could be written is an error that names the file', () => {
    const disk: Disk = {
      ...nodeDisk,
      write() {
        throw new Error('no space left on device')
      },
    }
    expect(() => openBaseStore(path, disk).reset(identity, 'merge')).toThrow(
      `${path}: no space left on device`,
    )
  })
})
