import { expect, test } from 'vitest'
import type { JsonMap } from '../value.ts'
import { withDigests } from './digests.ts'

const digest = (character: string) => `sha256:${character.repeat(64)}`

const web: JsonMap = {
  kind: 'Deployment',
  spec: {
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        containers: [
          { name: 'web', image: 'web:1' },
          { name: 'side', image: 'side@sha256:1' },
        ],
      },
    },
  },
}

function pod(image: string, imageID: string, labels: JsonMap = { app: 'web', hash: '1' }): JsonMap {
  return {
    metadata: { labels },
    spec: { containers: [{ name: 'web', image }] },
    status: { containerStatuses: [{ name: 'web', imageID }] },
  }
}

test.each<[string, JsonMap[], string | undefined]>([
  ['what its pods run', [pod('web:1', `docker.io/library/web@${digest('a')}`)], digest('a')],
  ['as older runtimes report it', [pod('web:1', `docker-pullable://web@${digest('a')}`)], digest('a')],
  [
    'not what an older rollout ran',
    [pod('web:1', `web@${digest('a')}`), pod('web:0', `web@${digest('b')}`)],
    digest('a'),
  ],
  ["not what others' pods run", [pod('web:1', `web@${digest('a')}`, { app: 'other' })], undefined],
  [
    'nothing where its pods disagree',
    [pod('web:1', `web@${digest('a')}`), pod('web:1', `web@${digest('b')}`)],
    undefined,
  ],
  ['nothing where the image came from no registry', [pod('web:1', digest('a'))], undefined],
  ['nothing without a pod', [], undefined],
])('a tag becomes %s', (_, pods, expected) => {
  const { object, notes } = withDigests(web, pods)
  expect(JSON.stringify(object)).toBe(
    JSON.stringify(web).replace('web:1', expected === undefined ? 'web:1' : `web:1@${expected}`),
  )
  expect(notes).toEqual(expected === undefined ? [expect.stringContaining('web:1 stays as it is')] : [])
})
