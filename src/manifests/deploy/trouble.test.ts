import { describe, expect, test } from 'vitest'
import type { JsonMap } from '../value.ts'
import { refusalOf, selectorOf, troubleOf } from './trouble.ts'

const pod = (status: JsonMap): JsonMap => ({ metadata: { name: 'web-1' }, status })
const container = (state: JsonMap, more: JsonMap = {}) =>
  pod({ containerStatuses: [{ name: 'web', ready: false, restartCount: 0, state, ...more }] })
const said = (object: JsonMap) => {
  const trouble = troubleOf(object)
  return trouble && [trouble.container, trouble.reason, trouble.message, trouble.isStuck]
}

describe('why a pod does not come up', () => {
  test('an image that cannot be pulled', () => {
    const waiting = { reason: 'ImagePullBackOff', message: 'Back-off pulling image "web:9"' }
    expect(said(container({ waiting }))).toEqual([
      'web',
      'ImagePullBackOff',
      'Back-off pulling image "web:9"',
      true,
    ])
    // That may pass: it is tried again at once.
    expect(said(container({ waiting: { reason: 'ErrImagePull' } }))?.at(-1)).toBe(false)
  })

  test('a program that ends again and again: with what it ended the last time', () => {
    const lastState = { terminated: { exitCode: 137, reason: 'OOMKilled' } }
    const state = { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } }
    expect(troubleOf(container(state, { lastState, restartCount: 2 }))).toEqual({
      ...{ pod: 'web-1', container: 'web', reason: 'CrashLoopBackOff', isStuck: true, hasRun: true },
      message: 'it ended with exit code 137, OOMKilled',
    })
  })

  test('a pod that fits on no node, and one whose program is not ready', () => {
    const conditions = [
      { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes' },
    ]
    expect(said(pod({ conditions }))).toEqual([undefined, 'Unschedulable', '0/3 nodes', false])
    expect(said(container({ running: {} }))).toEqual(['web', 'NotReady', 'it runs and is not ready', false])
  })

  test('an init container that fails comes before what waits for it', () => {
    const initContainerStatuses = [{ name: 'setup', state: { waiting: { reason: 'CrashLoopBackOff' } } }]
    const containerStatuses = [{ name: 'web', state: { waiting: { reason: 'PodInitializing' } } }]
    expect(said(pod({ initContainerStatuses, containerStatuses }))?.[0]).toBe('setup')
  })

  test('nothing, while it is made or runs', () => {
    expect(said(container({ waiting: { reason: 'ContainerCreating' } }))).toBeUndefined()
    expect(said(container({ running: {} }, { ready: true }))).toBeUndefined()
    expect(said(container({ terminated: { exitCode: 0 } }))).toBeUndefined()
    expect(said({ metadata: { name: 'web-1' } })).toBeUndefined()
  })

  test('a quota: the controller of pods says it', () => {
    const condition = { type: 'ReplicaFailure', status: 'True', message: 'exceeded quota: small' }
    expect(refusalOf({ status: { conditions: [condition] } })).toBe('exceeded quota: small')
    expect(refusalOf({ status: {} })).toBeUndefined()
  })
})

test('pods are selected as the object selects them', () => {
  const selector = {
    matchLabels: { app: 'web' },
    matchExpressions: [
      { key: 'tier', operator: 'In', values: ['a', 'b'] },
      { key: 'old', operator: 'DoesNotExist' },
    ],
  }
  expect(selectorOf({ spec: { selector } })).toBe('app=web,tier in (a,b),!old')
  expect(selectorOf({ spec: {} })).toBeUndefined()
})
