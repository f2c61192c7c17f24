import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Spec } from '../config/spec.ts'
import { decide, type Situation } from './bindings.ts'
import type { Pod } from './pods.ts'

const spec: Spec = {
  name: 'demo',
  local: '/l',
  remote: '/r',
  context: 'kind',
  namespace: 'default',
  selector: 'app=demo',
  mode: 'two-way-safe',
}

/** A running, ready pod; those made with a lower age are younger. */
function pod(
  name: string,
  more: Partial<Pod> & { age?: number; reason?: string; runs?: string | null } = {},
): Pod {
  const { age = 0, reason = '', runs = `containerd://${name}`, ...rest } = more
  return {
    uid: `uid-${name}`,
    name,
    node: 'node1',
    createdAt: `2024-01-01T00:00:${String(59 - age).padStart(2, '0')}Z`,
    phase: 'Running',
    deleting: false,
    ready: true,
    defaultContainer: 'app',
    containers: [{ name: 'app', runningId: runs ?? undefined, reason }],
    ...rest,
  }
}

function given(pods: Pod[], more: Partial<Omit<Situation, 'failing'>> & { failing?: string[] } = {}) {
  const { failing = [], ...rest } = more
  return decide({ spec, pods, ...rest, failing: new Set(failing.map((name) => `uid-${name}`)) })
}

/** `a* b` for a leader a and a follower b. */
function roles(...args: Parameters<typeof given>): string {
  const { bindings } = given(...args)
  return bindings.map(({ pod, role }) => (role === 'leader' ? `${pod}*` : pod)).join(' ')
}

describe('who leads', () => {
  test.each<[string, Parameters<typeof given>, string]>([
    ['the only one', [[pod('a')]], 'a*'],
    ['the oldest', [[pod('a'), pod('b', { age: 2 }), pod('c', { age: 1 })]], 'b* c a'],
    ['of the same age, always the same', [[pod('b'), pod('a')]], 'a* b'],
    ['the oldest that is ready', [[pod('a', { age: 1, ready: false }), pod('b')]], 'a b*'],
    [
      'an unready one when none is ready',
      [[pod('a', { age: 1, ready: false }), pod('b', { ready: false })]],
      'a* b',
    ],
    ['the oldest that can be reached', [[pod('a', { age: 1 }), pod('b')], { failing: ['a'] }], 'a b*'],
    [
      'one that cannot be reached when none can',
      [[pod('a', { age: 1 }), pod('b')], { failing: ['a', 'b'] }],
      'a* b',
    ],
    [
      'the one that led, though another is older',
      [[pod('a', { age: 1 }), pod('b')], { leader: 'uid-b' }],
      'a b*',
    ],
    [
      'the one that led, though it is unready',
      [[pod('a', { ready: false }), pod('b')], { leader: 'uid-a' }],
      'a* b',
    ],
    ['another when it is deleted', [[pod('a', { deleting: true }), pod('b')], { leader: 'uid-a' }], 'b*'],
    ['another when it has ended', [[pod('a', { phase: 'Failed' }), pod('b')], { leader: 'uid-a' }], 'b*'],
    ['another when it is gone', [[pod('b')], { leader: 'uid-a' }], 'b*'],
    [
      'another when only that can be reached',
      [[pod('a'), pod('b')], { leader: 'uid-a', failing: ['a'] }],
      'a b*',
    ],
    [
      'the same when nothing can be reached',
      [[pod('a'), pod('b')], { leader: 'uid-b', failing: ['a', 'b'] }],
      'a b*',
    ],
    [
      'nobody for the moment in which its container restarts',
      [[pod('a', { runs: null }), pod('b')], { leader: 'uid-a' }],
      'b',
    ],
    [
      'another when its container restarts again and again',
      [[pod('a', { runs: null, reason: 'CrashLoopBackOff' }), pod('b')], { leader: 'uid-a' }],
      'b*',
    ],
  ])('%s', (_, args, expected) => {
    expect(roles(...args)).toBe(expected)
  })

  test('its place is kept for a pod whose container is not back yet', () => {
    expect(given([pod('a', { runs: null }), pod('b')], { leader: 'uid-a' }).leader).toBe('uid-a')
  })
})

describe('which containers', () => {
  const two = pod('a', {
    defaultContainer: 'web',
    containers: [
      { name: 'app', runningId: 'containerd://1', reason: '' },
      { name: 'web', runningId: 'containerd://2', reason: '' },
    ],
  })

  test('the default one, or the one that the spec names', () => {
    expect(given([two]).bindings).toMatchObject([{ container: 'web', containerId: 'containerd://2' }])
    const named = { spec: { ...spec, container: 'app' } }
    expect(given([two], named).bindings).toMatchObject([{ container: 'app', containerId: 'containerd://1' }])
  })

  test('a container that restarted is another one', () => {
    const [before] = given([pod('a')]).bindings
    const [after] = given([pod('a', { runs: 'containerd://new' })], { leader: 'uid-a' }).bindings
    expect(after).toEqual({ ...before, containerId: 'containerd://new' })
  })
})

