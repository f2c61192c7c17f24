import { afterEach, describe, expect, it } from 'vitest'
import { misfit } from './fit.ts'
import type { Node, Pod, PodSpec } from './kinds.ts'
import { condition } from './status.ts'
import { World } from './testing/world.ts'

let world: World | undefined

afterEach(() => world?.close())

const podKey = { resource: 'pods', namespace: 'default', name: 'web' }

async function run(spec: object, nodes = 2): Promise<World> {
  world = new World({ nodes })
  world.addPod('web', spec)
  await world.settled()
  return world
}

const scheduled = ({ store }: World) => {
  const pod = store.get('pods', podKey) as Pod | undefined
  return { node: pod?.spec.nodeName, ...condition(pod?.status?.conditions, 'PodScheduled') }
}

describe('a pod', () => {
  it('is bound to a node, and told so', async () => {
    const on = await run({})
    expect(scheduled(on)).toMatchObject({ node: 'node-1', status: 'True' })
    expect(on.store.list('events')).toMatchObject([
      { reason: 'Scheduled', message: 'Successfully assigned default/web to node-1', type: 'Normal' },
    ])
  })

  it('that fits nowhere says why, in the words of the scheduler', async () => {
    const on = await run({ nodeSelector: { disk: 'ssd' } })
    expect(scheduled(on)).toMatchObject({
      node: undefined,
      status: 'False',
      reason: 'Unschedulable',
      message:
        "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
    })
    expect(on.store.list('events')).toMatchObject([{ reason: 'FailedScheduling', type: 'Warning' }])
  })

  it('waits for a node on which it fits', async () => {
    const on = await run({ nodeSelector: { disk: 'ssd' } })
    on.addNode('node-3', { disk: 'ssd' })
    await on.settled()
    expect(scheduled(on)).toMatchObject({ node: 'node-3', status: 'True' })
  })

  it('waits until a node is uncordoned', async () => {
    const on = await run({ nodeName: 'node-1' }, 1)
    const node = { resource: 'nodes', name: 'node-1' }
    on.writer.change(node, (object) => ({ ...object, spec: { unschedulable: true } }))
    on.addPod('later')
    await on.settled()
    const later = () => on.store.get('pods', { ...podKey, name: 'later' }) as Pod
    expect(later().status?.conditions).toMatchObject([
      { message: expect.stringContaining('1 node(s) were unschedulable.') },
    ])
    on.writer.change(node, (object) => ({ ...object, spec: {} }))
    await on.settled()
    expect(later().spec.nodeName).toBe('node-1')
  })

  it('of another scheduler is left to it', async () => {
    expect(scheduled(await run({ schedulerName: 'mine' }))).toEqual({ node: undefined })
  })
})

describe('a pod fits on a node', () => {
  const node: Node = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'a', labels: { zone: 'x', size: '5' } },
    spec: {},
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  }
  const fits = (pod: PodSpec, spec: NonNullable<Node['spec']> = {}) =>
    misfit(pod, { ...node, spec }) === undefined
  const affine = (key: string, operator: string, ...values: string[]) => ({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key, operator, values }] }],
        },
      },
    },
  })

  it.each([
    [true, 'zone', 'In', ['x', 'y']],
    [false, 'zone', 'In', ['y']],
    [false, 'rack', 'In', ['x']],
    [false, 'zone', 'NotIn', ['x']],
    [true, 'rack', 'NotIn', ['x']],
    [true, 'zone', 'Exists', []],
    [false, 'rack', 'Exists', []],
    [true, 'rack', 'DoesNotExist', []],
    [false, 'zone', 'DoesNotExist', []],
    [true, 'size', 'Gt', ['4']],
    [false, 'size', 'Gt', ['5']],
    [true, 'size', 'Lt', ['6']],
  ])('%s: %s %s %j', (expected, key, operator, values) => {
    expect(fits(affine(key, operator, ...values))).toBe(expected)
  })

  const taint = { key: 'gpu', value: 'yes', effect: 'NoSchedule' }
  it.each([
    [false, []],
    [true, [{ operator: 'Exists' }]],
    [true, [{ key: 'gpu', operator: 'Exists' }]],
    [true, [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }]],
    [false, [{ key: 'gpu', value: 'no', effect: 'NoSchedule' }]],
    [false, [{ key: 'gpu', value: 'yes', effect: 'NoExecute' }]],
    [false, [{ key: 'cpu', operator: 'Exists' }]],
  ])('%s: the taint gpu=yes:NoSchedule with the tolerations %j', (expected, tolerations) => {
    expect(fits({ tolerations }, { taints: [taint] })).toBe(expected)
  })

  it('whose taint is only a preference', () => {
    expect(fits({}, { taints: [{ ...taint, effect: 'PreferNoSchedule' }] })).toBe(true)
  })

  it('that is ready', () => {
    expect(misfit({}, { ...node, status: { conditions: [{ type: 'Ready', status: 'False' }] } })).toBe(
      'node(s) had untolerated taint(s)',
    )
  })
})

it('each namespace has a service account and the CA from its beginning, and again', async () => {
  world = new World({ nodes: 0 })
  world.writer.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } })
  await world.settled()
  const account = { resource: 'serviceaccounts', namespace: 'team', name: 'default' }
  const ca = { resource: 'configmaps', namespace: 'team', name: 'kube-root-ca.crt' }
  expect(world.store.get(account.resource, account)).toBeDefined()
  expect(world.store.get(ca.resource, ca)).toMatchObject({ data: { 'ca.crt': 'the CA' } })
  world.writer.delete(account)
  await world.settled()
  expect(world.store.get(account.resource, account)).toBeDefined()
})
