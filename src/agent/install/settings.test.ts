import { expect, test } from 'vitest'
import { agentObjects } from './objects.ts'
import { settingsOf } from './settings.ts'

test('what was chosen once can be read from the DaemonSet that was made of it', () => {
  const chosen = {
    image: 'registry.example.com/node:22',
    nodeSelector: { pool: 'dev' },
    tolerations: [{ operator: 'Exists' }, { key: 'a', operator: 'Equal', value: 'b', effect: 'NoSchedule' }],
  } as const
  const daemonSet = agentObjects({ ...chosen, namespace: 'n', version: '1' }).at(-1)
  expect(settingsOf(daemonSet)).toEqual({ ...chosen, strict: false })
  const strict = agentObjects({ ...chosen, namespace: 'n', version: '1', strictCode: Buffer.from('code') })
  expect(settingsOf(strict.at(-1))).toEqual({ ...chosen, strict: true })
})

test('of a DaemonSet that is not like ours nothing is read', () => {
  expect(settingsOf({ spec: {} })).toBeUndefined()
  expect(
    settingsOf({ spec: { template: { spec: { containers: [{ name: 'other', image: 'x' }] } } } }),
  ).toBeUndefined()
})
