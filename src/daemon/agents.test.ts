import { describe, expect, test } from 'vitest'
import { KubesyncError } from '../errors.ts'
import { followAgents } from './agents.ts'
import { runningPod } from './testing/fake-world.ts'
import type { PodQuery, PodsEvent } from './world.ts'

function follow() {
  let listener: (event: PodsEvent) => void = () => {}
  const queries: PodQuery[] = []
  let changes = 0
  const agents = followAgents({
    namespace: 'tools',
    watchPods(query, given) {
      queries.push(query)
      listener = given
      return () => {}
    },
    changed: () => {
      changes += 1
    },
  })
  return { agents, queries, tell: (event: PodsEvent) => listener(event), changes: () => changes }
}

const agent = (
  name: string,
  node: string,
  more: { ready?: boolean; runs?: boolean; deleting?: boolean } = {},
) => {
  const { ready = true, runs = true, deleting = false } = more
  const reason = runs ? '' : 'ImagePullBackOff'
  const containers = [{ name: 'agent', runningId: runs ? `containerd://${name}` : undefined, reason }]
  return runningPod(name, { node, ready, deleting, containers })
}

const away = { type: 'unreachable', error: new KubesyncError('SERVER_UNREACHABLE', 'no answer') } as const

describe('finding the agent of a node', () => {
  test('is the pod that runs there, in the namespace that was said', async () => {
    const { agents, queries, tell } = follow()
    const found = agents.find('n1')
    tell({ type: 'pods', pods: [agent('x', 'n2'), agent('y', 'n1')] })
    expect(await found).toEqual({ namespace: 'tools', pod: 'y', container: 'agent', strict: false })
    expect(queries).toEqual([{ namespace: 'tools', selector: 'app.kubernetes.io/name=kubesync-agent' }])
  })

  test('is known to be strict by its pod', async () => {
    const { agents, tell } = follow()
    tell({ type: 'pods', pods: [{ ...agent('x', 'n1'), strict: true }] })
    expect(await agents.find('n1')).toMatchObject({ pod: 'x', strict: true })
  })

  test('prefers a ready one to one that only runs, and takes none that is going', async () => {
    const { agents, tell } = follow()
    tell({
      type: 'pods',
      pods: [
        agent('going', 'n1', { deleting: true }),
        agent('new', 'n1', { ready: false }),
        agent('ready', 'n1'),
      ],
    })
    expect(await agents.find('n1')).toMatchObject({ pod: 'ready' })
    tell({
      type: 'pods',
      pods: [agent('going', 'n1', { deleting: true }), agent('new', 'n1', { ready: false })],
    })
    expect(await agents.find('n1')).toMatchObject({ pod: 'new' })
  })

  test('none at all: what to do', async () => {
    const { agents, tell } = follow()
    tell({ type: 'pods', pods: [] })
    await expect(agents.find('n1')).rejects.toMatchObject({
      code: 'NO_AGENT',
      hint: expect.stringMatching(/`ksync init`.*--agent ephemeral/),
    })
  })

  test('none on that node, though on others', async () => {
    const { agents, tell } = follow()
    tell({ type: 'pods', pods: [agent('x', 'n2')] })
    await expect(agents.find('n1')).rejects.toMatchObject({
      code: 'NO_AGENT',
      hint: expect.stringContaining('--tolerate'),
    })
  })

  test('one that does not run yet, with why', async () => {
    const { agents, tell } = follow()
    tell({ type: 'pods', pods: [agent('x', 'n1', { runs: false, ready: false })] })
    const error = { code: 'AGENT_NOT_READY', message: expect.stringContaining('ImagePullBackOff') }
    await expect(agents.find('n1')).rejects.toMatchObject(error)
  })

  test('when the server is away: its error, unless an agent was known', async () => {
    const { agents, tell } = follow()
    tell(away)
    await expect(agents.find('n1')).rejects.toThrow('no answer')
    tell({ type: 'pods', pods: [agent('x', 'n1')] })
    tell(away)
    expect(await agents.find('n1')).toMatchObject({ pod: 'x' })
  })
})

test('tells when an agent comes, goes or gets ready, and not when nothing that matters changed', () => {
  const { tell, changes } = follow()
  tell({ type: 'pods', pods: [agent('x', 'n1', { ready: false })] })
  tell({ type: 'pods', pods: [agent('x', 'n1')] })
  expect(changes()).toBe(2)
  tell({ type: 'pods', pods: [agent('x', 'n1')] })
  expect(changes()).toBe(2)
  tell({ type: 'pods', pods: [] })
  expect(changes()).toBe(3)
})
