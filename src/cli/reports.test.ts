import { describe, expect, test } from 'vitest'
import type { Rollout } from '../agent/install/rollout.ts'
import { KubesyncError } from '../errors.ts'
import type { Progress } from '../ui/progress.ts'
import { describeWaiting, installReport } from './install-report.ts'
import { logTo } from './log.ts'
import { describeError } from './report.ts'
import { describeRun, runReport } from './run-report.ts'

function recorder() {
  const lines: string[] = []
  let now = ''
  const progress: Progress = {
    update: (text) => {
      now = text
    },
    line: (text) => void lines.push(text),
    done: () => {},
  }
  return { progress, lines, current: () => now }
}

function rollout(nodes: Rollout['nodes'], rest: Partial<Rollout> = {}): Rollout {
  return { nodes, desired: nodes.length, state: 'waiting', ...rest }
}

describe('an install', () => {
  test('has one line for each object, and one for each node when it is ready', () => {
    const { progress, lines, current } = recorder()
    let clock = 0
    const report = installReport(progress, () => clock)
    report.object({ kind: 'DaemonSet', name: 'kubesync-agent', change: 'created' })
    report.rollout(
      rollout([
        { node: 'a', state: 'pulling' },
        { node: 'b', state: 'starting' },
      ]),
    )
    clock = 2_000
    report.rollout(
      rollout([
        { node: 'a', state: 'pulling' },
        { node: 'b', state: 'ready' },
      ]),
    )
    report.rollout(
      rollout([
        { node: 'a', state: 'pulling' },
        { node: 'b', state: 'ready' },
      ]),
    )
    expect(lines).toEqual(['DaemonSet kubesync-agent: created', 'b: ready (2.0 s)'])
    expect(current()).toBe('waiting for 1 of 2 nodes: a: it pulls the image')
  })

  test('says what it waits for, and why, if that is known', () => {
    const reason = { message: 'the image x cannot be pulled', final: false }
    const nodes = [
      { node: 'a', state: 'starting' } as const,
      { node: 'b', state: 'starting', reason } as const,
    ]
    expect(describeWaiting(rollout(nodes))).toBe('waiting for 2 of 2 nodes: b: the image x cannot be pulled')
    expect(describeWaiting(rollout([], { desired: undefined }))).toBe('waiting for the cluster to act on it')
    expect(describeWaiting(rollout([{ node: 'a', state: 'ready' }]))).toBe('')
  })
})

describe('a run', () => {
  const where = { node: 'node1', container: 'app', role: 'leader' } as const
  const session = {
    entries: { local: 1, remote: 1 },
    conflicts: [],
    problems: [],
    applied: { local: 0, remote: 0 },
  }
  const progress = { done: 1, total: 2, bytesDone: 0, bytesTotal: 0 }

  test('is one line, whatever it does', () => {
    const syncing = { ...where, pod: 'a', session: { ...session, phase: 'syncing', progress } } as const
    const inSync = { ...where, pod: 'b', session: { ...session, phase: 'in-sync' } } as const
    const status = (sessions: Parameters<typeof describeRun>[0]['sessions']) =>
      describeRun({ name: 'run', state: 'running', sessions })
    expect(describeRun({ name: 'run', state: 'waiting', message: 'no pod', sessions: [] })).toBe(
      'waiting: no pod',
    )
    expect(status([syncing])).toBe('a/app: syncing 1 of 2 changes')
    expect(status([inSync])).toBe('b/app: in sync')
    expect(status([inSync, syncing])).toBe('1 of 2 containers in sync; a/app: syncing 1 of 2 changes')
    expect(status([inSync, inSync])).toBe('2 of 2 containers in sync')
    expect(status([{ ...where, pod: 'c', message: 'no agent' }])).toBe('c/app: no agent')
  })
})

describe('the lines of a run', () => {
  const running = { name: 'run', state: 'running', sessions: [] } as const

  test('tell what happened, and leave an error that ends it to whoever tells of the end', () => {
    const { progress, lines } = recorder()
    const report = runReport({ progress, quiet: false })
    report.log({ level: 'info', message: 'in sync' })
    report.log({ level: 'warn', message: 'conflict at a' })
    report.log({ level: 'error', message: 'no such context' })
    report.status({ ...running, state: 'failed' })
    expect(lines).toEqual(['in sync', 'warning: conflict at a'])
  })

  test('tell of an error that it survives', () => {
    const { progress, lines } = recorder()
    const report = runReport({ progress, quiet: false })
    report.log({ level: 'error', message: 'halted: the folder is empty' })
    report.status(running)
    expect(lines).toEqual(['error: halted: the folder is empty'])
  })
})

describe('an error', () => {
  const stderr = { write: () => {} }
  const error = new KubesyncError('X', 'it failed\nbadly\x1b[2J', {
    hint: 'try again',
    cause: new Error('why'),
  })

  test('is what happened and what to do, without control characters', () => {
    expect(describeError(error, { verbose: false, stderr })).toBe(
      'error: it failed\nbadly\\x1b[2J\nhint: try again\n',
    )
  })

  test('with -v is also where from, and what was behind it', () => {
    const text = describeError(error, { verbose: true, stderr })
    expect(text).toContain('reports.test.ts')
    expect(text).toContain('caused by Error: why')
  })

  test('of ours is short, and asks for a report', () => {
    const text = describeError(new TypeError('x is undefined'), { verbose: false, stderr })
    expect(text).toContain('error: something went wrong inside kubesync: x is undefined')
    expect(text).toContain('with -v')
    expect(text).not.toMatch(/^ +at /m)
  })
})

test('a log has the time, the level if it is worth one, and one line for what happened', () => {
  let text = ''
  const write = (more: string) => {
    text += more
  }
  const log = logTo({ write }, () => new Date(Date.UTC(2024, 0, 2, 3, 4, 5)))
  log({ level: 'info', spec: 'demo', message: 'in sync' })
  log({ level: 'warn', spec: 'demo', message: 'two\nlines' })
  expect(text).toBe(
    '2024-01-02T03:04:05.000Z demo: in sync\n2024-01-02T03:04:05.000Z warning: demo: two\\nlines\n',
  )
})
