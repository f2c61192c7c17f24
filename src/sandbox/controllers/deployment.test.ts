import { afterEach, describe, expect, it } from 'vitest'
import type { KubeObject } from '../object.ts'
import type { Deployment, ReplicaSet } from './kinds.ts'
import { World } from './testing/world.ts'

const key = { resource: 'deployments.apps', namespace: 'default', name: 'web' }
let world: World

afterEach(() => world.close())

interface Wanted {
  readonly replicas?: number
  readonly strategy?: Deployment['spec']['strategy']
}

async function deploy({ replicas = 3, strategy }: Wanted = {}, nodes = 2): Promise<void> {
  world = new World({ nodes })
  world.writer.create({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default', annotations: { team: 'blue' } },
    spec: {
      replicas,
      revisionHistoryLimit: 10,
      selector: { matchLabels: { app: 'web' } },
      strategy: strategy ?? {
        type: 'RollingUpdate',
        rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' },
      },
      template: template('one'),
    },
  })
  await world.settled()
}

const template = (command: string) => ({
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'web', image: 'any', command: [command] }] },
})

function edit(spec: Partial<Deployment['spec']>): void {
  world.writer.change(key, (object) => ({ ...object, spec: { ...(object as Deployment).spec, ...spec } }))
}

const deployment = () => world.store.get(key.resource, key) as Deployment
const sets = () => world.store.list('replicasets.apps') as ReplicaSet[]
const alive = () => world.pods().filter(({ metadata }) => metadata.deletionTimestamp === undefined)
const commands = () => alive().map(({ spec }) => (spec.containers as { command: string[] }[])[0]?.command[0])
const revisions = () =>
  sets()
    .map(
      ({ metadata, spec }) =>
        `${metadata.annotations?.['deployment.kubernetes.io/revision']}:${spec.replicas}`,
    )
    .sort()
const conditionOf = (type: string) => deployment().status?.conditions?.find((each) => each.type === type)
const messages = () =>
  (world.store.list('events') as (KubeObject & { message: string })[]).map(({ message }) => message)

/** Every number of pods there was while something happened: those alive, and those of them that are ready. */
function watchPods(): { most: number; leastReady: number } {
  const seen = { most: 0, leastReady: Number.POSITIVE_INFINITY }
  world.store.onChange(({ resource }) => {
    if (resource !== 'pods') return
    const ready = alive().filter(({ status }) =>
      status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'),
    )
    seen.most = Math.max(seen.most, alive().length)
    seen.leastReady = Math.min(seen.leastReady, ready.length)
  })
  return seen
}

