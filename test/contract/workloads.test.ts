import { describe, expect } from 'vitest'
import { at, type Fields, list, nameOf, names, type Thing, text, thing, uidOf } from './support/json.ts'
import { condition, isReady, podSpec, podsOf, shell, untilAsked } from './support/pods.ts'
import { client, needing, useNamespace } from './support/suite.ts'
import { became, gone, watch } from './support/watch.ts'

const space = useNamespace()
const runs = needing('nodes', 'controllers')
const apps = (plural: string) => space.path(plural, 'apps/v1')
const revision = 'deployment.kubernetes.io/revision'

const template = (name: string, container: Fields = {}) => ({
  metadata: { labels: { app: name } },
  spec: podSpec([shell(untilAsked, container)]),
})
const make = (name: string, spec: Fields = {}) =>
  client.create(apps('deployments'), {
    metadata: { name },
    spec: { selector: { matchLabels: { app: name } }, template: template(name), ...spec },
  })
const setImageEnv = (name: string, value: string) =>
  client.patch(`${apps('deployments')}/${name}`, 'strategic', {
    spec: { template: { spec: { containers: [{ name: 'main', env: [{ name: 'V', value }] }] } } },
  })
const is = (status: Fields) => (object: Thing) =>
  at(object, 'status', 'observedGeneration') === object.metadata.generation &&
  Object.entries(status).every(([field, value]) => (at(object, 'status', field) ?? 0) === value)
const rolledOut = (replicas: number) =>
  is({ replicas, updatedReplicas: replicas, readyReplicas: replicas, availableReplicas: replicas })
const deployed = (name: string, wanted: (object: Thing) => boolean) =>
  became(client, { collection: apps('deployments'), name }, wanted)
const setsOf = async (name: string) => {
  const found = await client.get(`${apps('replicasets')}?labelSelector=app%3D${name}`)
  return list(found, 'items').map(thing)
}
const revisionOf = (object: Thing) => at(object, 'metadata', 'annotations', revision)

