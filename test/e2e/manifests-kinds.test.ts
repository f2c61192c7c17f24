import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { KubernetesObject } from '@kubernetes/client-node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cluster, parseObjects, useLab } from './support/cluster.ts'
import { useLaptop } from './support/ksync.ts'
import { Checkout, createByHand } from './support/manifests.ts'
import { until } from './support/until.ts'

const kinds = parseObjects(
  readFileSync(fileURLToPath(new URL('fixtures/kinds.yaml', import.meta.url)), 'utf8'),
)
const [one, other] = [useLab('kinds'), useLab('again')]
const laptop = useLaptop()

const suffix = one.namespace.slice(-6)
const group = `kinds-${suffix}.example.com`
/** Of lists whose items have keys, and of one that is a set. */
const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `routes.${group}`, labels: { part: suffix } },
  spec: {
    group,
    scope: 'Namespaced',
    names: { plural: 'routes', singular: 'route', kind: 'Route', listKind: 'RouteList' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schemaOfRoutes() } }],
  },
}
const route = {
  apiVersion: `${group}/v1`,
  kind: 'Route',
  metadata: { name: 'front' },
  spec: {
    tags: ['b', 'a'],
    ports: [
      { name: 'http', port: 80 },
      { name: 'admin', port: 81 },
    ],
  },
}

function schemaOfRoutes() {
  const port = {
    type: 'object',
    required: ['name'],
    properties: { name: { type: 'string' }, port: { type: 'integer' } },
  }
  const keyed = { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] }
  const spec = {
    type: 'object',
    properties: {
      ports: { type: 'array', items: port, ...keyed },
      tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
      mode: { type: 'string', default: 'plain' },
    },
  }
  return { type: 'object', properties: { spec } }
}

beforeAll(async () => {
  await cluster.objects.create(definition)
  await until('the kind is served', () => createByHand(route, one.namespace), { holds: (isMade) => isMade })
})
afterAll(() => cluster.objects.delete(definition))

/** Which version each object is at. */
async function versions(objects: readonly KubernetesObject[]): Promise<string> {
  const read = objects.map(async ({ apiVersion = '', kind = '', metadata }) => {
    const named = { namespace: one.namespace, ...metadata, name: metadata?.name ?? '' }
    const { metadata: now } = await cluster.objects.read({ apiVersion, kind, metadata: named })
    return [kind, now?.name, now?.resourceVersion, now?.generation]
  })
  return JSON.stringify(await Promise.all(read))
}

/** The versions once controllers are done with it. */
async function settledVersions(objects: readonly KubernetesObject[]): Promise<string> {
  let last = ''
  return until('controllers are done', () => versions(objects), {
    every: 1000,
    holds: (now) => {
      const isSettled = now === last
      last = now
      return isSettled
    },
  })
}

test('a namespace with each kind that people write comes into files and goes back without a change', async () => {
  const made: KubernetesObject[] = [route]
  for (const object of kinds) if (await createByHand(object, one.namespace)) made.push(object)
  const before = await settledVersions(made)
  const first = new Checkout(laptop, { name: 'first', namespace: one.namespace })

  expect(await first.did('pull', '-f')).toContain('left out')
  expect(Object.keys(first.files())).toHaveLength(made.length)
  expect(await first.did('diff')).toContain(`${made.length} the same`)
  await first.did('push', '-f')
  expect(await versions(made)).toBe(before)

  // What was pulled is all it takes to make the same again.
  const renamed = (text: string) => text.replaceAll(one.namespace, other.namespace)
  const second = new Checkout(laptop, { name: 'second', namespace: other.namespace })
  for (const [path, text] of Object.entries(first.files())) second.write(renamed(path), renamed(text))
  await second.did('push', '-f', '--no-wait')
  const third = new Checkout(laptop, { name: 'third', namespace: other.namespace })
  await third.did('pull', '-f')
  const expected = Object.entries(first.files()).map(([path, text]) => [renamed(path), renamed(text)])
  expect(third.files()).toEqual(Object.fromEntries(expected))
})

test('objects of several namespaces and of none are pulled, do not differ, and are not written again', async () => {
  const labels = { part: suffix }
  const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }]
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: `reader-${suffix}` }
  const config = { apiVersion: 'v1', kind: 'ConfigMap', data: { a: '1' } }
  const wide = (kind: string) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    ...{ kind, metadata: { name: `reader-${suffix}`, labels } },
  })
  const objects = [
    { ...config, metadata: { name: 'shared', namespace: one.namespace, labels } },
    { ...config, metadata: { name: 'shared', namespace: other.namespace, labels } },
    { ...wide('ClusterRole'), rules },
    { ...wide('ClusterRoleBinding'), roleRef, subjects: [{ kind: 'User', name: 'nobody' }] },
  ]
  for (const object of objects) await cluster.objects.create(object)
  try {
    const before = await versions(objects)
    const here = new Checkout(laptop, { name: 'wide', namespace: one.namespace })
    await here.did('pull', '--all', '-l', `part=${suffix}`, '-f')
    expect(Object.keys(here.files())).toEqual(
      [
        `_cluster/clusterrole/reader-${suffix}.yaml`,
        `_cluster/clusterrolebinding/reader-${suffix}.yaml`,
        `_cluster/customresourcedefinition/routes.${group}.yaml`,
        ...[one, other].map(({ namespace }) => `${namespace}/configmap/shared.yaml`).sort(),
      ].sort(),
    )
    expect(await here.did('diff')).toContain('5 the same')
    await here.did('push', '-f')
    expect(await versions(objects)).toBe(before)
  } finally {
    for (const object of objects.slice(2)) await cluster.objects.delete(object)
  }
})
