import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { newName, overlap, type Reach, refuseOverlap } from './specs.ts'

const base: Reach = {
  local: '/home/me/demo',
  remote: '/srv/demo',
  context: 'kind',
  namespace: 'default',
  selector: 'app=demo',
  mode: 'two-way-safe',
}
const elsewhere = { local: '/home/me/other' }
const other = (more: Partial<Reach>): Reach => ({ ...base, ...elsewhere, ...more })

describe('specs overlap', () => {
  test.each<[string, Partial<Reach>]>([
    ['on the same remote folder', {}],
    ['on a remote folder inside', { remote: '/srv/demo/static' }],
    ['on a remote folder around', { remote: '/' }],
    ['on a remote folder written otherwise', { remote: '/srv//x/../demo/' }],
    ['when a pod may have the labels', { selector: undefined, pod: 'demo-1' }],
    ['when a pod may have both labels', { selector: 'tier=web' }],
    ['when the selector is of sets', { selector: 'app in (demo,other)' }],
    ['when one names a container and the other does not', { container: 'app' }],
    ['on the same local folder', { local: '/home/me/demo', remote: '/x' }],
    ['on a local folder inside, in whatever cluster', { local: '/home/me/demo/a', context: 'prod' }],
    ['on a local folder around', { local: '/home/me', remote: '/x' }],
  ])('%s', (_, more) => {
    expect(overlap(base, other(more))).toBeDefined()
  })

  test.each<[string, Partial<Reach>]>([
    ['on folders side by side', { remote: '/srv/other' }],
    ['on folders whose names begin alike', { remote: '/srv/demonstration' }],
    ['in another context', { context: 'prod' }],
    ['in another namespace', { namespace: 'test' }],
    ['when no pod has both values of a label', { selector: 'tier=web,app==other' }],
    ['on different local folders that begin alike', { local: '/home/me/demo2', remote: '/x' }],
  ])('not %s', (_, more) => {
    expect(overlap(base, other(more))).toBeUndefined()
  })

  test('not in different pods, nor in different containers of one', () => {
    const pod = (name: string, container: string) => other({ selector: undefined, pod: name, container })
    expect(overlap(pod('a', 'x'), { ...pod('b', 'x'), local: '/l' })).toBeUndefined()
    expect(overlap(pod('a', 'x'), { ...pod('a', 'y'), local: '/l' })).toBeUndefined()
    expect(overlap(pod('a', 'x'), { ...pod('a', 'x'), local: '/l' })).toBeDefined()
  })

  test('not where neither writes', () => {
    const toRemote = { mode: 'to-remote-safe' } as const
    expect(overlap({ ...base, ...toRemote }, { ...base, ...toRemote, remote: '/x' })).toBeUndefined()
    const toLocal = { mode: 'to-local-safe' } as const
    expect(overlap({ ...base, ...toLocal }, other(toLocal))).toBeUndefined()
  })

  test('paths of Windows are compared as Windows does', () => {
    const local = 'C:\\Users\\Me\\demo'
    expect(overlap({ ...base, local }, { ...base, remote: '/x', local: 'c:/users/me/Demo/a' })).toBeDefined()
  })
})

const path = fc.array(fc.constantFrom('a', 'b', 'ab'), { maxLength: 3 }).map((parts) => `/${parts.join('/')}`)
const reach: fc.Arbitrary<Reach> = fc.record({
  local: path,
  remote: path,
  context: fc.constantFrom('one', 'two'),
  namespace: fc.constantFrom('one', 'two'),
  selector: fc.constantFrom('app=x', 'app=y', 'app!=x', 'tier=z'),
  mode: fc.constantFrom('two-way-safe', 'to-remote-safe', 'to-local-safe'),
})

test('whether specs overlap does not depend on which came first', () => {
  fc.assert(
    fc.property(reach, reach, (one, two) => {
      expect(overlap(one, two) === undefined).toBe(overlap(two, one) === undefined)
    }),
  )
})

test('specs that do not overlap never write the same file', () => {
  const holds = (folder: string, file: string) => file.startsWith(folder === '/' ? '/' : `${folder}/`)
  fc.assert(
    fc.property(reach, reach, path, (one, two, folder) => {
      if (overlap(one, two) !== undefined) return
      const file = `${folder === '/' ? '' : folder}/file`
      const unwritten = { local: 'to-remote-safe', remote: 'to-local-safe' } as const
      const writes = (side: 'local' | 'remote', spec: Reach) => spec.mode !== unwritten[side]
      if (writes('local', one) && writes('local', two)) {
        expect(holds(one.local, file) && holds(two.local, file)).toBe(false)
      }
      const samePods =
        one.context === two.context && one.namespace === two.namespace && one.selector === two.selector
      if (samePods && writes('remote', one) && writes('remote', two)) {
        expect(holds(one.remote, file) && holds(two.remote, file)).toBe(false)
      }
    }),
  )
})

test('an overlap is refused with the name of the other', () => {
  const refusal = () =>
    refuseOverlap(base, [
      { ...other({ remote: '/x' }), name: 'far' },
      { ...base, name: 'calm-otter' },
    ])
  expect(refusal).toThrow(expect.objectContaining({ code: 'SPEC_OVERLAPS' }))
  expect(refusal).toThrow(/calm-otter/)
})

describe('newName', () => {
  test('is a name that no spec has, also when the easy ones are used up', () => {
    const names: { name: string }[] = []
    for (let count = 0; count < 3500; count += 1) names.push({ name: newName(names) })
    expect(new Set(names.map(({ name }) => name)).size).toBe(3500)
    for (const { name } of names) expect(name).toMatch(/^[a-z]{3,7}-[a-z]{2,6}(-\d+)?$/)
  })
})
