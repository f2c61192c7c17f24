import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { daemonSetSchema, eventSchema, podSchema } from './observed.ts'
import { assess } from './rollout.ts'

function daemonSet(status: object, metadata: object = {}) {
  return v.parse(daemonSetSchema, {
    metadata: { name: 'kubesync-agent', uid: 'ds', generation: 2, ...metadata },
    status: { observedGeneration: 2, ...status },
  })
}

interface PodIs {
  readonly ready?: boolean
  readonly waiting?: string
  readonly generation?: string
  readonly ending?: boolean
  readonly meantFor?: string
}

function pod(node: string, is: PodIs = {}) {
  const { ready = false, waiting, generation = '2', ending = false, meantFor } = is
  const state = waiting === undefined ? { running: {} } : { waiting: { reason: waiting } }
  return v.parse(podSchema, {
    metadata: {
      name: `kubesync-agent-${node}-${generation}`,
      uid: `pod-${node}`,
      labels: { 'pod-template-generation': generation },
      ...(ending ? { deletionTimestamp: '2024-01-01T00:00:00Z' } : {}),
    },
    spec: {
      nodeName: node,
      containers: [{ name: 'agent', image: 'node' }],
      ...(meantFor === undefined ? {} : { affinity: affinity(meantFor) }),
    },
    status: {
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      containerStatuses: node === '' ? [] : [{ name: 'agent', ready, restartCount: 0, state }],
    },
  })
}

function affinity(node: string) {
  const matchFields = [{ key: 'metadata.name', operator: 'In', values: [node] }]
  return {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] },
    },
  }
}

function event(uid: string, reason: string, message = '') {
  return v.parse(eventSchema, { metadata: { name: 'e' }, involvedObject: { uid }, reason, message })
}

const rollingOut = { desiredNumberScheduled: 2, updatedNumberScheduled: 2 }

describe('an install', () => {
  test('waits until the controller has seen what was applied, whatever the status before said', () => {
    const old = daemonSet({ observedGeneration: 1, desiredNumberScheduled: 1, numberReady: 1 })
    const rollout = assess({ daemonSet: old, pods: [pod('node1', { ready: true })], events: [] }, 2)
    expect(rollout).toEqual({ nodes: [], desired: undefined, state: 'waiting' })
  })

  test('is ready when every node that should have an agent has one that is ready', () => {
    const pods = [pod('node2', { ready: true }), pod('node1', { ready: true })]
    const rollout = assess({ daemonSet: daemonSet({ ...rollingOut, numberReady: 2 }), pods, events: [] }, 2)
    expect(rollout).toEqual({
      state: 'ready',
      desired: 2,
      nodes: [
        { node: 'node1', state: 'ready' },
        { node: 'node2', state: 'ready' },
      ],
    })
  })

  test('is not ready while a node still has no pod', () => {
    const observed = {
      daemonSet: daemonSet({ ...rollingOut, numberReady: 1 }),
      pods: [pod('node1', { ready: true })],
      events: [],
    }
    expect(assess(observed, 2).state).toBe('waiting')
  })

  test('is not ready while a node runs what was installed before', () => {
    const pods = [pod('node1', { ready: true, generation: '1' })]
    const current = daemonSet(
      { desiredNumberScheduled: 1, updatedNumberScheduled: 1, numberReady: 1 },
      { annotations: { 'deprecated.daemonset.template.generation': '2' } },
    )
    const rollout = assess({ daemonSet: current, pods, events: [] }, 2)
    expect(rollout).toMatchObject({ state: 'waiting', nodes: [{ node: 'node1', state: 'pending' }] })
  })

  test('shows the new pod of a node, not the one that is ending', () => {
    const pods = [pod('node1', { ready: true }), pod('node1', { ready: true, ending: true })]
    const observed = { daemonSet: daemonSet({ ...rollingOut, numberReady: 1 }), pods, events: [] }
    expect(assess(observed, 2).nodes).toEqual([{ node: 'node1', state: 'ready' }])
  })

  test('waits for nodes that may still become ready, and ends when the others cannot', () => {
    const failed = pod('node1', { waiting: 'InvalidImageName' })
    const current = daemonSet({ ...rollingOut, numberReady: 1 })
    const first = { daemonSet: current, pods: [failed, pod('node2')], events: [] }
    const then = { daemonSet: current, pods: [failed, pod('node2', { ready: true })], events: [] }
    expect([assess(first, 2).state, assess(then, 2).state]).toEqual(['waiting', 'settled'])
  })

  test('ends when no pod may be created', () => {
    const events = [event('ds', 'FailedCreate', 'Error creating: pods "x" is forbidden: exceeded quota: q')]
    const rollout = assess({ daemonSet: daemonSet(rollingOut), pods: [], events }, 2)
    expect(rollout).toMatchObject({
      state: 'settled',
      reason: { message: expect.stringContaining('exceeded quota: q') },
    })
  })

  test('ends when no pod may be created, although the controller tells so by events alone', () => {
    const events = [event('ds', 'FailedCreate', 'Error creating: pods "x" is forbidden: exceeded quota: q')]
    const unseen = daemonSet({ observedGeneration: 1 })
    expect(assess({ daemonSet: unseen, pods: [], events }, 2)).toMatchObject({
      state: 'settled',
      desired: undefined,
    })
  })

  test('ends when no node takes an agent', () => {
    expect(assess({ daemonSet: daemonSet({}), pods: [], events: [] }, 2)).toMatchObject({
      state: 'settled',
      desired: 0,
    })
  })
})

describe('a node', () => {
  test('is named before its pod is scheduled, as far as the DaemonSet meant the pod for it', () => {
    const observed = { daemonSet: daemonSet(rollingOut), pods: [pod('', { meantFor: 'node7' })], events: [] }
    expect(assess(observed, 2).nodes).toEqual([{ node: 'node7', state: 'pending' }])
  })

  test('is pulling from the event that says so to the next', () => {
    const pods = [pod('node1', { waiting: 'ContainerCreating' })]
    const seen = [
      event('pod-node1', 'Scheduled'),
      event('pod-node1', 'Pulling'),
      event('pod-node1', 'Pulled'),
    ]
    const states = [1, 2, 3].map(
      (length) =>
        assess({ daemonSet: daemonSet(rollingOut), pods, events: seen.slice(0, length) }, 2).nodes[0]?.state,
    )
    expect(states).toEqual(['starting', 'pulling', 'starting'])
  })
})
