import { describe, expect, test } from 'vitest'
import { parseDuration, parseLabels, parseObjectName, parseSelector, parseToleration } from './values.ts'

describe('lengths of time', () => {
  test.each([
    ['90s', 90_000],
    ['2m', 120_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1_500],
    ['250ms', 250],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  test.each(['', '10', '0s', '-1s', '2 m', 'm', '1d', '1s1'])('"%s" is none', (text) => {
    expect(() => parseDuration(text)).toThrow('is not a length of time')
  })
})

describe('tolerations, in the words of kubectl taint', () => {
  test.each([
    ['*', { operator: 'Exists' }],
    ['dedicated', { key: 'dedicated', operator: 'Exists' }],
    ['dedicated:NoSchedule', { key: 'dedicated', operator: 'Exists', effect: 'NoSchedule' }],
    ['dedicated=gpu', { key: 'dedicated', operator: 'Equal', value: 'gpu' }],
    ['a.io/b=c:NoExecute', { key: 'a.io/b', operator: 'Equal', value: 'c', effect: 'NoExecute' }],
    ['dedicated=:NoSchedule', { key: 'dedicated', operator: 'Equal', value: '', effect: 'NoSchedule' }],
  ])('%s', (text, toleration) => {
    expect(parseToleration(text)).toEqual(toleration)
  })

  test.each(['', '=x', 'a=b=c', 'a:Never', 'a b', '**'])('"%s" is none', (text) => {
    expect(() => parseToleration(text)).toThrow(/is not a/)
  })
})

test('labels are several with commas, and values may be empty', () => {
  expect(parseLabels('kubernetes.io/arch=amd64,pool=')).toEqual({ 'kubernetes.io/arch': 'amd64', pool: '' })
  for (const wrong of ['pool', 'pool==x', '=x', 'pool=a b', ''])
    expect(() => parseLabels(wrong)).toThrow('is not a label')
})

describe('selectors', () => {
  test.each([
    'app=demo',
    'app==demo,tier!=cache',
    'app in (a, b),!legacy',
    'env notin (prod)',
    'acme.io/role',
    'app=',
  ])('%s is one', (text) => {
    expect(parseSelector(text)).toBe(text)
  })

  test.each(['', 'app=demo,', 'app in (a', 'app=a=b', '=x', 'app in a', 'a b', 'app>1'])(
    '"%s" is none',
    (text) => {
      expect(() => parseSelector(text)).toThrow('is not a label selector')
    },
  )
})

test('names of objects are those that Kubernetes takes', () => {
  const parse = parseObjectName('pod')
  expect(parse('web-0.example')).toBe('web-0.example')
  for (const wrong of ['', 'Web', 'a_b', '-a', 'a/b', '..', 'x'.repeat(254)])
    expect(() => parse(wrong)).toThrow('pod')
})
