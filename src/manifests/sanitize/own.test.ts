import { expect, test } from 'vitest'
import { allRules } from './own.ts'
import { sanitize } from './sanitize.ts'

const build = {
  kind: 'Deployment.apps',
  path: 'metadata.annotations["ci/build"]',
  when: [{ matches: '^[0-9]+$' }],
  reason: 'the pipeline sets it',
}
const object = (value: string, name = 'web') => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, uid: 'u', annotations: { 'ci/build': value } },
})

test('a rule of a user takes out what it says, behind those that are built in, and gives its reason', () => {
  const { object: clean, removed } = sanitize(object('17'), allRules([build]))
  expect(clean.metadata).toEqual({ name: 'web' })
  expect(removed.map(({ rule }) => rule.reason)).toEqual(['the server sets it', build.reason])
  expect(sanitize(object('main'), allRules([build])).object.metadata).toHaveProperty('annotations')
})

test('what the own file has stays, unless the rule says that it was never chosen there', () => {
  expect(sanitize(object('17'), allRules([build]), object('16')).object.metadata).toHaveProperty(
    'annotations',
  )
  const always = allRules([{ ...build, allocated: false }])
  expect(sanitize(object('17'), always, object('16')).object.metadata).toEqual({ name: 'web' })
})

test('no rule takes what makes an object that one', () => {
  for (const path of ['*', 'metadata', 'metadata.name', '**.name', 'kind']) {
    const { object: clean } = sanitize(object('17'), allRules([{ kind: '*', path, reason: 'r' }]))
    expect(clean).toMatchObject({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } })
  }
})

test.each([
  [{ ...build, path: 'metadata..name' }, 'metadata..name'],
  [{ ...build, when: [{ matches: '(' }] }, 'Invalid regular expression'],
  [{ ...build, pth: 'x' }, 'pth'],
  [{ kind: 'Pod', path: 'spec' }, 'reason'],
  ['spec', 'Object'],
])('a rule that cannot be used is refused by its number: %j', (rule, message) => {
  const use = () => allRules([build, rule])
  expect(use).toThrow('rule 2 of `sanitize` cannot be used')
  expect(use).toThrow(message)
})
