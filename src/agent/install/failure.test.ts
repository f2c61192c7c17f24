import { describe, expect, test } from 'vitest'
import { describeFailure } from './failure.ts'
import type { NodeProgress, Rollout } from './rollout.ts'

const options = {
  namespace: 'tools',
  image: 'node',
  nodeSelector: {},
  tolerations: [],
  version: '1',
  waitMs: 90_000,
}
const image = { message: 'the image node cannot be pulled', final: true, hint: 'use --image' }

function failed(rollout: Partial<Rollout>) {
  return describeFailure({ nodes: [], desired: 3, state: 'settled', ...rollout }, options)
}

function nodes(
  count: number,
  state: NodeProgress['state'],
  rest: Partial<NodeProgress> = {},
): NodeProgress[] {
  return Array.from({ length: count }, (_, index) => ({ node: `${state}${index + 1}`, state, ...rest }))
}

describe('what is said when an install is not ready', () => {
  test('names nodes and reasons, each reason once', () => {
    const { code, message, hint } = failed({
      nodes: [...nodes(1, 'ready'), ...nodes(2, 'failed', { reason: image })],
    })
    expect(code).toBe('AGENT_NOT_READY')
    expect(message).toBe(
      'the agent is ready on 1 of 3 nodes: failed1, failed2: the image node cannot be pulled',
    )
    expect(hint).toBe('use --image')
  })

  test('says how long it waited when waiting longer might have helped, and where to look', () => {
    const { message, hint } = failed({ state: 'waiting', desired: 1, nodes: nodes(1, 'pulling') })
    expect(message).toBe(
      'after 90 s the agent is ready on 0 of 1 node: pulling1: its image is still being pulled',
    )
    expect(hint).toContain('kubectl -n tools describe pods')
  })

  test('stays readable on a large cluster', () => {
    const { message } = failed({ desired: 40, nodes: nodes(40, 'failed', { reason: image }) })
    expect(message).toContain('failed5 and 35 more: the image')
  })

  test('says why there are no pods at all', () => {
    const { message } = failed({ reason: { message: 'the quota forbids it', final: true } })
    expect(message).toBe('the agent is ready on 0 of 3 nodes: the quota forbids it')
  })

  test('says that no node takes it, and which flag decides that', () => {
    const none = { nodes: [], desired: 0, state: 'settled' } as const
    expect(describeFailure(none, options)).toMatchObject({
      message: 'no node takes the agent',
      hint: expect.stringContaining("--tolerate '*'"),
    })
    expect(describeFailure(none, { ...options, nodeSelector: { pool: 'dev' } }).hint).toContain('pool=dev')
  })

  test('says that nobody acted on it', () => {
    expect(failed({ state: 'waiting', desired: undefined }).message).toContain(
      'has not acted on the DaemonSet',
    )
  })
})
