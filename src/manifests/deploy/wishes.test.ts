import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { describePath } from '../diff/compare.ts'
import type { Shape } from '../diff/shape.ts'
import { unknownShape } from '../diff/shape.ts'
import { changeOutcome } from '../plan/change.ts'
import type { Facts } from '../plan/make.ts'
import { isMap, type JsonMap } from '../value.ts'
import { parseField } from './field.ts'
import { type Asked, wishesFor } from './wishes.ts'

/** Lists of containers and variables by name, all others as one thing. */
const shapeOf = (name: string): Shape => ({
  isAtomic: false,
  list: /containers|env|initContainers/i.test(name)
    ? { by: 'keys', keys: ['name'], defaults: {} }
    : { by: 'none' },
  field: shapeOf,
  item: () => shapeOf(''),
})

const pod = {
  initContainers: [{ name: 'setup', image: 'setup:1' }],
  containers: [
    { name: 'web', image: 'web:1', command: ['web', '-v'], env: [{ name: 'POD', valueFrom: { a: 'b' } }] },
    { name: 'proxy', image: 'proxy:1' },
  ],
}
const deployment = (spec: JsonMap = pod): JsonMap => ({
  ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'a' } },
  spec: { replicas: 1, template: { spec } },
})

function facts(local: JsonMap | undefined, remote: JsonMap | undefined = local, shape = shapeOf('')): Facts {
  return {
    identity: { group: 'apps', kind: 'Deployment', namespace: 'a', name: 'web' },
    ...{ apiVersion: 'apps/v1', place: { file: 'web.yaml' }, agreed: undefined, wasPushed: false },
    ...{ local, live: remote && { object: remote, clean: remote }, bare: remote, shape },
  }
}

const asking = (some: Partial<Asked>): Asked => ({
  ...{ images: [], fields: [], env: [], replicas: undefined, container: undefined },
  resources: { limits: undefined, requests: undefined },
  ...some,
})
const wished = (some: Partial<Asked>, object = deployment(), shape = shapeOf('')) =>
  Object.fromEntries(
    wishesFor(facts(object, object, shape), asking(some)).wishes.map(({ path, value }) => [
      describePath(path),
      value,
    ]),
  )
const template = 'spec.template.spec'

describe('an image', () => {
  const alone = deployment({ containers: [{ name: 'web', image: 'web:1' }] })

  test('is that of the only container, of the one that is named, init or not, or of all', () => {
    expect(wished({ images: ['web:2'] }, alone)).toEqual({
      [`${template}.containers[name=web].image`]: 'web:2',
    })
    expect(wished({ images: ['proxy=p@sha256:0', 'setup=s:2'] })).toEqual({
      [`${template}.containers[name=proxy].image`]: 'p@sha256:0',
      [`${template}.initContainers[name=setup].image`]: 's:2',
    })
    expect(Object.keys(wished({ images: ['*=all:1'] }))).toHaveLength(2)
  })

  test('of nobody knows which container is an error that lists them', () => {
    expect(() => wished({ images: ['web:2'] })).toThrow('it has several containers: web, proxy, setup (init)')
    expect(() => wished({ images: ['nope=web:2'] })).toThrow('no container `nope`')
    expect(() => wished({ images: ['x'] }, { kind: 'Service', spec: {} })).toThrow('has no containers')
    expect(() => wished({ images: ['web='] })).toThrow('names no image')
  })

  test('is found in a pod, a CronJob and whatever has a pod template', () => {
    const spec = { containers: [{ name: 'c', image: '1' }] }
    const of = (object: JsonMap) => Object.keys(wished({ images: ['2'] }, object))
    expect(of({ kind: 'Pod', spec })).toEqual(['spec.containers[name=c].image'])
    expect(of({ kind: 'CronJob', spec: { jobTemplate: { spec: { template: { spec } } } } })).toEqual([
      'spec.jobTemplate.spec.template.spec.containers[name=c].image',
    ])
    expect(of({ kind: 'Rollout', spec: { template: { spec } } })).toEqual([
      `${template}.containers[name=c].image`,
    ])
  })
})

describe('variables', () => {
  test('are set, added and taken away; one that comes from elsewhere is left alone, with a word', () => {
    const { wishes, notes } = wishesFor(
      facts(deployment()),
      asking({ env: ['A=b=c', 'POD=x', 'GONE-'], container: 'web' }),
    )
    const at = `${template}.containers[name=web].env`
    expect(wishes.map(({ path, value }) => [describePath(path), value])).toEqual([
      [`${at}[name=A].value`, 'b=c'],
      [`${at}[name=GONE]`, undefined],
    ])
    expect(notes).toEqual([
      'POD of web stays: it comes from somewhere else (valueFrom)',
      'web has no variable GONE',
    ])
  })
})

