import { expect, test } from 'vitest'
import { Store } from '../store.ts'
import { environmentOf, expand, fieldOf } from './environment.ts'
import { type Container, podOf } from './pod-spec.ts'

const pod = podOf({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'web',
    namespace: 'default',
    uid: '11111111-2222-3333-4444-555555555555',
    labels: { app: 'web', 'a/b': 'c' },
  },
  spec: { nodeName: 'node-1', containers: [] },
})

const store = new Store()
store.put('configmaps', {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'settings', namespace: 'default' },
  data: { COLOUR: 'blue' },
})
store.put('secrets', {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'login', namespace: 'default' },
  data: { password: Buffer.from('geheim').toString('base64') },
})
const container = (rest: Partial<Container>): Container => ({ name: 'app', ...rest })
const environment = (rest: Partial<Container>) => environmentOf(pod, container(rest), store)

test.each([
  ['$(A)', 'one'],
  ['<$(A)$(A)>', '<oneone>'],
  ['$(MISSING)', '$(MISSING)'],
  ['$$(A)', '$(A)'],
  ['$$$(A)', '$one'],
  ['$A 5$', '$A 5$'],
])('%s becomes %s', (text, expected) => {
  expect(expand(text, { A: 'one' })).toBe(expected)
})

test('a variable may name those before it, and what comes later replaces', () => {
  const env = [
    { name: 'COLOUR', value: 'red' },
    { name: 'A', value: '$(COLOUR) $(B)' },
    { name: 'B', value: 'b' },
  ]
  expect(environment({ envFrom: [{ configMapRef: { name: 'settings' } }], env })).toEqual({
    COLOUR: 'red',
    A: 'red $(B)',
    B: 'b',
  })
})

test('values come from config maps, secrets and the pod itself', () => {
  const from = (name: string, valueFrom: object) => ({ name, valueFrom })
  const env = [
    from('COLOUR', { configMapKeyRef: { name: 'settings', key: 'COLOUR' } }),
    from('PASSWORD', { secretKeyRef: { name: 'login', key: 'password' } }),
    from('NODE', { fieldRef: { fieldPath: 'spec.nodeName' } }),
    from('NONE', { configMapKeyRef: { name: 'missing', key: 'x', optional: true } }),
  ]
  expect(environment({ env })).toEqual({ COLOUR: 'blue', PASSWORD: 'geheim', NODE: 'node-1' })
  expect(environment({ envFrom: [{ prefix: 'LOGIN_', secretRef: { name: 'login' } }] })).toEqual({
    LOGIN_password: 'geheim',
  })
})

test('what is missing is said as the kubelet says it', () => {
  expect(() => environment({ envFrom: [{ configMapRef: { name: 'missing' } }] })).toThrow(
    'configmap "missing" not found',
  )
  const env = [{ name: 'A', valueFrom: { secretKeyRef: { name: 'login', key: 'user' } } }]
  expect(() => environment({ env })).toThrow("couldn't find key user in Secret default/login")
})

test.each([
  ['metadata.uid', '11111111-2222-3333-4444-555555555555'],
  ["metadata.labels['a/b']", 'c'],
  ['status.hostIP', '127.0.0.1'],
])('the field %s', (fieldPath, expected) => {
  expect(fieldOf(pod, { fieldPath })).toBe(expected)
})