describe.concurrent('a Deployment', () => {
  runs('makes a ReplicaSet, which makes Pods; all tell their state', async () => {
    const made = await make('makes', { replicas: 2 })
    const deployment = await deployed(
      'makes',
      (object) =>
        rolledOut(2)(object) &&
        condition(object, 'Progressing') === 'True' &&
        JSON.stringify(object.status).includes('NewReplicaSetAvailable'),
    )
    const [set] = await setsOf('makes')
    const hash = text(set, 'metadata', 'labels', 'pod-template-hash')
    expect(set).toMatchObject({
      metadata: {
        name: `makes-${hash}`,
        labels: { app: 'makes' },
        annotations: {
          [revision]: '1',
          'deployment.kubernetes.io/desired-replicas': '2',
          'deployment.kubernetes.io/max-replicas': '3',
        },
        ownerReferences: [
          {
            apiVersion: 'apps/v1',
            kind: 'Deployment',
            name: 'makes',
            uid: uidOf(made),
            controller: true,
            blockOwnerDeletion: true,
          },
        ],
      },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: 'makes', 'pod-template-hash': hash } },
        template: { metadata: { labels: { app: 'makes', 'pod-template-hash': hash } } },
      },
      status: {
        replicas: 2,
        fullyLabeledReplicas: 2,
        readyReplicas: 2,
        availableReplicas: 2,
        observedGeneration: 1,
      },
    })
    expect(deployment.metadata.annotations).toEqual({ [revision]: '1' })
    expect(list(deployment, 'status', 'conditions')).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          type: 'Available',
          status: 'True',
          reason: 'MinimumReplicasAvailable',
          message: 'Deployment has minimum availability.',
        }),
        expect.objectContaining({
          type: 'Progressing',
          status: 'True',
          reason: 'NewReplicaSetAvailable',
          message: `ReplicaSet "makes-${hash}" has successfully progressed.`,
        }),
      ]),
    )
    const pods = await podsOf(space, 'app=makes')
    expect(pods).toHaveLength(2)
    for (const pod of pods) {
      expect(nameOf(pod)).toMatch(new RegExp(`^makes-${hash}-[a-z0-9]{5}$`))
      expect(pod.metadata).toMatchObject({
        generateName: `makes-${hash}-`,
        labels: { app: 'makes', 'pod-template-hash': hash },
        ownerReferences: [
          {
            kind: 'ReplicaSet',
            name: `makes-${hash}`,
            uid: uidOf(set),
            controller: true,
            blockOwnerDeletion: true,
          },
        ],
      })
    }
  })

  runs('is scaled up and down', async () => {
    await make('scales')
    await deployed('scales', rolledOut(1))
    await client.patch(`${apps('deployments')}/scales/scale`, 'merge', { spec: { replicas: 3 } })
    await deployed('scales', rolledOut(3))
    await client.patch(`${apps('deployments')}/scales/scale`, 'merge', { spec: { replicas: 1 } })
    await deployed('scales', rolledOut(1))
    expect(await setsOf('scales')).toHaveLength(1)
  })

  runs('replaces a pod that is deleted', async () => {
    await make('replaces')
    await deployed('replaces', rolledOut(1))
    const [old] = await podsOf(space, 'app=replaces')
    const name = nameOf(old)
    await client.delete(`${space.path('pods')}/${name}`)
    await gone(client, { collection: space.path('pods'), name })
    await deployed('replaces', rolledOut(1))
    const [next] = await podsOf(space, 'app=replaces')
    expect(nameOf(next)).not.toBe(name)
  })

  runs('rolls a change out, pod by pod, and back to a ReplicaSet it had', async () => {
    await make('rolls', { replicas: 2, strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } } })
    await deployed('rolls', rolledOut(2))
    const [first] = await setsOf('rolls')
    await setImageEnv('rolls', '2')
    const second = await deployed('rolls', (object) => revisionOf(object) === '2' && rolledOut(2)(object))
    expect(second.metadata.generation).toBe(2)
    const sets = await setsOf('rolls')
    expect(sets.map((set) => [revisionOf(set), at(set, 'spec', 'replicas')]).sort()).toEqual([
      ['1', 0],
      ['2', 2],
    ])
    await client.patch(`${apps('deployments')}/rolls`, 'json', [
      { op: 'remove', path: '/spec/template/spec/containers/0/env' },
    ])
    await deployed('rolls', (object) => revisionOf(object) === '3' && rolledOut(2)(object))
    const again = await client.get(`${apps('replicasets')}/${nameOf(first)}`)
    expect([revisionOf(again), at(again, 'spec', 'replicas')]).toEqual(['3', 2])
    expect(await setsOf('rolls')).toHaveLength(2)
  })

  runs('keeps what runs while its new pods do not get ready', async () => {
    await make('stuck', { strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } } })
    await deployed('stuck', rolledOut(1))
    const readinessProbe = { exec: { command: ['false'] }, periodSeconds: 1 }
    await client.patch(`${apps('deployments')}/stuck`, 'strategic', {
      spec: { template: { spec: { containers: [{ name: 'main', readinessProbe }] } } },
    })
    const stuck = await deployed(
      'stuck',
      is({ replicas: 2, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1, unavailableReplicas: 1 }),
    )
    expect(condition(stuck, 'Available')).toBe('True')
  })

  runs('that is paused changes no pod', async () => {
    await make('paused')
    await deployed('paused', rolledOut(1))
    await client.patch(`${apps('deployments')}/paused`, 'merge', { spec: { paused: true } })
    await setImageEnv('paused', '2')
    const seen = await deployed('paused', is({ replicas: 1 }))
    expect(at(seen, 'status', 'updatedReplicas') ?? 0).toBe(0)
    expect(await setsOf('paused')).toHaveLength(1)
    await client.patch(`${apps('deployments')}/paused`, 'merge', { spec: { paused: false } })
    await deployed('paused', rolledOut(1))
    expect(await setsOf('paused')).toHaveLength(2)
  })

  runs('that recreates never has old and new pods at once', async () => {
    await make('recreates', { strategy: { type: 'Recreate' } })
    await deployed('recreates', rolledOut(1))
    const [old] = await podsOf(space, 'app=recreates')
    const from = text(await client.get(space.path('pods')), 'metadata', 'resourceVersion')
    const events = await watch(
      client,
      `${space.path('pods')}?watch=1&resourceVersion=${from}&labelSelector=app%3Drecreates`,
    )
    await setImageEnv('recreates', '2')
    const seen = await events.until(({ type }) => type === 'ADDED')
    events.close()
    const ended = seen.filter(({ object }) => nameOf(object) === nameOf(old)).at(-1)
    expect(['DELETED', 'MODIFIED']).toContain(ended?.type)
    expect(
      ended?.type === 'DELETED' ||
        ['Succeeded', 'Failed'].includes(String(at(ended?.object, 'status', 'phase'))),
    ).toBe(true)
    await deployed('recreates', rolledOut(1))
  })

  runs('takes its ReplicaSets and Pods along when it goes', async () => {
    await make('goes')
    await deployed('goes', rolledOut(1))
    const [set] = await setsOf('goes')
    const [pod] = await podsOf(space, 'app=goes')
    await client.delete(`${apps('deployments')}/goes`, { propagationPolicy: 'Background' })
    await gone(client, { collection: apps('replicasets'), name: nameOf(set) })
    await gone(client, { collection: space.path('pods'), name: nameOf(pod) })
  })
})

