import { describe, expect, test } from 'vitest'
import type { Spec } from '../config/spec.ts'
import type { BoundSessionStatus, SpecStatus } from '../daemon/status.ts'
import type { SessionStatus } from '../files/status.ts'
import { describeNotes } from './get-notes.ts'
import { describeSession, describeTransfer, getRows, mergeStatus } from './get-rows.ts'

const spec: Spec = {
  name: 'demo',
  local: '/home/me/demo',
  remote: '/app',
  context: 'kind',
  namespace: 'default',
  selector: 'app=demo',
  mode: 'two-way-safe',
}

function session(status: Partial<SessionStatus> = {}): SessionStatus {
  return {
    phase: 'in-sync',
    entries: { local: 3, remote: 3 },
    conflicts: [],
    problems: [],
    applied: { local: 1, remote: 2 },
    ...status,
  }
}

function bound(pod: string, rest: Partial<BoundSessionStatus> = {}): BoundSessionStatus {
  return { pod, node: 'node1', container: 'app', role: 'leader', ...rest }
}

function running(sessions: readonly BoundSessionStatus[], rest: Partial<SpecStatus> = {}): SpecStatus {
  return { name: 'demo', state: 'running', sessions, ...rest }
}

const conflict = { path: 'src/a.js', message: 'both sides changed it' }
const problem = { path: 'b', code: 'EACCES', message: 'permission denied', side: 'remote' } as const

describe('what is configured and what runs', () => {
  test('a spec that the watch does not know yet waits', () => {
    expect(mergeStatus([spec], [])).toMatchObject([{ name: 'demo', state: 'waiting', sessions: [] }])
  })

  test('a spec that was deleted is there until the watch has ended it', () => {
    expect(mergeStatus([], [running([])])).toMatchObject([{ name: 'demo', message: 'deleted; it is ending' }])
  })

  test('without a watch every spec is stopped', () => {
    expect(mergeStatus([spec], undefined)).toMatchObject([{ ...spec, state: 'stopped', sessions: [] }])
  })
})

describe('rows', () => {
  function statuses(status: SpecStatus): (string | undefined)[] {
    return getRows(mergeStatus([spec], [status]), false).rows.map((row) => row[3])
  }

  test('are one for each container, or one for a spec without any', () => {
    const two = running([bound('a', { session: session() }), bound('b')])
    expect(getRows(mergeStatus([spec], [two]), false).rows).toEqual([
      ['demo', '/home/me/demo', '/app', 'in sync', 'a', 'leader', 'app'],
      ['demo', '/home/me/demo', '/app', 'connecting', 'b', 'leader', 'app'],
    ])
    expect(statuses(running([], { state: 'waiting', message: 'no pod matches' }))).toEqual(['waiting'])
  })

  test('do not claim to be in sync while the server is away', () => {
    const away = running([bound('a', { session: session() })], { state: 'disconnected' })
    expect(statuses(away)).toEqual(['disconnected'])
  })

  test('tell a session that could not be made from one that is being made', () => {
    expect(statuses(running([bound('a', { message: 'no agent on node1' })]))).toEqual(['failing'])
  })

  test('count conflicts and problems', () => {
    const troubled = session({ conflicts: [conflict], problems: [problem, problem] })
    expect(statuses(running([bound('a', { session: troubled })]))).toEqual([
      'in sync, 1 conflict, 2 problems',
    ])
  })
})

describe('what a follower changed by itself', () => {
  const row = (role: 'leader' | 'follower', status: Partial<SessionStatus>) => {
    const view = mergeStatus([spec], [running([bound('a', { role, session: session(status) })])])
    return getRows(view, false).rows[0]?.[3]
  }

  test('is counted, but for what is a conflict already', () => {
    expect(row('follower', { own: 3 })).toBe('in sync, 3 own changes')
    expect(row('follower', { own: 2, conflicts: [conflict] })).toBe('in sync, 1 conflict, 1 own change')
    expect(row('follower', { own: 1, conflicts: [conflict] })).toBe('in sync, 1 conflict')
  })

  test('is no matter of a leader, nor of a moment in which it is looked at', () => {
    expect(row('leader', { own: 3 })).toBe('in sync')
    expect(row('follower', { own: 3, phase: 'ended' })).toBe('ended')
  })
})

describe('a transfer', () => {
  const progress = { done: 1_200, total: 20_000, bytesDone: 12 * 1024 ** 2, bytesTotal: 240 * 1024 ** 2 }

  test('is told by its bytes', () => {
    expect(describeSession(session({ phase: 'syncing', progress }))).toBe('syncing 5%')
    expect(describeTransfer(progress)).toBe('1,200 of 20,000 changes, 12 MiB of 240 MiB')
  })

  test('without bytes is told by its changes', () => {
    const deletions = { done: 1, total: 4, bytesDone: 0, bytesTotal: 0 }
    expect(describeSession(session({ phase: 'syncing', progress: deletions }))).toBe('syncing 25%')
    expect(describeTransfer(deletions)).toBe('1 of 4 changes')
  })

  test('is not at 100% before it is over', () => {
    const done = { ...progress, done: 20_000, bytesDone: progress.bytesTotal }
    expect(describeSession(session({ phase: 'syncing', progress: done }))).toBe('syncing 99%')
  })
})

describe('notes below the table', () => {
  test('say why a spec waits, why a session is halted, and what is in conflict', () => {
    const halted = session({
      phase: 'halted',
      halt: 'the local folder is empty',
      conflicts: [conflict],
      problems: [problem],
    })
    const views = mergeStatus(
      [spec],
      [running([bound('a', { session: halted })], { message: 'looking for pods' })],
    )
    expect(describeNotes(views, 5)).toEqual([
      'demo: looking for pods',
      'demo: halted: the local folder is empty',
      'demo: conflict at src/a.js: both sides changed it',
      'demo: problem at b (remote): permission denied',
    ])
  })

  test('name the pod when there are several', () => {
    const troubled = session({ conflicts: [conflict] })
    const views = mergeStatus(
      [spec],
      [running([bound('a', { session: troubled }), bound('b', { session: session() })])],
    )
    expect(describeNotes(views, 5)).toEqual(['demo, a: conflict at src/a.js: both sides changed it'])
  })

  test('are not endless, and say so', () => {
    const troubled = session({ conflicts: Array.from({ length: 9 }, () => conflict) })
    const notes = describeNotes(mergeStatus([spec], [running([bound('a', { session: troubled })])]), 5)
    expect(notes).toHaveLength(6)
    expect(notes.at(-1)).toBe('demo: and 4 more conflicts and problems; -o wide lists all')
  })

  test('cannot be steered by a file name', () => {
    const troubled = session({ conflicts: [{ path: 'a\n\x1b[2J', message: 'both' }] })
    expect(describeNotes(mergeStatus([spec], [running([bound('a', { session: troubled })])]), 5)).toEqual([
      'demo: conflict at a\\n\\x1b[2J: both',
    ])
  })
})
