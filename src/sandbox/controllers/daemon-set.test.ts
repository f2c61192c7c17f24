import { afterEach, describe, expect, it } from 'vitest'
import type { DaemonSet, Pod } from './kinds.ts'
import { World } from './testing/world.ts'

const key = { resource: 'daemonsets.apps', namespace: 'default', name: 'agent' }
let world: World

afterEach(() => world.close())

const template = (command: string, spec: object = {}) => ({
  metadata: { labels: { app: 'agent' } },
  spec: { containers: [{ name: 'agent', image: 'any', command: [command] }], ...spec },
})

async function deploy(spec: Partial<DaemonSet['spec']> = {}): Promise<void> {
  world = new World({ nodes: 3 })
  world.writer.create({
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'agent', namespace: 'default' },
    spec: {
      selector: { matchLabels: { app: 'agent' } },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
      template: template('one'),
      ...spec,
    },
  })
  await world.settled()
}

function edit(spec: Partial<DaemonSet['spec']>): void {
  world.writer.change(key, (object) => ({ ...object, spec: { ...(object as DaemonSet).spec, ...spec } }))
}

const daemonSet = () => world.store.get(key.resource, key)
const places = () =>
  world
    .pods()
    .map(({ spec }) => spec.nodeName)
    .sort()
const commandOf = ({ spec }: Pod) => (spec.containers as { command: string[] }[])[0]?.command[0]
const commands = () => world.pods().map(commandOf)

describe('a DaemonSet', () => {
  it('has a pod on each node, also on one that takes no others', async () => {
    await deploy()
    expect(places()).toEqual(['node-1', 'node-2', 'node-3'])
    expect(daemonSet()?.status).toEqual({
      currentNumberScheduled: 3,
      desiredNumberScheduled: 3,
      numberMisscheduled: 0,
      numberReady: 3,
      numberAvailable: 3,
      updatedNumberScheduled: 3,
      observedGeneration: 1,
    })
    world.writer.change({ resource: 'nodes', name: 'node-1' }, (node) => ({
      ...node,
      spec: { unschedulable: true },
    }))
    await world.settled()
    expect(places()).toEqual(['node-1', 'node-2', 'node-3'])
  })

  it('makes its pods for their node, and tolerant', async () => {
    await deploy()
    for (const { spec, metadata } of world.pods()) {
      expect(spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution).toEqual({
        nodeSelectorTerms: [
          { matchFields: [{ key: 'metadata.name', operator: 'In', values: [spec.nodeName] }] },
        ],
      })
      expect(spec.tolerations).toContainEqual({
        key: 'node.kubernetes.io/unschedulable',
        operator: 'Exists',
        effect: 'NoSchedule',
      })
      expect(metadata.labels).toMatchObject({ app: 'agent', 'controller-revision-hash': expect.any(String) })
    }
  })

  it('follows nodes that come, and their labels', async () => {
    await deploy({ template: template('one', { nodeSelector: { disk: 'ssd' } }) })
    expect(places()).toEqual([])
    world.addNode('node-4', { disk: 'ssd' })
    await world.settled()
    expect(places()).toEqual(['node-4'])
    const node = { resource: 'nodes', name: 'node-4' }
    world.writer.change(node, (object) => ({ ...object, metadata: { ...object.metadata, labels: {} } }))
    await world.settled()
    expect(places()).toEqual([])
    expect(daemonSet()?.status).toMatchObject({ desiredNumberScheduled: 0, numberMisscheduled: 0 })
  })

  it('makes no pods on a node with a taint that it does not bear', async () => {
    await deploy()
    const taints = [{ key: 'gpu', value: 'yes', effect: 'NoExecute' }]
    world.writer.change({ resource: 'nodes', name: 'node-2' }, (node) => ({ ...node, spec: { taints } }))
    await world.settled()
    expect(places()).toEqual(['node-1', 'node-3'])
  })
})

describe('a changed template', () => {
  it('replaces one pod after the other', async () => {
    await deploy()
    let leastReady = 3
    world.store.onChange(({ resource }) => {
      const status = daemonSet()?.status as { numberReady: number }
      if (resource === key.resource) leastReady = Math.min(leastReady, status.numberReady)
    })
    edit({ template: template('two') })
    await world.settled()
    expect(commands()).toEqual(['two', 'two', 'two'])
    expect(places()).toEqual(['node-1', 'node-2', 'node-3'])
    expect(leastReady).toBe(2)
    expect(daemonSet()?.status).toMatchObject({ updatedNumberScheduled: 3, numberAvailable: 3 })
  })

  it('that does not get ready stops at the first', async () => {
    await deploy()
    world.healthy = false
    edit({ template: template('broken') })
    await world.settled()
    expect(commands().sort()).toEqual(['broken', 'one', 'one'])
  })

  it('with OnDelete changes a pod only when it is deleted', async () => {
    await deploy({ updateStrategy: { type: 'OnDelete' } })
    edit({ template: template('two') })
    await world.settled()
    expect(commands()).toEqual(['one', 'one', 'one'])
    expect(daemonSet()?.status).not.toHaveProperty('updatedNumberScheduled')
    const [first] = world.pods()
    world.writer.delete({ resource: 'pods', namespace: 'default', name: first?.metadata.name ?? '' })
    await world.settled()
    expect(commands().sort()).toEqual(['one', 'one', 'two'])
  })
})

it('a pod that ended is replaced', async () => {
  await deploy()
  const [{ metadata } = { metadata: { name: '' } }] = world.pods()
  const pod = { resource: 'pods', namespace: 'default', name: metadata.name }
  world.writer.change(pod, (object) => ({ ...object, status: { phase: 'Failed' } }), 'status')
  await world.settled()
  expect(world.pods().map(({ metadata }) => metadata.name)).not.toContain(metadata.name)
  expect(places()).toEqual(['node-1', 'node-2', 'node-3'])
})