describe.concurrent('a DaemonSet', () => {
  const isComplete = (nodes: number) =>
    is({
      desiredNumberScheduled: nodes,
      currentNumberScheduled: nodes,
      numberReady: nodes,
      updatedNumberScheduled: nodes,
      numberAvailable: nodes,
      numberMisscheduled: 0,
    })

  runs('has a pod on every node, and renews them all', async () => {
    const nodes = names(await client.get('/api/v1/nodes')).sort()
    const set = { collection: apps('daemonsets'), name: 'each' }
    await client.create(set.collection, {
      metadata: { name: 'each' },
      spec: { selector: { matchLabels: { app: 'each' } }, template: template('each') },
    })
    await became(client, set, isComplete(nodes.length))
    const before = await podsOf(space, 'app=each')
    expect(before.map((pod) => text(pod, 'spec', 'nodeName')).sort()).toEqual(nodes)
    expect(before.every(isReady)).toBe(true)
    expect(before[0]?.metadata).toMatchObject({
      generateName: 'each-',
      labels: { app: 'each', 'controller-revision-hash': expect.any(String), 'pod-template-generation': '1' },
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'DaemonSet',
          name: 'each',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    })
    await client.patch(`${set.collection}/each`, 'strategic', {
      spec: { template: { spec: { containers: [{ name: 'main', env: [{ name: 'V', value: '2' }] }] } } },
    })
    await became(client, set, isComplete(nodes.length))
    const kept = before.map(uidOf)
    const after = (await podsOf(space, 'app=each')).filter(
      ({ metadata }) => metadata.deletionTimestamp === undefined,
    )
    expect(after.map((pod) => text(pod, 'spec', 'nodeName')).sort()).toEqual(nodes)
    expect(after.filter((pod) => kept.includes(uidOf(pod)))).toEqual([])
    await client.delete(`${set.collection}/each`, { propagationPolicy: 'Foreground' })
    await gone(client, set)
    expect(await podsOf(space, 'app=each')).toEqual([])
  })

  runs('leaves out nodes that its selector does not fit', async () => {
    const spec = { ...podSpec([shell(untilAsked)]), nodeSelector: { 'example.com/none': 'x' } }
    await client.create(apps('daemonsets'), {
      metadata: { name: 'none' },
      spec: {
        selector: { matchLabels: { app: 'none' } },
        template: { metadata: { labels: { app: 'none' } }, spec },
      },
    })
    await became(client, { collection: apps('daemonsets'), name: 'none' }, isComplete(0))
    expect(await podsOf(space, 'app=none')).toEqual([])
  })
})
