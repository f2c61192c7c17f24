import { expect, test } from 'vitest'
import { newEarly } from './early.ts'
import { type Pod, readPod } from './pods.ts'

const state = (running: string | undefined) =>
  running === undefined
    ? {
        containerID: 'x://old',
        state: {
          waiting: { reason: 'CrashLoopBackOff', message: 'back-off 1m20s restarting failed container=web' },
        },
        lastState: { terminated: { finishedAt: '2024-05-31T10:00:00Z' } },
      }
    : { containerID: running, state: { running: {} } }

function pod(running: string | undefined): Pod {
  const read = readPod({
    metadata: { name: 'web-0', uid: 'u' },
    spec: { nodeName: 'n', restartPolicy: 'Never', containers: [{ name: 'web' }] },
    status: { phase: 'Running', containerStatuses: [{ name: 'web', ...state(running) }] },
  })
  if (read === undefined) throw new Error('no pod')
  return read
}

test.each([
  ['while the server still tells of the old one', 'x://old', 'x://new'],
  ['while it tells of none', undefined, 'x://new'],
  ['and once it tells of it', 'x://new', 'x://new'],
  ['but not in the place of yet another one', 'x://newer', 'x://newer'],
])('a container that an agent saw first counts, %s', (_when, told, counts) => {
  const early = newEarly()
  early.add({ podUid: 'u', container: 'web', old: 'x://old', id: 'x://new' })
  expect(early.apply([pod(told)])[0]?.containers[0]?.runningId).toBe(counts)
  early.remove('x://new')
  expect(early.apply([pod(told)])[0]?.containers[0]?.runningId).toBe(told)
})

test('a kubelet’s back-off is read from its words, from when the container ended', () => {
  const { containers, neverRestarts } = pod(undefined)
  expect(containers[0]?.restartsAt).toBe(Date.parse('2024-05-31T10:01:20Z'))
  expect(neverRestarts).toBe(true)
})
