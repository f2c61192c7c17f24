import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { BaseStore } from './base/store.ts'
import { openBaseStore } from './base/store.ts'
import { walk } from './delta.ts'
import type { Contact, Mode } from './mode.ts'
import type { Session } from './session.ts'
import { startSession } from './session.ts'
import type { SessionStatus } from './status.ts'
import { FakeReplica } from './testing/fake-replica.ts'
import type { Edit } from './testing/memory-files.ts'
import { MemoryFiles } from './testing/memory-files.ts'

const write = (path: string, content: string): Edit => ({ do: 'write', path, content })
const remove = (path: string): Edit => ({ do: 'remove', path })

let root: string
let local: FakeReplica
let remote: FakeReplica
let base: BaseStore
let session: Session
let statuses: SessionStatus[]

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'session-'))
  local = new FakeReplica(new MemoryFiles(0))
  remote = new FakeReplica(new MemoryFiles(1_000_000))
  statuses = []
})
afterEach(async () => {
  await session.stop()
  base.close()
  rmSync(root, { recursive: true })
})

function start(mode: Mode = 'two-way-safe', contact: Contact = 'merge'): void {
  base = openBaseStore(join(root, 'base'))
  const identity = { container: 'c', localRoot: '1', remoteRoot: '2', storage: 's' }
  if (base.identity === undefined) base.reset(identity, contact)
  const onStatus = (status: SessionStatus) => statuses.push(status)
  session = startSession({ local, remote, base, mode, settleMs: 20, onStatus })
}

/** Both sides hold these files and say so. */
async function inSync(...edits: Edit[]): Promise<void> {
  for (const edit of edits) local.files.edit(edit)
  local.scan()
  start()
  await settledAs('in-sync')
  expect(remote.files.listing()).toEqual(local.files.listing())
  remote.asked.length = 0
  local.asked.length = 0
}

async function settledAs(phase: SessionStatus['phase']): Promise<SessionStatus> {
  const status = await session.settled()
  expect(status.phase).toBe(phase)
  return status
}

/** Edits are seen, and what follows from them is done. */
async function afterwards(phase: SessionStatus['phase'] = 'in-sync'): Promise<SessionStatus> {
  local.scan()
  remote.scan()
  return settledAs(phase)
}

const names = (replica: FakeReplica) => [...replica.files.listing().keys()].sort()
const manyFiles = (count: number) => Array.from({ length: count }, (_, i) => write(`d${i % 7}/f${i}`, `${i}`))

describe('a session', () => {
  test('makes both sides equal, says so, and agrees on it in the base', async () => {
    local.files.edit(write('a/b', '1'))
    remote.files.edit(write('c', '2'))
    local.scan()
    remote.scan()
    start()
    const status = await settledAs('in-sync')
    expect(Object.fromEntries(local.files.listing())).toEqual({
      a: 'directory',
      'a/b': 'file 1',
      c: 'file 2',
    })
    expect(remote.files.listing()).toEqual(new Map([...local.files.listing()]))
    expect(status.entries).toEqual({ local: 3, remote: 3 })
    expect(status.applied).toEqual({ local: 1, remote: 2 })
    expect([...walk(base.tree)].map(([path]) => path).sort()).toEqual(['a', 'a/b', 'c'])
    expect(statuses.map(({ phase }) => phase)).toContain('syncing')
    expect(statuses.at(-1)?.phase).toBe('in-sync')
  })

  test('sends an edit in the turn in which it is told of, and asks for nothing first', async () => {
    await inSync(write('f', 'old'))
    local.files.edit(write('f', 'new'))
    local.scan()
    await Promise.resolve()
    await Promise.resolve()
    expect(remote.asked).toEqual(['put f'])
    expect(local.asked).toEqual([])
    await settledAs('in-sync')
    expect(remote.files.listing().get('f')).toBe('file new')
    expect(remote.asked).toEqual(['put f'])
  })

  test('does nothing when it starts again on what it left', async () => {
    await inSync(...manyFiles(50))
    await session.stop()
    base.close()
    start()
    const status = await settledAs('in-sync')
    expect(status.applied).toEqual({ local: 0, remote: 0 })
    expect(remote.asked.concat(local.asked)).toEqual(['rescan ', 'rescan '])
  })

  test('does not take its own work for changes, also when the replica tells of it late', async () => {
    local.tellsLate = true
    remote.tellsLate = true
    for (const edit of manyFiles(20)) local.files.edit(edit)
    remote.files.edit(write('r/x', ''))
    local.scan()
    remote.scan()
    start()
    const status = await settledAs('in-sync')
    expect(remote.files.listing()).toEqual(new Map([...local.files.listing()]))
    expect(status.applied).toEqual({ local: 2, remote: 27 })
    expect(names(local).length).toBe(29)
  })
})

