import { expect, test } from 'vitest'
import { columnsOf } from './columns.ts'
import type { KubeObject } from './object.ts'

const now = new Date('2026-01-01T00:10:00Z')
const metadata = { name: 'web', creationTimestamp: '2026-01-01T00:00:00Z' }

/** The cells of an object's row by the names of their columns, or only some of them. */
function row(resource: string, object: object, ...names: string[]): unknown[] {
  const shown = columnsOf({ key: resource }).filter(({ name }) => names.length === 0 || names.includes(name))
  return shown.map(({ cell }) =>
    cell({ apiVersion: 'v1', kind: 'Any', metadata, ...object } as KubeObject, now),
  )
}

const containers = [
  { name: 'a', image: 'one' },
  { name: 'b', image: 'two' },
]
const running = { ready: true, restartCount: 0, state: { running: {} } }
const ended = (exitCode: number, reason?: string) => ({
  restartCount: 0,
  state: { terminated: { exitCode, ...(reason === undefined ? {} : { reason }) } },
})
const waiting = (reason: string) => ({ restartCount: 0, state: { waiting: { reason } } })
const status = (more: object) => ({ spec: { containers }, status: { phase: 'Running', ...more } })

test.each([
  ['running', status({ containerStatuses: [running, running] }), ['2/2', 'Running']],
  ['not begun', status({ phase: 'Pending' }), ['0/2', 'Pending']],
  [
    'crashing',
    status({ containerStatuses: [running, waiting('CrashLoopBackOff')] }),
    ['1/2', 'CrashLoopBackOff'],
  ],
  ['failed', status({ phase: 'Failed', containerStatuses: [ended(3)] }), ['0/2', 'ExitCode:3']],
  ['done', status({ phase: 'Succeeded', containerStatuses: [ended(0, 'Completed')] }), ['0/2', 'Completed']],
  ['evicted', status({ phase: 'Failed', reason: 'Evicted' }), ['0/2', 'Evicted']],
  [
    'initialising',
    {
      spec: { containers, initContainers: [{}, {}] },
      status: { phase: 'Pending', initContainerStatuses: [ended(0), waiting('PodInitializing')] },
    },
    ['0/2', 'Init:1/2'],
  ],
  [
    'failing to initialise',
    status({ phase: 'Pending', initContainerStatuses: [ended(1, 'Error')] }),
    ['0/2', 'Init:Error'],
  ],
  [
    'being deleted',
    { ...status({ containerStatuses: [running] }), metadata: { ...metadata, deletionTimestamp: 'now' } },
    ['1/2', 'Terminating'],
  ],
])('a pod that is %s', (_, pod, cells) => {
  expect(row('pods', pod, 'Ready', 'Status')).toEqual(cells)
})

test('how often and when a pod was restarted', () => {
  const lastState = { terminated: { finishedAt: '2026-01-01T00:09:00Z' } }
  const pod = status({ containerStatuses: [{ ...running, restartCount: 2, lastState }, running] })
  expect(row('pods', pod, 'Restarts', 'Age')).toEqual(['2 (60s ago)', '10m'])
})

test.each([
  [
    'deployments.apps',
    {
      spec: { replicas: 3, selector: { matchLabels: { app: 'web' } }, template: { spec: { containers } } },
      status: { readyReplicas: 1, updatedReplicas: 2, availableReplicas: 1 },
    },
    ['web', '1/3', 2, 1, '10m', 'a,b', 'one,two', 'app=web'],
  ],
  [
    'services',
    {
      spec: {
        type: 'NodePort',
        clusterIP: '10.96.0.9',
        ports: [{ port: 80, nodePort: 30000, protocol: 'TCP' }],
      },
    },
    ['web', 'NodePort', '10.96.0.9', '<none>', '80:30000/TCP', '10m', '<none>'],
  ],
  ['configmaps', { data: { a: '1' }, binaryData: { b: '' } }, ['web', 2, '10m']],
  ['secrets', { type: 'Opaque', data: { a: '' } }, ['web', 'Opaque', 1, '10m']],
  ['namespaces', { status: { phase: 'Active' } }, ['web', 'Active', '10m']],
])('%s', (resource, object, cells) => {
  expect(row(resource, object)).toEqual(cells)
})

test('a node', () => {
  const node = {
    metadata: { ...metadata, labels: { 'node-role.kubernetes.io/worker': '' } },
    spec: { unschedulable: true },
    status: { conditions: [{ type: 'Ready', status: 'True' }], nodeInfo: { kubeletVersion: 'v1' } },
  }
  expect(row('nodes', node, 'Status', 'Roles', 'Version')).toEqual([
    'Ready,SchedulingDisabled',
    'worker',
    'v1',
  ])
})

test('an event', () => {
  const event = {
    type: 'Normal',
    reason: 'Started',
    message: 'It began\n',
    involvedObject: { kind: 'Pod', name: 'web' },
    lastTimestamp: '2026-01-01T00:09:30Z',
  }
  expect(row('events', event, 'Last Seen', 'Type', 'Reason', 'Object', 'Message')).toEqual([
    '30s',
    'Normal',
    'Started',
    'pod/web',
    'It began',
  ])
})