describe('modes', () => {
  const modes = (mode: Spec['mode']) =>
    given([pod('a', { age: 1 }), pod('b')], { spec: { ...spec, mode } }).bindings.map((one) => one.mode)

  test('the leader syncs as the spec says, followers only receive', () => {
    expect(modes('two-way-safe')).toEqual(['two-way-safe', 'to-remote-safe'])
    expect(modes('to-remote-safe')).toEqual(['to-remote-safe', 'to-remote-safe'])
  })

  test('when nothing is sent there are no followers', () => {
    expect(modes('to-local-safe')).toEqual(['to-local-safe'])
  })
})

describe('why there is nothing to sync', () => {
  test.each<[string, Parameters<typeof given>]>([
    ['no pod matches app=demo in namespace default', [[]]],
    ['there is no pod db in namespace default', [[], { spec: { ...spec, selector: undefined, pod: 'db' } }]],
    ['pod a is being deleted', [[pod('a', { deleting: true })]]],
    ['pod a has ended (Succeeded)', [[pod('a', { phase: 'Succeeded' })]]],
    ['pod a has no node yet', [[pod('a', { node: '', phase: 'Pending', runs: null })]]],
    ['pod a has no container x; it has app', [[pod('a')], { spec: { ...spec, container: 'x' } }]],
    ['container app of pod a is not running', [[pod('a', { runs: null })]]],
    [
      'container app of pod a is not running (ContainerCreating)',
      [[pod('a', { runs: null, reason: 'ContainerCreating' })]],
    ],
    ['container app of pod b is not running', [[pod('a', { deleting: true }), pod('b', { runs: null })]]],
  ])('%s', (message, args) => {
    expect(given(...args)).toMatchObject({ bindings: [], waiting: message })
  })
})

describe('what the pods are to each other', () => {
  const pods = [pod('a', { age: 1 }), pod('b'), pod('c')]
  const modes = (changes: Partial<Spec>) =>
    given(pods, { spec: { ...spec, ...changes } }).bindings.map(
      ({ pod, role, mode }) => `${pod} ${role} ${mode}`,
    )

  test('the leader syncs as the spec says, and the others only receive', () => {
    expect(modes({})).toEqual([
      'a leader two-way-safe',
      'b follower to-remote-safe',
      'c follower to-remote-safe',
    ])
  })

  test('pods: leader leaves the others alone', () => {
    expect(modes({ pods: 'leader' })).toEqual(['a leader two-way-safe'])
  })

  test('twoWayAll makes them equal', () => {
    expect(modes({ twoWayAll: true })).toEqual([
      'a peer two-way-safe',
      'b peer two-way-safe',
      'c peer two-way-safe',
    ])
  })
})

test('at most one leads, nobody is bound who does not run, and the same is decided twice', () => {
  const anyPod = fc
    .record({
      name: fc.constantFrom('a', 'b', 'c', 'd'),
      age: fc.nat(3),
      ready: fc.boolean(),
      deleting: fc.boolean(),
      phase: fc.constantFrom('Pending', 'Running', 'Failed'),
      runs: fc.constantFrom('containerd://1', null),
      reason: fc.constantFrom('', 'CrashLoopBackOff'),
    })
    .map(({ name, ...more }) => pod(name, more))
  const pods = fc.uniqueArray(anyPod, { selector: ({ name }) => name, maxLength: 4 })
  const name = fc.constantFrom('a', 'b', 'c', 'd', 'gone')
  fc.assert(
    fc.property(pods, name, fc.array(name), (pods, led, failing) => {
      const first = given(pods, { leader: `uid-${led}`, failing })
      const leaders = first.bindings.filter(({ role }) => role === 'leader')
      expect(leaders.length).toBeLessThanOrEqual(1)
      for (const { podUid } of leaders) expect(podUid).toBe(first.leader)
      for (const { podUid, containerId } of first.bindings) {
        const bound = pods.find(({ uid }) => uid === podUid)
        expect(bound?.deleting).toBe(false)
        expect(bound?.containers[0]?.runningId).toBe(containerId)
      }
      expect(first.waiting === undefined).toBe(first.bindings.length > 0)
      expect(given(pods.toReversed(), { leader: first.leader, failing })).toEqual(first)
    }),
  )
})

test('who leads goes on to lead, whoever comes or goes beside it and whether it is ready or not', () => {
  const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1 })
  fc.assert(
    fc.property(names, names, fc.boolean(), (before, after, ready) => {
      const { leader } = given(before.map((name, age) => pod(name, { age })))
      const left = after.map((name, age) => pod(name, { age: 20 - age }))
      const led = left.map((one) => (one.uid === leader ? { ...one, ready } : one))
      const next = given(led, { leader }).leader
      if (left.some(({ uid }) => uid === leader)) expect(next).toBe(leader)
      else expect(next).not.toBe(leader)
    }),
  )
})
