import { describe, expect, test } from 'vitest'
import type { WaitOptions } from '../carry/wait.ts'
import type { Session } from '../session.ts'
import type { JsonMap } from '../value.ts'
import { followRollout } from './follow.ts'

const identity = { group: 'apps', kind: 'Deployment', namespace: 'a', name: 'web' }
const deployment = (status: JsonMap): JsonMap => ({
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'a', generation: 1 },
  spec: { replicas: 1, selector: { matchLabels: { app: 'web' } } },
  status: { observedGeneration: 1, updatedReplicas: 1, replicas: 1, ...status },
})
const up = deployment({ availableReplicas: 1 })
const down = deployment({ availableReplicas: 0 })
const pod = (uid: string, state: JsonMap): JsonMap => ({
  metadata: { name: uid, uid },
  status: { containerStatuses: [{ name: 'web', ready: 'running' in state, state }] },
})
const crashing = { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } }

/** Follows a cluster that is this at one look after the other, and stays what it is at the last. */
async function followed(looks: readonly { object: JsonMap; pods: JsonMap[] }[], timeoutMs = 60_000) {
  let at = -1
  const look = () => looks[Math.min(at, looks.length - 1)]
  const client = {
    get: async () => {
      at += 1
      return look()?.object
    },
    listAll: async () => ({ items: look()?.pods }),
  }
  const said: string[] = []
  const options: WaitOptions = {
    ...{ timeoutMs, signal: new AbortController().signal },
    onProgress: (words) => void said.push(words),
  }
  const session = { client } as unknown as Session
  const object = { identity, apiVersion: 'apps/v1' }
  return { failure: await followRollout(session, { object, before: new Set(['old']) }, options), said }
}

describe('a rollout', () => {
  test('has failed as soon as a pod that came with it cannot come up', async () => {
    const { failure } = await followed([{ object: down, pods: [pod('new', crashing)] }])
    expect(failure).toMatchObject({
      reason: 'pod new: web: CrashLoopBackOff: back-off',
      trouble: { pod: 'new', isStuck: true },
    })
  })

  test('has not failed because a pod of before is broken while new ones come', async () => {
    const { failure } = await followed([
      { object: down, pods: [pod('old', crashing)] },
      {
        object: down,
        pods: [pod('old', crashing), pod('new', { waiting: { reason: 'ContainerCreating' } })],
      },
      { object: up, pods: [pod('new', { running: {} })] },
    ])
    expect(failure).toBeUndefined()
  })

  test('has not succeeded with a pod that is up for a blink', async () => {
    const { failure, said } = await followed([
      { object: up, pods: [pod('new', { running: {} })] },
      { object: down, pods: [pod('new', { terminated: { exitCode: 1 } })] },
      { object: down, pods: [pod('new', crashing)] },
    ])
    expect(failure?.reason).toContain('CrashLoopBackOff')
    expect(said[0]).toContain('it is up, and has to stay up')
  })

  test('is over at once where nothing new runs', async () => {
    expect(await followed([{ object: up, pods: [pod('old', { running: {} })] }], 0)).toEqual({ said: [] })
  })

  test('that takes too long says what it waits for', async () => {
    const { failure } = await followed([{ object: down, pods: [pod('new', { running: {} })] }], 0)
    expect(failure?.reason).toBe('not ready after 0 s: 0 of 1 available')
  })
})
