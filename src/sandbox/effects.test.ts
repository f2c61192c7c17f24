import { expect, it } from 'vitest'
import { effectsOf } from './effects.ts'
import type { ResourceType } from './resource.ts'

const warningsOf = (key: string, spec: object) =>
  effectsOf({ key } as ResourceType, { apiVersion: 'v1', kind: 'Any', metadata: { name: 'a' }, spec })

it.each([
  ['daemonsets.apps', { updateStrategy: { rollingUpdate: { maxSurge: 1 } } }, 'maxSurge'],
  ['deployments.apps', { minReadySeconds: 5 }, 'minReadySeconds'],
  ['deployments.apps', { progressDeadlineSeconds: 60 }, 'progressDeadlineSeconds'],
  ['pods', { affinity: { podAntiAffinity: { any: [] } } }, 'affinity.podAntiAffinity'],
  ['pods', { topologySpreadConstraints: [{ maxSkew: 1 }] }, 'topologySpreadConstraints'],
  ['deployments.apps', { template: { spec: { affinity: { podAffinity: { any: [] } } } } }, 'podAffinity'],
])('%s with %j: told that it has no effect', (key, spec, field) => {
  expect(warningsOf(key, spec)).toEqual([expect.stringContaining(field)])
})

it.each([
  ['deployments.apps', { progressDeadlineSeconds: 600, strategy: { rollingUpdate: { maxSurge: 1 } } }],
  ['daemonsets.apps', { updateStrategy: { rollingUpdate: { maxSurge: 0 } } }],
  ['pods', { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: {} } } }],
])('%s with %j: nothing to tell', (key, spec) => {
  expect(warningsOf(key, spec)).toEqual([])
})
