import { describe, expect, test } from 'vitest'
import type { JsonMap } from '../value.ts'
import { gateOf, rolloutOf } from './rollout.ts'

function deployment(status: JsonMap, spec: JsonMap = { replicas: 3 }): JsonMap {
  return {
    kind: 'Deployment',
    metadata: { generation: 2 },
    spec,
    status: { observedGeneration: 2, ...status },
  }
}

describe('a rollout', () => {
  test.each<[string, JsonMap, object]>([
    ['not seen by its controller', { observedGeneration: 1 }, { state: 'waiting' }],
    ['half way', { replicas: 3, updatedReplicas: 1 }, { state: 'waiting', words: '1 of 3 updated' }],
    ['with old pods', { replicas: 4, updatedReplicas: 3 }, { state: 'waiting' }],
    ['not up', { replicas: 3, updatedReplicas: 3, availableReplicas: 2 }, { words: '2 of 3 available' }],
    ['done', { replicas: 3, updatedReplicas: 3, availableReplicas: 3 }, { state: 'ready' }],
    [
      'that is stuck',
      { conditions: [{ type: 'Progressing', reason: 'ProgressDeadlineExceeded', message: 'no' }] },
      { state: 'failed', reason: 'no' },
    ],
  ])('%s', (_, status, expected) => {
    expect(rolloutOf(deployment(status))).toMatchObject(expected)
  })

  test('of what has no pods is done, and so is that of what has no rollout', () => {
    expect(rolloutOf(deployment({}, { replicas: 0 }))).toEqual({ state: 'ready' })
    expect(rolloutOf({ kind: 'ConfigMap' })).toEqual({ state: 'ready' })
  })

  test('of a StatefulSet stops at its partition', () => {
    const spec = { replicas: 3, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } }
    const status = { updatedReplicas: 1, readyReplicas: 3 }
    expect(rolloutOf({ ...deployment(status, spec), kind: 'StatefulSet' })).toEqual({ state: 'ready' })
  })
})

test('a gate is open when others can build on it', () => {
  const crd = (status: string) => ({
    kind: 'CustomResourceDefinition',
    status: { conditions: [{ type: 'Established', status }] },
  })
  expect([gateOf(crd('False')).state, gateOf(crd('True')).state]).toEqual(['waiting', 'ready'])
  expect(gateOf({ kind: 'Namespace', status: { phase: 'Active' } }).state).toBe('ready')
})
