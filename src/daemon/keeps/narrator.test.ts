import { expect, test } from 'vitest'
import type { KeepConflict, KeepStatus } from '../../manifests/keep/status.ts'
import { keepStatus } from '../testing/fake-keeps.ts'
import { describeKeep } from './narrator.ts'

const write = (resource: string) =>
  ({ at: '', where: 'file', resource, file: `${resource}.yaml`, what: 'written' }) as const
const conflict: KeepConflict = {
  ...{
    id: '1',
    kind: 'conflict',
    resource: 'Deployment.apps d/web',
    file: 'web.yaml',
    field: 'spec.replicas',
  },
  ...{ local: '2', remote: '3', why: 'both sides changed it', answers: '' },
}
const told = (before: KeepStatus | undefined, now: KeepStatus) =>
  describeKeep(before, now).map(({ level, message }) => `${level} ${message}`)

test('the first time in step is told, and what is the same is not told again', () => {
  const now = keepStatus({ conflicts: [conflict], problems: [{ about: 'a.yaml:3', reason: 'no YAML' }] })
  expect(told(undefined, now)).toEqual([
    'warn Deployment.apps d/web (web.yaml): spec.replicas: here 2, in the cluster 3: both sides changed it',
    'info `ksync resolve` asks about each',
    'warn a.yaml:3: no YAML',
    'info in step (2 objects)',
  ])
  expect(told(now, { ...now, drift: 3 })).toEqual([])
})

test('each write is told once, also when more were made than are listed', () => {
  const [one, two, three] = [write('a'), write('b'), write('c')]
  const before = keepStatus({ writes: { files: 1, cluster: 0 }, lastWrites: [one] })
  const now = keepStatus({ writes: { files: 4, cluster: 0 }, lastWrites: [two, three] })
  expect(told(before, now)).toEqual([
    'info 1 more write',
    'info b (b.yaml): written in the file',
    'info c (c.yaml): written in the file',
  ])
  expect(told(now, now)).toEqual([])
})

test('a server that goes and comes back is told both times, with the reason', () => {
  const away = keepStatus({ state: 'away', reason: 'it refuses connections' })
  expect(told(keepStatus(), away)).toEqual(['warn it refuses connections'])
  expect(told(away, keepStatus({ state: 'starting' }))).toEqual([])
  expect(told(keepStatus({ state: 'starting' }), keepStatus())).toEqual(['info in step (2 objects)'])
})

test('a halt is an error; a question that was answered is no news', () => {
  expect(told(keepStatus(), keepStatus({ state: 'halted', reason: '5 of 5 are gone' }))).toEqual([
    'error halted: 5 of 5 are gone',
  ])
  expect(told(keepStatus({ state: 'waiting', conflicts: [conflict] }), keepStatus())).toEqual([])
})

test('a problem is told when it comes and when it is over', () => {
  const broken = keepStatus({ problems: [{ about: 'a.yaml:3', reason: 'no YAML' }] })
  expect(told(keepStatus(), broken)).toEqual(['warn a.yaml:3: no YAML'])
  expect(told(broken, keepStatus())).toEqual(['info a.yaml:3: that is over'])
})

test('a long value, or one of several lines, is cut', () => {
  const long = { ...conflict, local: 'x'.repeat(200), remote: undefined }
  expect(told(undefined, keepStatus({ conflicts: [long] }))[0]).toContain(
    `here ${'x'.repeat(59)}…, in the cluster nothing`,
  )
})