describe('resources and replicas', () => {
  test('are amounts by name; 0 takes one away', () => {
    const resources = { limits: 'cpu=500m,memory=0', requests: undefined }
    const at = `${template}.containers[name=web].resources.limits`
    expect(wished({ resources, container: 'web' })).toEqual({
      [`${at}.cpu`]: '500m',
      [`${at}.memory`]: undefined,
    })
  })

  test('are scaled where there are some', () => {
    expect(wished({ replicas: 0 })).toEqual({ 'spec.replicas': 0 })
    expect(wished({ replicas: 2 }, { kind: 'Gadget', spec: { replicas: 1 } })).toEqual({ 'spec.replicas': 2 })
    expect(() => wished({ replicas: 2 }, { kind: 'Service', spec: {} })).toThrow('a Service has no replicas')
  })
})

describe('a field by its path', () => {
  test.each([
    ['spec.replicas=3', { 'spec.replicas': 3 }],
    ['spec.paused=yes', { 'spec.paused': true }],
    ['spec.mode=0644', { 'spec.mode': 420 }],
    ['spec.text=', { 'spec.text': '' }],
    ['spec.replicas=null', { 'spec.replicas': undefined }],
    ['spec.list=[1, {a: b}]', { 'spec.list': [1, { a: 'b' }] }],
    ['metadata.labels.on=yes', { 'metadata.labels.on': 'yes' }],
    ['metadata.name2=1', { 'metadata.name2': 1 }],
    ['metadata.annotations["a.b/c"]=12', { 'metadata.annotations["a.b/c"]': '12' }],
    ['metadata.annotations.a\\.b/c=12', { 'metadata.annotations["a.b/c"]': '12' }],
    [`${template}.containers[name=web].image=2`, { [`${template}.containers[name=web].image`]: '2' }],
    [`${template}.containers[1].image=x`, { [`${template}.containers[name=proxy].image`]: 'x' }],
    [
      `${template}.containers[0].command[1]=-q`,
      { [`${template}.containers[name=web].command`]: ['web', '-q'] },
    ],
    [`${template}.containers[0].command[1]=null`, { [`${template}.containers[name=web].command`]: ['web'] }],
  ])('%s', (text, expected) => {
    expect(wished({ fields: [text] })).toEqual(expected)
  })

  test.each([
    ['spec.replicas', 'says no value'],
    ['.spec=1', 'is no path'],
    ['spec..x=1', 'is no path'],
    ['metadata.name=x', 'is what an object is called'],
    ['status.replicas=1', 'is what the cluster says'],
    [`${template}.containers.image=x`, 'is a list: say which item'],
    [`${template}.containers[5].image=x`, 'has no item [5]: it has 2'],
    ['spec.replicas.x=1', 'has no fields'],
    ['spec.replicas=[1', 'is no value'],
  ])('%s is refused', (text, said) => {
    expect(() => wished({ fields: [text] })).toThrow(said)
  })

  test('in a list without keys changes the item, and adds one that is described', () => {
    const object = { kind: 'Gadget', spec: { parts: [{ id: 'a', size: 1 }, { id: 'b' }] } }
    expect(
      wished({ fields: ['spec.parts[id=b].size=2', 'spec.parts[id=c].size=3'] }, object, unknownShape),
    ).toEqual({
      'spec.parts': [
        { id: 'a', size: 1 },
        { id: 'b', size: 2 },
        { id: 'c', size: 3 },
      ],
    })
    expect(
      wished({ fields: ['spec.parts[id=z]=null', 'spec.none[id=z]=null'] }, object, unknownShape),
    ).toEqual({
      'spec.parts': object.spec.parts,
      'spec.none': undefined,
    })
  })

  test('of an item that only one side has is refused: it would be half an item on the other', () => {
    const there = deployment({ containers: [{ name: 'other', image: '1' }] })
    expect(() => wishesFor(facts(deployment(), there), asking({ images: ['web=2'] }))).toThrow(
      'is in the file and not in the cluster',
    )
  })

  test('reads back as what was written, whatever the names are', () => {
    const name = fc.string({ minLength: 1 }).filter((text) => !text.includes('\0'))
    const property = fc.property(fc.array(name, { minLength: 1, maxLength: 4 }), (names) => {
      expect(parseField(names.map((one) => `[${JSON.stringify(one)}]`).join(''))).toEqual(names)
    })
    fc.assert(property)
  })
})

test('what is asked for is on both sides afterwards, and nothing else is', () => {
  const image = fc.constantFrom('web:1', 'web:2', 'web:3')
  const property = fc.property(
    image,
    image,
    image,
    fc.integer({ min: 0, max: 3 }),
    (mine, theirs, next, count) => {
      const side = (text: string, replicas: number) => ({
        ...deployment({ containers: [{ name: 'web', image: text, stdin: text === mine }] }),
        replicas,
      })
      const given = facts(side(mine, 1), side(theirs, count))
      const { apply } = changeOutcome(given, wishesFor(given, asking({ images: [next] })).wishes)
      expect(apply === undefined).toBe(theirs === next)
      if (isMap(apply?.object)) {
        expect(apply.object).toEqual({
          ...deployment({ containers: [{ name: 'web', image: next, stdin: theirs === mine }] }),
          replicas: count,
        })
      }
    },
  )
  fc.assert(property)
})
