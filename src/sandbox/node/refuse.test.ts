import { expect, test } from 'vitest'
import type { JsonObject } from '../object.ts'
import { refusePod } from './refuse.ts'

const app = { name: 'app', image: 'app:1', command: ['true'] }
const pod = (spec: JsonObject) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'default' },
  spec,
})
const data = { volumes: [{ name: 'data', emptyDir: {} }] }
const mounted = { ...app, volumeMounts: [{ name: 'data', mountPath: '/data' }] }

test.each<[string, JsonObject]>([
  ['hostPath', { containers: [app], volumes: [{ name: 'host', hostPath: { path: '/' } }] }],
  [
    'persistentVolumeClaim',
    { containers: [app], volumes: [{ name: 'x', persistentVolumeClaim: { claimName: 'x' } }] },
  ],
  [
    'projected',
    { containers: [app], volumes: [{ name: 'x', projected: { sources: [{ downwardAPI: {} }] } }] },
  ],
  ['downwardAPI', { containers: [app], volumes: [{ name: 'x', downwardAPI: { items: [] } }] }],
  ['more than once', { containers: [mounted, { ...mounted, name: 'other' }], ...data }],
  ['tty', { containers: [{ ...app, tty: true }] }],
  [
    'subPath',
    { containers: [{ ...app, volumeMounts: [{ name: 'data', mountPath: '/x', subPath: 'y' }] }], ...data },
  ],
  ['gRPC', { containers: [{ ...app, livenessProbe: { grpc: { port: 1 } } }] }],
  ['hooks', { containers: [{ ...app, lifecycle: { preStop: { exec: { command: ['true'] } } } }] }],
  ['termination messages', { containers: [{ ...app, terminationMessagePath: '/tmp/said' }] }],
  [
    'go on running',
    { containers: [app], initContainers: [{ ...app, name: 'side', restartPolicy: 'Always' }] },
  ],
])('%s is not done, and said to be', (feature, spec) => {
  expect(() => refusePod(pod(spec))).toThrow(
    expect.objectContaining({ code: 501, message: expect.stringContaining(feature) }),
  )
})

test('an emptyDir may go from init container to container', () => {
  refusePod(pod({ initContainers: [{ ...mounted, name: 'first' }], containers: [mounted], ...data }))
})

test('a config map may be in several containers', () => {
  const volumes = [{ name: 'data', configMap: { name: 'settings' } }]
  refusePod(pod({ containers: [mounted, { ...mounted, name: 'other' }], volumes }))
})