describe('a new Deployment', () => {
  it('makes a ReplicaSet, which makes pods that are theirs', async () => {
    await deploy()
    const [set] = sets()
    const hash = set?.metadata.labels?.['pod-template-hash']
    expect(set?.metadata.name).toBe(`web-${hash}`)
    expect(set?.metadata.ownerReferences).toMatchObject([
      { kind: 'Deployment', name: 'web', controller: true },
    ])
    expect(set?.spec.selector.matchLabels).toEqual({ app: 'web', 'pod-template-hash': hash })
    expect(set?.metadata.annotations).toMatchObject({
      team: 'blue',
      'deployment.kubernetes.io/revision': '1',
      'deployment.kubernetes.io/desired-replicas': '3',
      'deployment.kubernetes.io/max-replicas': '4',
    })
    expect(world.pods()).toHaveLength(3)
    for (const { metadata } of world.pods()) {
      expect(metadata.name).toMatch(new RegExp(`^web-${hash}-[a-z0-9]{5}$`))
      expect(metadata.generateName).toBe(`web-${hash}-`)
      expect(metadata.labels).toEqual({ app: 'web', 'pod-template-hash': hash })
      expect(metadata.ownerReferences).toMatchObject([{ kind: 'ReplicaSet', name: set?.metadata.name }])
    }
  })

  it('tells in its status that it is available and complete', async () => {
    await deploy()
    expect(deployment().metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('1')
    expect(deployment().status).toMatchObject({
      observedGeneration: 1,
      replicas: 3,
      updatedReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
    })
    expect(deployment().status).not.toHaveProperty('unavailableReplicas')
    expect(conditionOf('Available')).toMatchObject({
      status: 'True',
      reason: 'MinimumReplicasAvailable',
      message: 'Deployment has minimum availability.',
    })
    expect(conditionOf('Progressing')).toMatchObject({
      status: 'True',
      reason: 'NewReplicaSetAvailable',
      message: `ReplicaSet "${sets()[0]?.metadata.name}" has successfully progressed.`,
    })
  })

  it('says what it does in events', async () => {
    await deploy({ replicas: 1 })
    expect(messages()).toContain(`Scaled up replica set ${sets()[0]?.metadata.name} from 0 to 1`)
    expect(messages()).toContain(`Created pod: ${world.pods()[0]?.metadata.name}`)
  })

  it('spreads its pods over the nodes', async () => {
    await deploy({ replicas: 4 })
    expect(
      world
        .pods()
        .map(({ spec }) => spec.nodeName)
        .sort(),
    ).toEqual(['node-1', 'node-1', 'node-2', 'node-2'])
  })

  it('that does not get ready says so', async () => {
    await deploy({ replicas: 0 })
    world.healthy = false
    edit({ replicas: 1 })
    await world.settled()
    expect(conditionOf('Available')).toMatchObject({ status: 'False', reason: 'MinimumReplicasUnavailable' })
    edit({ template: template('two') })
    await world.settled()
    expect(conditionOf('Progressing')).toMatchObject({ status: 'True', reason: 'ReplicaSetUpdated' })
  })
})

describe('a changed template', () => {
  it('replaces the pods, within the limits of surge and availability', async () => {
    await deploy({ replicas: 10 })
    const seen = watchPods()
    edit({ template: template('two') })
    await world.settled()
    expect(new Set(commands())).toEqual(new Set(['two']))
    expect(alive()).toHaveLength(10)
    // A quarter of ten: up to three more, at most two missing.
    expect(seen.most).toBe(13)
    expect(seen.leastReady).toBeGreaterThanOrEqual(8)
    expect(revisions()).toEqual(['1:0', '2:10'])
    expect(deployment().metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('2')
    expect(deployment().status).toMatchObject({ replicas: 10, updatedReplicas: 10, observedGeneration: 2 })
  })

  it('goes one by one where both limits are rounded to nothing', async () => {
    const rollingUpdate = { maxSurge: 0, maxUnavailable: '10%' }
    await deploy({ replicas: 3, strategy: { type: 'RollingUpdate', rollingUpdate } })
    const seen = watchPods()
    edit({ template: template('two') })
    await world.settled()
    expect(commands()).toEqual(['two', 'two', 'two'])
    expect(seen).toEqual({ most: 3, leastReady: 2 })
  })

  it('keeps the old pods while the new ones do not get ready', async () => {
    await deploy({ replicas: 4 })
    world.healthy = false
    const old = alive().map(({ metadata }) => metadata.name)
    edit({ template: template('broken') })
    await world.settled()
    expect(alive().filter(({ metadata }) => old.includes(metadata.name)).length).toBeGreaterThanOrEqual(3)
    expect(deployment().status?.updatedReplicas).toBe(2)
  })

  it('with Recreate begins when everything old has ended', async () => {
    await deploy({ replicas: 3, strategy: { type: 'Recreate' } })
    const mixed: string[] = []
    world.store.onChange(({ resource }) => {
      if (resource !== 'pods') return
      const all = world.pods().map(({ spec }) => (spec.containers as { command: string[] }[])[0]?.command[0])
      if (new Set(all).size > 1) mixed.push(all.join())
    })
    edit({ template: template('two') })
    await world.settled()
    expect(commands()).toEqual(['two', 'two', 'two'])
    expect(mixed).toEqual([])
  })

  it('that is the old one again takes the old ReplicaSet, as `kubectl rollout undo` wants it', async () => {
    await deploy({ replicas: 2 })
    const [first] = sets()
    edit({ template: template('two') })
    await world.settled()
    edit({ template: template('one') })
    await world.settled()
    expect(sets()).toHaveLength(2)
    expect(revisions()).toEqual(['2:0', '3:2'])
    const again = sets().find(({ metadata }) => metadata.uid === first?.metadata.uid)
    expect(again?.metadata.annotations).toMatchObject({
      'deployment.kubernetes.io/revision': '3',
      'deployment.kubernetes.io/revision-history': '1',
    })
    expect(commands()).toEqual(['one', 'one'])
  })

  it('leaves no more ReplicaSets behind than the history may have', async () => {
    await deploy({ replicas: 1 })
    edit({ revisionHistoryLimit: 1 })
    for (const command of ['two', 'three', 'four']) {
      edit({ template: template(command) })
      await world.settled()
    }
    expect(revisions()).toEqual(['3:0', '4:1'])
  })
})

describe('scaling', () => {
  it.each([5, 1, 0])('to %i', async (replicas) => {
    await deploy({ replicas: 3 })
    edit({ replicas })
    await world.settled()
    expect(alive()).toHaveLength(replicas)
    expect(sets()).toHaveLength(1)
    expect(deployment().status?.replicas ?? 0).toBe(replicas)
    expect(conditionOf('Progressing')?.reason).toBe('NewReplicaSetAvailable')
  })

  it('in the midst of a rollout ends with the right number of the right pods', async () => {
    await deploy({ replicas: 6 })
    edit({ template: template('two') })
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
    edit({ replicas: 2 })
    await world.settled()
    expect(commands()).toEqual(['two', 'two'])
  })
})

describe('a paused Deployment', () => {
  it('does not roll out until it is resumed', async () => {
    await deploy({ replicas: 2 })
    edit({ paused: true })
    await world.settled()
    expect(conditionOf('Progressing')).toMatchObject({
      status: 'Unknown',
      reason: 'DeploymentPaused',
      message: 'Deployment is paused',
    })
    edit({ template: template('two') })
    await world.settled()
    expect(commands()).toEqual(['one', 'one'])
    edit({ paused: false })
    await world.settled()
    expect(commands()).toEqual(['two', 'two'])
    expect(conditionOf('Progressing')?.reason).toBe('NewReplicaSetAvailable')
  })

  it('can be scaled', async () => {
    await deploy({ replicas: 2 })
    edit({ paused: true, replicas: 4 })
    await world.settled()
    expect(commands()).toEqual(['one', 'one', 'one', 'one'])
  })

  it('in the midst of a rollout keeps its pods, until it is scaled', async () => {
    await deploy({ replicas: 4 })
    world.healthy = false
    edit({ template: template('two') })
    await world.settled()
    const names = alive().map(({ metadata }) => metadata.name)
    edit({ paused: true })
    await world.settled()
    expect(alive().map(({ metadata }) => metadata.name)).toEqual(names)
    edit({ replicas: 6 })
    await world.settled()
    expect(alive()).toHaveLength(names.length + 2)
  })
})

describe('pods that come and go', () => {
  it('a deleted one is replaced', async () => {
    await deploy({ replicas: 2 })
    const [gone] = world.pods()
    world.writer.delete({ resource: 'pods', namespace: 'default', name: gone?.metadata.name ?? '' })
    await world.settled()
    expect(alive()).toHaveLength(2)
    expect(alive().map(({ metadata }) => metadata.name)).not.toContain(gone?.metadata.name)
  })

  it('one that the API refuses is told of, and tried again', async () => {
    await deploy({ replicas: 0 })
    const volumes = [{ name: 'disk', hostPath: { path: '/' } }]
    edit({ replicas: 1, template: { ...template('one'), spec: { ...template('one').spec, volumes } } })
    await world.settled()
    const message = 'the sandbox does not do this: volumes of type hostPath (disk)'
    expect(messages()).toContain(`Error creating: ${message}`)
    expect(conditionOf('ReplicaFailure')).toMatchObject({
      status: 'True',
      reason: 'FailedCreate',
      message,
    })
    edit({ template: template('one') })
    await world.settled()
    expect(conditionOf('ReplicaFailure')).toBeUndefined()
  })

  it('one of somebody else with the same labels is left alone', async () => {
    await deploy({ replicas: 1 })
    world.addPod('stranger', {}, world.pods()[0]?.metadata.labels)
    await world.settled()
    expect(world.pods()).toHaveLength(2)
  })
})
