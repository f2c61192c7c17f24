import { describe, expect, test } from 'vitest'
import { podOf } from './pod-spec.ts'
import { type ContainerStatus, phaseOf, podStatus, type Terminated } from './status.ts'

const pod = (restartPolicy: string, status: object = {}) =>
  podOf({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'default', uid: '11111111-2222-3333-4444-555555555555' },
    spec: { restartPolicy, containers: [] },
    status,
  })

const now = '2024-01-01T00:00:00Z'
const ended = (exitCode: number): Terminated => ({
  ...{ exitCode, reason: 'x', startedAt: now, finishedAt: now, containerID: 'sandbox://1' },
})
const view = (state: ContainerStatus['state'], rest: Partial<ContainerStatus> = {}): ContainerStatus => ({
  ...{ name: 'app', image: 'app:1', imageID: '', state, lastState: {} },
  ...{ restartCount: 0, started: false, ready: false },
  ...rest,
})
const creating = view({ waiting: { reason: 'ContainerCreating' } })
const running = view(
  { running: { startedAt: now } },
  { started: true, ready: true, containerID: 'sandbox://1' },
)
const over = (exitCode: number) => view({ terminated: ended(exitCode) })
const backOff = view({ waiting: { reason: 'CrashLoopBackOff' } }, { lastState: { terminated: ended(1) } })

describe('the phase', () => {
  test.each([
    ['nothing started yet', 'Always', [], [creating], 'Pending'],
    ['init under way', 'Always', [running], [creating], 'Pending'],
    ['init done', 'Always', [over(0)], [running], 'Running'],
    ['init failed, to be tried again', 'Always', [over(1)], [creating], 'Pending'],
    ['init failed for good', 'Never', [over(1)], [creating], 'Failed'],
    ['one of two runs', 'Never', [], [running, over(1)], 'Running'],
    ['one of two not started', 'Always', [], [running, creating], 'Pending'],
    ['ended, runs again', 'Always', [], [over(0)], 'Running'],
    ['waits to run again', 'Always', [], [backOff], 'Running'],
    ['succeeded', 'OnFailure', [], [over(0), over(0)], 'Succeeded'],
    ['failed, tried again', 'OnFailure', [], [over(0), over(1)], 'Running'],
    ['failed for good', 'Never', [], [over(0), over(1)], 'Failed'],
  ] as const)('%s', (_, policy, init, containers, expected) => {
    const views = { init: [...init], containers: [...containers], ephemeral: [], terminal: false }
    expect(phaseOf(pod(policy), views)).toBe(expected)
  })

  test('of a pod that is deleted is final, though its containers would run again', () => {
    const views = { init: [], ephemeral: [], terminal: true }
    expect(phaseOf(pod('Always'), { ...views, containers: [over(0)] })).toBe('Succeeded')
    expect(phaseOf(pod('Always'), { ...views, containers: [over(143)] })).toBe('Failed')
  })
})

test('conditions of others stay, and a time changes only with its status', () => {
  const old = [
    { type: 'Ready', status: 'True', lastTransitionTime: '2020-01-01T00:00:00Z' },
    { type: 'ContainersReady', status: 'False', lastTransitionTime: '2020-01-01T00:00:00Z' },
    { type: 'acme.io/checked', status: 'True' },
  ]
  const views = { init: [], containers: [running], ephemeral: [], terminal: false }
  expect(podStatus(pod('Always', { conditions: old }), views, now)).toMatchObject({
    conditions: expect.arrayContaining([
      expect.objectContaining({ type: 'Ready', status: 'True', lastTransitionTime: '2020-01-01T00:00:00Z' }),
      expect.objectContaining({ type: 'ContainersReady', status: 'True', lastTransitionTime: now }),
      { type: 'acme.io/checked', status: 'True' },
    ]),
  })
})