describe('while something large is under way', () => {
  test('an edit elsewhere does not wait for it', async () => {
    await inSync(write('f', 'old'))
    const gate = newGate()
    remote.hook = ({ path }) => (path === 'huge' ? gate.opened : undefined)
    local.edit(write('huge', 'huge'))
    await gate.reached(() => remote.asked.includes('put huge'))
    local.edit(write('f', 'new'))
    await gate.reached(() => remote.files.listing().get('f') === 'file new')
    expect(remote.files.listing().has('huge')).toBe(false)
    expect(session.status.phase).toBe('syncing')
    expect(session.status.progress).toMatchObject({ total: 2, done: 1, bytesTotal: 7, bytesDone: 3 })
    gate.open()
    await settledAs('in-sync')
    expect(remote.files.listing().get('huge')).toBe('file huge')
  })

  test('an edit of the same file is sent after it', async () => {
    await inSync()
    const gate = newGate()
    remote.hook = () => gate.opened
    local.edit(write('f', '1'))
    await gate.reached(() => remote.asked.includes('put f'))
    local.files.edit(write('f', '22'))
    local.scan()
    gate.open()
    await settledAs('in-sync')
    expect(remote.files.listing().get('f')).toBe('file 22')
  })

  test('what is made in a directory that is being made follows it', async () => {
    await inSync()
    const gate = newGate()
    remote.hook = ({ op }) => (op === 'mkdir' ? gate.opened : undefined)
    local.edit({ do: 'mkdir', path: 'd' })
    await gate.reached(() => remote.asked.includes('mkdir d'))
    local.files.edit(write('d/e/f', '1'))
    local.scan()
    gate.open()
    await settledAs('in-sync')
    expect(names(remote)).toEqual(['d', 'd/e', 'd/e/f'])
  })
})

describe('what moves under its hands', () => {
  test('a target that was edited meanwhile is not overwritten: conflict', async () => {
    await inSync(write('f', 'old'))
    const gate = newGate()
    remote.hook = () => gate.opened
    local.edit(write('f', 'mine'))
    await gate.reached(() => remote.asked.includes('put f'))
    remote.files.edit(write('f', 'its own'))
    gate.open()
    const status = await settledAs('in-sync')
    expect(status.conflicts.map(({ path }) => path)).toEqual(['f'])
    expect([local, remote].map((side) => side.files.listing().get('f'))).toEqual([
      'file mine',
      'file its own',
    ])
  })

  test('a directory that vanished is made again, at once', async () => {
    await inSync(write('d/f', 'old'))
    const gate = newGate()
    remote.hook = () => gate.opened
    local.edit(write('d/f', 'new'))
    await gate.reached(() => remote.asked.includes('put d/f'))
    remote.files.edit(remove('d'))
    gate.open()
    const status = await settledAs('in-sync')
    expect(status.problems).toEqual([])
    expect(remote.files.listing().get('d/f')).toBe('file new')
  })
})

