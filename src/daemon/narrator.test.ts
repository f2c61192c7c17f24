import { afterEach, beforeEach, expect, describe as group, test, vi } from 'vitest'
import type { Mode } from '../files/mode.ts'
import type { SessionStatus } from '../files/status.ts'
import { describe, newNarrator, type Told } from './narrator.ts'
import { phase } from './testing/fake-world.ts'

const entries = { local: 12, remote: 12 }
const problem = { path: 'a', side: 'remote', code: 'EACCES', message: 'may not be read' } as const

const told = (status: SessionStatus, counted?: SessionStatus['applied']) => ({ ...status, counted })

group('what is told of a status', () => {
  const messages = (before: Told | undefined, now: SessionStatus) =>
    describe(before, now, 'two-way-safe').map(({ message }) => message)

  test('that both sides hold the same, once', () => {
    expect(messages(undefined, phase('in-sync', { entries }))).toEqual(['in sync (12 entries)'])
    expect(messages(told(phase('in-sync'), { local: 0, remote: 0 }), phase('in-sync'))).toEqual([])
    expect(messages(told(phase('scanning')), phase('syncing'))).toEqual([])
  })

  test('how many changes went each way since', () => {
    const before = told(phase('syncing', { applied: { local: 1, remote: 7 } }), { local: 1, remote: 5 })
    expect(messages(before, phase('in-sync', { applied: { local: 1, remote: 8 } }))).toEqual([
      'in sync (3 sent)',
    ])
    expect(messages(before, phase('in-sync', { applied: { local: 3, remote: 6 } }))).toEqual([
      'in sync (1 sent, 2 received)',
    ])
  })

  test('a halt, with its reason', () => {
    const halted = phase('halted', { halt: 'the folder was emptied' })
    expect(describe(undefined, halted, 'two-way-safe')).toEqual([
      { level: 'error', message: 'halted: the folder was emptied' },
    ])
    expect(messages(told(halted), halted)).toEqual([])
  })

  test('conflicts and problems that are new', () => {
    const conflict = { path: 'c', message: 'both changed it' }
    const before = told(phase('syncing', { problems: [problem] }))
    const now = phase('syncing', { problems: [problem, { ...problem, path: 'b' }], conflicts: [conflict] })
    expect(messages(before, now)).toEqual([
      'conflict at c: both changed it',
      'to settle a conflict, delete the version that you do not want: the other one takes its place',
      'problem at b: may not be read (remote)',
    ])
  })

  test('how conflicts are settled: with the first of them, and as the mode allows', () => {
    const now = phase('in-sync', { conflicts: [{ path: 'c', message: 'both changed it' }] })
    const more = { ...now, conflicts: [...now.conflicts, { path: 'd', message: 'both changed it' }] }
    expect(messages(told(now, now.applied), more)).toEqual(['conflict at d: both changed it'])
    const lines = describe(undefined, now, 'to-remote-safe').map(({ message }) => message)
    expect(lines.at(-1)).toBe(
      'to settle a conflict, delete the version in the container: the other one takes its place',
    )
  })

  test('of very many only some, and how many more there are', () => {
    const problems = Array.from({ length: 25 }, (_, index) => ({ ...problem, path: `p${index}` }))
    const lines = messages(undefined, phase('syncing', { problems }))
    expect(lines).toHaveLength(11)
    expect(lines.at(-1)).toBe('15 more problems')
  })
})

group('the narrator', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  function listen(mode: Mode = 'two-way-safe') {
    const told: string[] = []
    return {
      told,
      narrator: newNarrator({
        label: 'a/app',
        mode,
        log: ({ message }) => told.push(message),
      }),
    }
  }

  test('sums up what happens within a second', () => {
    const { told, narrator } = listen()
    narrator.status(phase('in-sync', { entries }))
    for (let sent = 1; sent <= 50; sent += 1)
      narrator.status(phase('in-sync', { applied: { local: 0, remote: sent } }))
    expect(told).toEqual(['a/app: in sync (12 entries)'])
    vi.advanceTimersByTime(1000)
    expect(told.slice(1)).toEqual(['a/app: in sync (50 sent)'])
  })

  test('tells at once that both sides hold the same for the first time', () => {
    const { told, narrator } = listen()
    narrator.status(phase('scanning'))
    narrator.status(phase('in-sync', { entries }))
    expect(told).toEqual(['a/app: in sync (12 entries)'])
  })

  test('tells a halt at once', () => {
    const { told, narrator } = listen()
    narrator.status(phase('syncing'))
    narrator.status(phase('halted', { halt: 'gone' }))
    expect(told).toEqual(['a/app: halted: gone'])
  })

  test('tells the same failure once, until it went well in between', () => {
    const { told, narrator } = listen()
    narrator.failed('no agent')
    narrator.failed('no agent')
    narrator.status(phase('in-sync', { entries }))
    narrator.failed('no agent')
    expect(told).toEqual(['a/app: no agent', 'a/app: in sync (12 entries)', 'a/app: no agent'])
  })

  test('tells what the container had that had not arrived here, if it does not come back', () => {
    const { told, narrator } = listen()
    narrator.status(phase('in-sync', { own: 1 }))
    narrator.status(phase('syncing'))
    narrator.status(phase('ended', { own: 3 }))
    narrator.failed('the container ended')
    expect(told.join()).not.toContain('had arrived')
    narrator.close()
    expect(told.at(-1)).toBe('a/app: it went before 2 changes in it had arrived here')
  })

  test('tells nothing of it if they came later, or were never to come', () => {
    const { told, narrator } = listen()
    narrator.status(phase('in-sync'))
    narrator.status(phase('ended', { own: 3 }))
    narrator.status(phase('in-sync'))
    narrator.close()
    const follower = listen('to-remote-safe')
    follower.narrator.status(phase('in-sync'))
    follower.narrator.status(phase('ended', { own: 3 }))
    follower.narrator.close()
    expect([...told, ...follower.told].join()).not.toContain('had arrived')
  })

  test('tells the rest when it ends', () => {
    const { told, narrator } = listen()
    narrator.status(phase('scanning'))
    narrator.status(phase('in-sync', { entries }))
    narrator.close()
    expect(told).toEqual(['a/app: in sync (12 entries)'])
  })
})
