import { describe, expect, test } from 'vitest'
import type { BoundSessionStatus } from '../daemon/status.ts'
import type { SessionStatus } from '../files/status.ts'
import { conflictHints, describeHints } from './get-hints.ts'
import type { SpecView } from './get-rows.ts'

function session(given: Partial<SessionStatus>): SessionStatus {
  return {
    phase: 'in-sync',
    entries: { local: 1, remote: 1 },
    conflicts: [],
    problems: [],
    applied: { local: 0, remote: 0 },
    ...given,
  }
}

function bound(
  given: Partial<SessionStatus>,
  role: BoundSessionStatus['role'] = 'leader',
): BoundSessionStatus {
  return { pod: 'demo-0', node: 'n1', container: 'demo', role, session: session(given) }
}

const view = (...sessions: BoundSessionStatus[]): SpecView => ({
  kind: 'files',
  name: 'calm-otter',
  state: 'running',
  sessions,
})
const conflicts = [{ path: 'a', message: 'each side has a file, and they differ' }]

describe('hints of get', () => {
  test('none while there is nothing to decide', () => {
    expect(describeHints([view(bound({}))], 'ksync')).toEqual([])
  })

  test('how a halt ends: by saying that it is meant, or by starting anew', () => {
    const [hint, ...more] = describeHints(
      [view(bound({ phase: 'halted', halt: 'emptied' }))],
      'kubectl ksync',
    )
    expect(hint).toContain('`kubectl ksync resume calm-otter`')
    expect(hint).toContain('delete calm-otter and create it again')
    expect(more).toEqual([])
  })

  test('a folder that is not there is not resumed', () => {
    const problem = { path: '', side: 'local', code: 'ENOENT', message: 'does not exist' } as const
    const halted = bound({ phase: 'halted', halt: 'the local folder is not there', problems: [problem] })
    const [hint] = describeHints([view(halted)], 'ksync')
    expect(hint).toContain('once the folder is back')
    expect(hint).not.toContain('resume')
  })
})

describe('hints on conflicts', () => {
  test('say once what settles them', () => {
    expect(conflictHints([view(bound({ conflicts })), view(bound({ conflicts }))])).toEqual([
      'to settle a conflict, delete the version that you do not want: the other one takes its place',
    ])
  })

  test('name the only side that can give way', () => {
    const follower = view(bound({ conflicts }, 'follower'))
    expect(conflictHints([follower])).toEqual([
      expect.stringContaining('delete the version in the container'),
    ])
    const pulling: SpecView = { ...view(bound({ conflicts })), mode: 'to-local-safe' }
    expect(conflictHints([pulling])).toEqual([expect.stringContaining('delete the version on this machine')])
  })
})