describe('a path that fails', () => {
  test('is a problem of its own; the rest goes on', async () => {
    await inSync()
    remote.hook = ({ path }) => (path === 'f' ? { path, code: 'EACCES', message: 'not allowed' } : undefined)
    local.files.edit(write('f', '1'))
    local.files.edit(write('g', '2'))
    const status = await afterwards()
    expect(status.problems).toEqual([{ side: 'remote', path: 'f', code: 'EACCES', message: 'not allowed' }])
    expect(names(remote)).toEqual(['g'])
  })

  test('is not tried over and over, but again when it changes', async () => {
    await inSync()
    let isFull = true
    remote.hook = ({ path }) => (isFull ? { path, code: 'ENOSPC', message: 'the disk is full' } : undefined)
    local.files.edit(write('f', '1'))
    await afterwards()
    expect(remote.asked).toEqual(['put f'])
    isFull = false
    local.edit(write('f', '2'))
    await newGate().reached(() => remote.files.listing().get('f') === 'file 2')
    expect((await settledAs('in-sync')).problems).toEqual([])
  })

  test('a directory that cannot be made is one problem, whatever is in it', async () => {
    await inSync()
    remote.hook = ({ path, op }) =>
      op === 'mkdir' ? { path, code: 'EACCES', message: 'not allowed' } : undefined
    for (let i = 0; i < 30; i++) local.files.edit(write(`d/f${i}`, ''))
    const status = await afterwards()
    expect(status.problems.map(({ path }) => path)).toEqual(['d'])
  })

  test('a filesystem without executable bits is a problem, and no reason to try for ever', async () => {
    await inSync(write('run', ''))
    remote.files.keepsBits = false
    local.files.edit({ do: 'chmod', path: 'run' })
    const status = await afterwards()
    expect(status.problems.map(({ path, code }) => `${code} ${path}`)).toEqual(['MODE_NOT_KEPT run'])
    expect(remote.asked).toEqual(['chmod run'])
  })

  test('a replica that leaves operations unanswered does not hang the session', async () => {
    await inSync()
    remote.apply = async function* () {}
    local.files.edit(write('f', '1'))
    const status = await afterwards()
    expect(status.problems.map(({ code }) => code)).toEqual(['UNANSWERED'])
  })
})

describe('safety', () => {
  test('a missing root halts, and its return goes on', async () => {
    await inSync(...manyFiles(5))
    const gone = remote.files.root
    remote.files.root = undefined
    expect((await afterwards('halted')).halt).toBe('the remote folder is not there')
    local.files.edit(write('new', ''))
    await afterwards('halted')
    expect(names(local)).toContain('d0/f0')
    session.resume()
    await settledAs('halted')
    remote.files.root = gone
    await afterwards('in-sync')
    expect(remote.files.listing()).toEqual(new Map([...local.files.listing()]))
  })

  test('an emptied root halts; resuming deletes, if that is what was meant', async () => {
    await inSync(...manyFiles(3))
    for (const name of names(remote)) remote.files.edit(remove(name))
    const status = await afterwards('halted')
    expect(status.halt).toBe('the remote folder is empty, where both sides had 6 entries')
    expect(names(local).length).toBe(6)
    session.resume()
    await settledAs('in-sync')
    expect(names(local)).toEqual([])
  })

  test('one file in an emptied root is no reason to delete the others', async () => {
    await inSync(...manyFiles(3))
    const before = names(remote)
    for (const name of before) remote.files.edit(remove(name))
    await afterwards('halted')
    remote.files.edit(write('new', 'new'))
    const status = await afterwards('halted')
    expect(status.halt).toBe('6 entries on local would still be deleted')
    expect(names(local)).toEqual(before)
    session.resume()
    await settledAs('in-sync')
    expect(names(local)).toEqual(['new'])
  })

  test('deleting most of a side halts, also when it comes in pieces', async () => {
    await inSync(...manyFiles(70))
    let halted = false
    for (let i = 0; i < 70 && !halted; i += 10) {
      for (let j = i; j < i + 10; j++) remote.files.edit(remove(`d${j % 7}/f${j}`))
      remote.scan()
      halted = (await session.settled()).phase === 'halted'
    }
    expect(halted).toBe(true)
    expect(session.status.halt).toMatch(/of \d+ entries on local would be deleted/)
    expect(names(local).length).toBeGreaterThan(77 / 2 - 1)
  })

  test('a folder emptied one file after the other, as slowly as a machine does it, loses none of them here', async () => {
    await inSync(...manyFiles(30))
    const before = names(local)
    for (const name of names(remote).reverse()) {
      remote.files.edit(remove(name))
      remote.scan()
      await new Promise(setImmediate)
    }
    await settledAs('halted')
    expect(names(local)).toEqual(before)
  })

  test('what halted it does not stand for what comes later', async () => {
    await inSync(...manyFiles(50))
    session.resume()
    for (const name of names(remote)) remote.files.edit(remove(name))
    await afterwards('halted')
    expect(names(local).length).toBe(57)
  })
})

