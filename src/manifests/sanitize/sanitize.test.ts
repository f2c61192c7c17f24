import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { find, parsePattern } from '../path.ts'
import { formatPath, type JsonMap } from '../value.ts'
import { ruleSchema } from './rule.ts'
import { builtinRules } from './rules.ts'
import { sanitize } from './sanitize.ts'

const clean = (object: JsonMap, like?: JsonMap) => sanitize(object, builtinRules, like).object

describe('what goes', () => {
  test('what the server and controllers keep in the object', () => {
    const live = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {
        name: 'web',
        namespace: 'shop',
        uid: 'u',
        resourceVersion: '7',
        generation: 3,
        creationTimestamp: '2026-01-01T00:00:00Z',
        managedFields: [{ manager: 'kubectl' }],
        annotations: {
          'deployment.kubernetes.io/revision': '4',
          'kubectl.kubernetes.io/last-applied-configuration': '{}',
        },
      },
      spec: { template: { metadata: { creationTimestamp: null, labels: { app: 'web' } }, spec: {} } },
      status: { replicas: 1 },
    }
    expect(clean(live)).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'shop' },
      spec: { template: { metadata: { labels: { app: 'web' } }, spec: {} } },
    })
  })

  test('what the cluster chose for a Service, unless the user chose it', () => {
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 's' },
      spec: { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], ports: [{ port: 80, nodePort: 30001 }] },
    }
    expect(clean(service).spec).toEqual({ ports: [{ port: 80 }] })
    const own = { ...service, spec: { ports: [{ port: 80, nodePort: 30001 }] } }
    expect(clean(service, own).spec).toEqual({ ports: [{ port: 80, nodePort: 30001 }] })
  })

  test('what a service account and admission bring into a Pod', () => {
    const mount = { name: 'kube-api-access-x2x', mountPath: '/var/run/secrets' }
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p' },
      spec: {
        nodeName: 'n1',
        containers: [
          { name: 'c', volumeMounts: [mount] },
          { name: 'd', volumeMounts: [mount, { name: 'own' }] },
        ],
        volumes: [{ name: 'kube-api-access-x2x' }, { name: 'own', emptyDir: {} }],
        tolerations: [
          { key: 'node.kubernetes.io/not-ready', tolerationSeconds: 300 },
          { key: 'node.kubernetes.io/unreachable', tolerationSeconds: 60 },
        ],
      },
    }
    expect(clean(pod).spec).toEqual({
      containers: [{ name: 'c' }, { name: 'd', volumeMounts: [{ name: 'own' }] }],
      volumes: [{ name: 'own', emptyDir: {} }],
      tolerations: [{ key: 'node.kubernetes.io/unreachable', tolerationSeconds: 60 }],
    })
  })
})

describe('what stays', () => {
  test('a headless Service’s clusterIP, an empty emptyDir, finalizers of others, and what no rule knows', () => {
    const objects: JsonMap[] = [
      { apiVersion: 'v1', kind: 'Service', spec: { clusterIP: 'None', clusterIPs: ['None'] } },
      { apiVersion: 'v1', kind: 'Pod', spec: { volumes: [{ name: 'a', emptyDir: {} }] } },
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'x', finalizers: ['example.com/mine'] },
        data: {},
      },
      { apiVersion: 'example.com/v1', kind: 'Thing', spec: { status: {}, clusterIP: '10.0.0.1' }, extra: [] },
      {
        apiVersion: 'batch/v1',
        kind: 'Job',
        spec: { manualSelector: true, selector: { matchLabels: { a: 'b' } } },
      },
    ]
    for (const object of objects) expect(clean(object)).toEqual(object)
  })
})

test('each removal names its rule', () => {
  const { removed } = sanitize({ kind: 'X', metadata: { uid: 'u', name: 'n' }, status: {} }, builtinRules)
  expect(removed.map(({ path, rule }) => [formatPath(path), rule.reason])).toEqual([
    ['metadata.uid', 'the server sets it'],
    ['status', 'it is what is, not what is wanted'],
  ])
})

test('rules of users are the same data', () => {
  const rule = v.parse(ruleSchema, {
    kind: 'Thing.example.com',
    path: 'spec.*.secret',
    when: [{ matches: '^x' }],
    reason: 'r',
  })
  const object = {
    apiVersion: 'example.com/v1',
    kind: 'Thing',
    spec: { a: { secret: 'xy' }, b: { secret: 'y' } },
  }
  expect(sanitize(object, [rule]).object.spec).toEqual({ b: { secret: 'y' } })
  expect(v.safeParse(ruleSchema, { kind: 'A', path: 'b', reason: 'c', typo: 1 }).success).toBe(false)
})

test('paths', () => {
  expect(find({ a: [{ b: 1 }, { b: 2 }] }, parsePattern('a[*].b')).map(formatPath)).toEqual([
    'a[0].b',
    'a[1].b',
  ])
  expect(find({ 'a.b/c': { d: 1 } }, parsePattern('["a.b/c"].*'))).toEqual([['a.b/c', 'd']])
  expect(find({ x: 1, a: { x: 2, l: [{ x: 3 }] } }, parsePattern('**.x')).map(formatPath)).toEqual([
    'x',
    'a.x',
    'a.l[0].x',
  ])
  for (const wrong of ['a[0', 'a]', 'a["b', 'a[b]']) expect(() => parsePattern(wrong)).toThrow(SyntaxError)
})

test('a second time there is nothing left to remove, for any object', () => {
  const name = fc.constantFrom(
    'metadata',
    'spec',
    'status',
    'uid',
    'annotations',
    'creationTimestamp',
    'ports',
    'clusterIP',
  )
  const { any } = fc.letrec<{ any: unknown }>((tie) => ({
    any: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(null, 1, 'None', 'x'),
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(name, tie('any'), { noNullPrototype: true }),
    ),
  }))
  fc.assert(
    fc.property(fc.dictionary(name, any, { noNullPrototype: true }), (object) => {
      const once = clean({ ...(object as JsonMap), kind: 'Service' })
      expect(clean(once)).toEqual(once)
    }),
  )
})
