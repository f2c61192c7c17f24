import { describe, expect, test } from 'vitest'
import { readPod } from './pods.ts'

const running = {
  metadata: { name: 'demo-1', uid: 'u1', creationTimestamp: '2024-01-01T00:00:00Z' },
  spec: { nodeName: 'node1', containers: [{ name: 'app' }, { name: 'log' }] },
  status: {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: 'True' }],
    containerStatuses: [
      { name: 'log', containerID: 'containerd://2', state: { waiting: { reason: 'CrashLoopBackOff' } } },
      { name: 'app', containerID: 'containerd://1', state: { running: { startedAt: 'x' } } },
    ],
  },
}

describe('readPod', () => {
  test('a running pod', () => {
    expect(readPod(running)).toEqual({
      uid: 'u1',
      name: 'demo-1',
      node: 'node1',
      createdAt: '2024-01-01T00:00:00Z',
      phase: 'Running',
      deleting: false,
      ready: true,
      defaultContainer: 'app',
      containers: [
        { name: 'app', runningId: 'containerd://1', reason: '' },
        { name: 'log', runningId: undefined, reason: 'CrashLoopBackOff' },
      ],
    })
  })

  test('a pod that was only just made', () => {
    const { metadata, spec } = running
    expect(readPod({ metadata, spec: { containers: spec.containers } })).toMatchObject({
      node: '',
      ready: false,
      containers: [{ name: 'app', runningId: undefined }, { name: 'log' }],
    })
  })

  test('a pod that is being deleted', () => {
    const metadata = { ...running.metadata, deletionTimestamp: '2024-01-01T00:01:00Z' }
    expect(readPod({ ...running, metadata })?.deleting).toBe(true)
  })

  test.each([
    ['log', 'log'],
    ['no such', 'app'],
  ])('the annotation of the default container: %s', (name, expected) => {
    const annotations = { 'kubectl.kubernetes.io/default-container': name }
    expect(readPod({ ...running, metadata: { ...running.metadata, annotations } })?.defaultContainer).toBe(
      expected,
    )
  })

  test('a sidecar among the init containers can be synced too', () => {
    const found = readPod({
      ...running,
      spec: { ...running.spec, initContainers: [{ name: 'proxy' }] },
      status: {
        ...running.status,
        initContainerStatuses: [{ name: 'proxy', containerID: 'containerd://3', state: { running: {} } }],
      },
    })
    expect(found?.containers.at(-1)).toEqual({ name: 'proxy', runningId: 'containerd://3', reason: '' })
  })

  test.each([[null], [{}], [{ metadata: { name: 'x' }, spec: {} }]])('%j is no pod', (object) => {
    expect(readPod(object)).toBeUndefined()
  })
})
