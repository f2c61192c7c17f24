import { spawn } from 'node:child_process'
import { once } from 'node:events'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { ephemeralContainer, findUsable, hostSchema, idle, lastFailure, userOf } from './container.ts'

const image = 'node:22'
const wanted = { target: 'app', image, user: { uid: 1000, gid: 1000 } }

function host(spec: object, status: object = {}) {
  const pod = { metadata: { uid: 'u' }, spec: { containers: [{ name: 'app' }], ...spec }, status }
  return v.parse(hostSchema, pod)
}

/** A pod with ephemeral containers, each of them in a state. */
function podWith(
  ...added: { name?: string; image?: string; uid?: number; state?: object; target?: string }[]
) {
  const named = added.map((one, index) => ({ name: `ksync-${index}`, ...one }))
  return host(
    {
      ephemeralContainers: named.map(({ name, image: own = image, uid = 1000, target = 'app' }) => ({
        ...{ name, image: own, targetContainerName: target },
        securityContext: { runAsUser: uid, runAsGroup: uid },
      })),
    },
    { ephemeralContainerStatuses: named.map(({ name, state = {} }) => ({ name, state })) },
  )
}

describe('the container that is added', () => {
  test('has the target’s processes, ids, and whatever else of rights the target has', () => {
    const securityContext = {
      ...{ runAsNonRoot: true, allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
      ...{ capabilities: { drop: ['ALL'] }, seccompProfile: { type: 'RuntimeDefault' } },
    }
    const pod = host({ containers: [{ name: 'other' }, { name: 'app', securityContext }] })
    const { readOnlyRootFilesystem: _, ...kept } = securityContext
    expect(ephemeralContainer(pod, wanted)).toMatchObject({
      name: expect.stringMatching(/^ksync-[0-9a-f]{8}$/),
      targetContainerName: 'app',
      securityContext: { ...kept, runAsUser: 1000, runAsGroup: 1000 },
    })
  })

  test('has no ids of its own where nobody knows the target’s', () => {
    expect(ephemeralContainer(host({}), { ...wanted, user: {} }).securityContext).toEqual({})
  })
})

describe('whom the target runs as', () => {
  const app = (securityContext: object) => [{ name: 'app', securityContext }]

  test.each([
    ['nobody says', {}, {}],
    ['the pod says', { securityContext: { runAsUser: 5, runAsGroup: 6 } }, { uid: 5, gid: 6 }],
    [
      'the container says more than the pod',
      { securityContext: { runAsUser: 5, runAsGroup: 6 }, containers: app({ runAsUser: 7 }) },
      { uid: 7, gid: 6 },
    ],
    [
      'it must not be root, but who it is the image says',
      { containers: app({ runAsNonRoot: true }) },
      { uid: 65_532, gid: 65_532 },
    ],
    [
      'root may be forbidden by the pod',
      { securityContext: { runAsNonRoot: true } },
      { uid: 65_532, gid: 65_532 },
    ],
  ])('%s', (_, spec, user) => {
    expect(userOf(host(spec), 'app')).toEqual({ uid: undefined, gid: undefined, ...user })
  })

  test('the status of newer servers knows it', () => {
    const user = { linux: { uid: 101, gid: 102, supplementalGroups: [102] } }
    const pod = host({}, { containerStatuses: [{ name: 'app', user }] })
    expect(userOf(pod, 'app')).toEqual({ uid: 101, gid: 102 })
  })

  test('what was found out the last time counts first', () => {
    expect(userOf(podWith({ uid: 65_532 }, { uid: 101 }), 'app')).toEqual({ uid: 101, gid: 101 })
  })
})

describe('a container of ours that is there already', () => {
  const running = { running: {} }
  const ended = (exitCode: number) => ({ terminated: { exitCode, reason: 'Error', message: 'no node' } })

  test('is used again if it runs, whatever image it has', () => {
    const pod = podWith({ state: running, image: 'node:20' }, { state: ended(0) })
    expect(findUsable(pod, wanted)?.name).toBe('ksync-0')
  })

  test.each([
    ['it ended', { state: ended(0) }],
    ['it is for another container', { state: running, target: 'other' }],
    ['it has another user', { state: running, uid: 5 }],
    ['it is somebody else’s', { state: running, name: 'debugger-1' }],
    ['it waits for another image', { state: { waiting: { reason: 'ImagePullBackOff' } }, image: 'typo' }],
  ])('is not used when %s', (_, one) => {
    expect(findUsable(podWith(one), wanted)).toBeUndefined()
  })

  test('is waited for when it is about to start', () => {
    expect(findUsable(podWith({}), wanted)).toMatchObject({ name: 'ksync-0', state: {} })
  })

  test.each([
    ['it had no Node', 127, 'no node'],
    ['it was not used for a while', 0, undefined],
    ['its target ended', 137, undefined],
  ])('keeps more from being added when %s', (_, exitCode, why) => {
    expect(lastFailure(podWith({ state: ended(exitCode) }), wanted)).toBe(why)
  })
})

describe('what it does all day', () => {
  const start = (name: string, ...more: string[]) =>
    spawn(process.execPath, ['-e', idle, name, '20', ...more])

  test('it ends by itself when nobody needs it', async () => {
    expect(await once(start(`ksync-none-${process.pid}`, '2'), 'exit')).toEqual([0, null])
  })

  test('it stays for as long as an agent runs in it', async () => {
    const name = `ksync-some-${process.pid}`
    const agent = spawn(process.execPath, ['-e', 'process.stdin.resume()', 'pod', name], { stdio: 'pipe' })
    await once(agent, 'spawn')
    const idling = start(name, '1')
    // Another one that nobody needs tells when it would have gone.
    await once(start(`ksync-other-${process.pid}`, '3'), 'exit')
    expect(idling.exitCode).toBeNull()
    agent.stdin.end()
    expect(await once(idling, 'exit')).toEqual([0, null])
  })

  test('it ends at once when it is told to', async () => {
    const idling = start(`ksync-told-${process.pid}`, '1000')
    await once(idling, 'spawn')
    idling.kill('SIGTERM')
    const [code, signal] = await once(idling, 'exit')
    // Before its first line ran, the signal itself ends it.
    expect(code ?? signal).toSatisfy((end) => end === 0 || end === 'SIGTERM')
  })
})
