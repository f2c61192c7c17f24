import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonMap } from '../value.ts'
import { layers } from './order.ts'
import { nameOf } from './references.ts'

const object = (apiVersion: string, kind: string, name: string, rest: JsonMap = {}): JsonMap => ({
  apiVersion,
  kind,
  metadata: { name, ...(global.has(kind) ? {} : { namespace: 'shop' }) },
  ...rest,
})
const global = new Set([
  'Namespace',
  'CustomResourceDefinition',
  'ClusterRole',
  'StorageClass',
  'ValidatingWebhookConfiguration',
])

const pods = (spec: JsonMap): JsonMap => ({ spec: { template: { spec } } })
const all: JsonMap[] = [
  object(
    'apps/v1',
    'Deployment',
    'web',
    pods({
      serviceAccountName: 'web',
      volumes: [{ name: 'c', configMap: { name: 'conf' } }],
      containers: [{ name: 'c', envFrom: [{ secretRef: { name: 'keys' } }] }],
    }),
  ),
  object('v1', 'ConfigMap', 'conf'),
  object('v1', 'Secret', 'keys'),
  object('v1', 'ServiceAccount', 'web'),
  object('v1', 'Namespace', 'shop'),
  object('rbac.authorization.k8s.io/v1', 'Role', 'r'),
  object('rbac.authorization.k8s.io/v1', 'RoleBinding', 'rb', {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' },
    subjects: [{ kind: 'ServiceAccount', name: 'web', namespace: 'shop' }],
  }),
  object('v1', 'Service', 'web'),
  object('networking.k8s.io/v1', 'Ingress', 'web', {
    spec: { defaultBackend: { service: { name: 'web' } } },
  }),
  object('autoscaling/v2', 'HorizontalPodAutoscaler', 'web', {
    spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' } },
  }),
  object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'things.example.com', {
    spec: { group: 'example.com', names: { kind: 'Thing' } },
  }),
  object('example.com/v1', 'Thing', 'one'),
  object('batch/v1', 'CronJob', 'night', {
    spec: {
      jobTemplate: {
        spec: { template: { spec: { volumes: [{ persistentVolumeClaim: { claimName: 'disk' } }] } } },
      },
    },
  }),
  object('v1', 'PersistentVolumeClaim', 'disk', { spec: { storageClassName: 'fast' } }),
  object('storage.k8s.io/v1', 'StorageClass', 'fast'),
  object('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', 'check'),
]

const names = (objects: readonly JsonMap[]) =>
  layers(objects, (it) => it).map((layer) => layer.map(({ identity }) => nameOf(identity)))

describe('what has to be there first goes first', () => {
  const place = new Map(names(all).flatMap((layer, index) => layer.map((name) => [name, index] as const)))

  test.each([
    ['Namespace shop', 'ConfigMap shop/conf'],
    ['ConfigMap shop/conf', 'Deployment.apps shop/web'],
    ['Secret shop/keys', 'Deployment.apps shop/web'],
    ['ServiceAccount shop/web', 'Deployment.apps shop/web'],
    ['Role.rbac.authorization.k8s.io shop/r', 'RoleBinding.rbac.authorization.k8s.io shop/rb'],
    ['ServiceAccount shop/web', 'RoleBinding.rbac.authorization.k8s.io shop/rb'],
    ['Service shop/web', 'Ingress.networking.k8s.io shop/web'],
    ['Deployment.apps shop/web', 'HorizontalPodAutoscaler.autoscaling shop/web'],
    ['CustomResourceDefinition.apiextensions.k8s.io things.example.com', 'Thing.example.com shop/one'],
    ['StorageClass.storage.k8s.io fast', 'PersistentVolumeClaim shop/disk'],
    ['PersistentVolumeClaim shop/disk', 'CronJob.batch shop/night'],
  ])('%s before %s', (first, then) => {
    expect(place.get(first)).toBeLessThan(place.get(then) ?? -1)
  })

  test('what is not in the set is not waited for', () => {
    expect(names([object('v1', 'ConfigMap', 'a')])).toEqual([['ConfigMap shop/a']])
  })
})

test('a circle ends, with the kind that comes first', () => {
  const a = object('v1', 'ServiceAccount', 'a', { secrets: [{ name: 'b' }] })
  const b = object('apps/v1', 'StatefulSet', 'b', pods({ serviceAccountName: 'a' }))
  expect(names([b, a])).toEqual([['ServiceAccount shop/a'], ['StatefulSet.apps shop/b']])
  const circle = [
    object('autoscaling/v2', 'HorizontalPodAutoscaler', 'x', {
      spec: { scaleTargetRef: { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', name: 'y' } },
    }),
    object('autoscaling/v2', 'HorizontalPodAutoscaler', 'y', {
      spec: { scaleTargetRef: { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', name: 'x' } },
    }),
  ]
  expect(names(circle).flat()).toHaveLength(2)
})

test('the order in which a set comes does not matter, and nothing is left out', () => {
  const expected = names(all)
  fc.assert(
    fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (shuffled) => {
      expect(names(shuffled)).toEqual(expected)
    }),
    { numRuns: 50 },
  )
  expect(expected.flat()).toHaveLength(all.length)
})