describe('first contact', () => {
  test('a fresh container is seeded, also over a restart in between, until it was in sync once', async () => {
    local.files.edit(write('f', 'mine'))
    local.files.edit(write('g', 'mine'))
    remote.files.edit(write('f', 'image'))
    remote.files.edit(write('g', 'image'))
    local.scan()
    remote.scan()
    const gate = newGate()
    remote.hook = ({ path }) => (path === 'g' ? gate.opened : undefined)
    start('two-way-safe', 'seed')
    await gate.reached(() => remote.files.listing().get('f') === 'file mine')
    await session.stop()
    base.close()
    gate.open()
    start('two-way-safe')
    expect((await settledAs('in-sync')).conflicts).toEqual([])
    expect(remote.files.listing().get('g')).toBe('file mine')
    expect(base.firstContact).toBe('over')
  })
})

describe('what was carried out when a stream was cut, and not answered', () => {
  /** Remote has what local wrote, and nobody was told; then another session begins after an edit here. */
  async function unanswered(first: Edit, meanwhile: Edit): Promise<SessionStatus> {
    local.files.edit(first)
    local.scan()
    remote.diesAfter = 0
    start()
    await session.closed
    base.close()
    expect(remote.files.listing()).toEqual(local.files.listing())
    remote = new FakeReplica(remote.files)
    local = new FakeReplica(local.files)
    local.files.edit(meanwhile)
    local.scan()
    start()
    return session.settled()
  }

  test('is deleted there if it was deleted here meanwhile, and does not come back', async () => {
    expect((await unanswered(write('f', '1'), remove('f'))).phase).toBe('in-sync')
    expect([names(local), names(remote)]).toEqual([[], []])
  })

  test('is written again if it was edited here meanwhile, and that is no conflict', async () => {
    expect((await unanswered(write('f', '1'), write('f', '22'))).conflicts).toEqual([])
    expect(remote.files.listing().get('f')).toBe('file 22')
  })

  test('is a conflict only if both sides edited it meanwhile', async () => {
    remote.diesAfter = 0
    local.files.edit(write('f', '1'))
    local.scan()
    start()
    await session.closed
    base.close()
    for (const [side, content] of [
      [local, 'here'],
      [remote, 'there'],
    ] as const) {
      side.files.edit(write('f', content))
    }
    local = new FakeReplica(local.files)
    remote = new FakeReplica(remote.files)
    start()
    expect((await session.settled()).conflicts).toHaveLength(1)
  })
})

describe('the end', () => {
  test('comes when a replica is gone, with its reason, and leaves the other one open', async () => {
    await inSync(write('f', '1'))
    remote.cut()
    expect(await session.closed).toEqual({ kind: 'lost', message: 'cut' })
    expect(session.status.phase).toBe('ended')
    expect((await session.settled()).phase).toBe('ended')
    await expect(Promise.race([local.closed, Promise.resolve('open')])).resolves.toBe('open')
  })

  test('comes when a folder is not the one any more that the base is of', async () => {
    await inSync(write('f', '1'))
    remote.info = { ...remote.info, root: { dev: 1, ino: 99 } }
    remote.files.edit(remove('f'))
    remote.scan()
    const { message } = await session.closed
    expect(message).toBe('the remote folder was replaced by another one')
    expect(names(local)).toEqual(['f'])
  })

  test.each([
    ['decided', 0],
    ['was carried out', 1],
  ])(
    'comes with a defect of ours while it %s, which is its own and not the process’s',
    async (_, updates) => {
      await inSync()
      base.commit = (list) => {
        if (list.length >= updates) throw new TypeError('x is not a function')
      }
      local.edit(write('f', '1'))
      expect(await session.closed).toEqual({ kind: 'lost', message: 'the sync failed: x is not a function' })
    },
  )

  test('comes promptly when it is asked for, whatever hangs', async () => {
    await inSync()
    remote.hook = () => new Promise(() => {})
    local.edit(write('f', '1'))
    await newGate().reached(() => remote.asked.includes('put f'))
    await session.stop()
    expect(await session.closed).toMatchObject({ kind: 'closed' })
    expect(statuses.at(-1)?.phase).toBe('ended')
  })
})

/** Lets an operation wait until a test has seen enough. */
function newGate() {
  let open: () => void = () => {}
  const opened = new Promise<undefined>((resolve) => {
    open = () => resolve(undefined)
  })
  const reached = async (condition: () => boolean) => {
    while (!condition()) await new Promise((resolve) => setImmediate(resolve))
  }
  return { open, opened, reached }
}
