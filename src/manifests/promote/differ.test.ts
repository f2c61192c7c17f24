import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compare, describePath } from '../diff/compare.ts'
import { type Shape, unknownShape } from '../diff/shape.ts'
import { operationsFor } from '../diff/take.ts'
import { operate } from '../operate.ts'
import { isMap, type JsonMap } from '../value.ts'
import { editYaml } from '../yaml/edit.ts'
import { toYaml } from '../yaml/output.ts'
import { creationOf, inNamespace, type Transfer, transfersBetween, type View } from './differ.ts'
import { builtinFieldRules as rules } from './rules.ts'

/** Containers and their environment by name, commands as one thing. */
const shape: Shape = fields({
  containers: named(fields({ env: named(unknownShape) })),
  template: fields({ spec: fields({ containers: named(unknownShape) }) }),
})

function fields(known: Record<string, Shape>): Shape {
  return { ...unknownShape, field: (name) => known[name] ?? unknownShape }
}

function named(item: Shape): Shape {
  return { ...unknownShape, list: { by: 'keys', keys: ['name'], defaults: {} }, item: () => item }
}

const view = (object: JsonMap, bare = object): View => ({ clean: object, bare })

function transfers(source: View, target: View): Transfer[] {
  return transfersBetween({ source, target, shape, rules })
}

function promoted(target: JsonMap, some: readonly Transfer[]): JsonMap {
  const wishes = some.map(({ wish }) => wish)
  const now = operate(target, operationsFor(target, wishes, shape))
  return isMap(now) ? now : {}
}

const ids = (some: readonly Transfer[]) => some.map(({ wish: { path } }) => describePath(path)).sort()

describe('what one place has and the other lacks', () => {
  const scalar = fc.constantFrom('a', 'b', 'c')
  const entry = (name: string) => fc.record({ name: fc.constant(name), value: scalar })
  const list = <T>(item: (name: string) => fc.Arbitrary<T>) =>
    fc.subarray(['x', 'y', 'z']).chain((names) => fc.tuple(...names.map(item)))
  const container = (name: string) =>
    fc.record(
      {
        name: fc.constant(name),
        image: scalar,
        command: fc.array(scalar, { minLength: 1, maxLength: 3 }),
        env: list(entry),
      },
      { requiredKeys: ['name'] },
    )
  const object = fc.record(
    {
      replicas: scalar,
      labels: fc.dictionary(fc.constantFrom('k', 'l'), scalar),
      containers: list(container),
    },
    { requiredKeys: [] },
  )

  test('becomes equal in exactly the fields that were picked, and then there is nothing more to do in them', () => {
    fc.assert(
      fc.property(object, object, fc.infiniteStream(fc.boolean()), (source, target, coins) => {
        const all = transfers(view(source), view(target))
        const picked = all.filter(() => coins.next().value)
        const now = promoted(target, picked)
        const left = all.filter((one) => !picked.includes(one))
        expect(ids(transfers(view(source), view(now)))).toEqual(ids(left))
        expect(promoted(now, picked)).toEqual(now)
      }),
      { numRuns: 500 },
    )
  })

  test('in a file, a field that was not picked keeps its bytes, and its comment', () => {
    const flat = fc.dictionary(fc.constantFrom('k', 'l', 'm', 'n'), scalar, { minKeys: 1 })
    fc.assert(
      fc.property(flat, flat, fc.infiniteStream(fc.boolean()), (source, target, coins) => {
        const lines = Object.entries(target).map(([name, value]) => `${name}:   "${value}"   # of ${name}\n`)
        const text = `# head\n${lines.join('')}--- # next\n${toYaml({ other: 1 })}`
        const picked = transfers(view(source), view(target)).filter(() => coins.next().value)
        const wishes = picked.map(({ wish }) => wish)
        const edited = editYaml(text, 0, operationsFor(target, wishes, shape))
        if ('refused' in edited) return // The last field of a document cannot go.
        const untouched = lines.filter((line) => !ids(picked).includes(line.slice(0, 1)))
        for (const line of ['# head\n', ...untouched, '--- # next\nother: 1\n'])
          expect(edited.text).toContain(line)
      }),
    )
  })

  test('a default of one side that the other says is no difference, nor is one that neither server has', () => {
    const plain = { image: 'web:1', pull: 'Always', grace: 30 }
    expect(transfers(view(plain, { image: 'web:1' }), view(plain, plain))).toEqual([])
    expect(transfers(view(plain, { image: 'web:1' }), view({ image: 'web:1' }))).toEqual([])
    expect(transfers(view({ image: 'web:1' }), view(plain, { image: 'web:1' }))).toEqual([])
  })

  test('a default goes to where something else was said, and does not come along with what is new', () => {
    const said = transfers(
      view({ grace: 30, probe: { path: '/', period: 10 } }, { probe: { path: '/' } }),
      view({ grace: 60 }),
    )
    expect(said.map(({ wish: { path, value } }) => [describePath(path), value])).toEqual([
      ['grace', 30],
      ['probe', { path: '/' }],
    ])
  })
})

test('names of the namespace are those of the other place', () => {
  const object = {
    metadata: { name: 'staging', namespace: 'staging' },
    subjects: [
      { name: 'a', namespace: 'staging' },
      { name: 'b', namespace: 'other' },
    ],
    spec: { parent: [{ namespace: 'staging', name: 'staging' }] },
    data: { namespace: 'staging' },
  }
  expect(inNamespace(object, 'staging', 'prod')).toEqual({
    metadata: { name: 'staging', namespace: 'prod' },
    subjects: [
      { name: 'a', namespace: 'prod' },
      { name: 'b', namespace: 'other' },
    ],
    spec: { parent: [{ namespace: 'prod', name: 'staging' }] },
    data: { namespace: 'staging' },
  })
})

describe('what only the source has', () => {
  const deployment = (spec: JsonMap, containers: JsonMap[]) => ({
    ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } },
    spec: { selector: { matchLabels: { app: 'web' } }, template: { spec: { containers } }, ...spec },
  })

  test('is created without what is bound to its environment, which is told field by field', () => {
    const env = [
      { name: 'LEVEL', value: 'debug' },
      { name: 'DB', value: 'postgres://staging' },
      { name: 'CACHE', value: 'redis://staging' },
    ]
    const { object, rest, isWorthwhile } = creationOf(
      deployment({ replicas: 3 }, [{ name: 'web', image: 'a.example/web:1', env }]),
      fields({ spec: fields({ template: fields({ spec: shape }) }) }),
      rules,
    )
    expect(object).toEqual(deployment({}, [{ name: 'web', image: 'a.example/web:1', env: env.slice(0, 1) }]))
    expect(rest.map(({ wish: { path }, verdict }) => [describePath(path), verdict.nature])).toEqual([
      ['spec.template.spec.containers[name=web].env[name=DB]', 'bound'],
      ['spec.template.spec.containers[name=web].env[name=CACHE]', 'bound'],
      ['spec.replicas', 'bound'],
    ])
    expect(isWorthwhile).toBe(true)
  })

  test('keeps what it cannot be without, with a warning', () => {
    const ingress = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      spec: { rules: [{ host: 'a.example' }] },
    }
    const { object, warnings } = creationOf(ingress, unknownShape, rules)
    expect(object).toEqual(ingress)
    expect(warnings).toEqual(['a host'])
  })

  test('keeps volumes that are mounted in it, whosever they are', () => {
    const web = { name: 'web', volumeMounts: [{ name: 'key', mountPath: '/key' }] }
    const volumes = [{ name: 'key', secret: { secretName: 'key' } }]
    const template = { spec: { containers: [web], volumes } }
    const { object, warnings } = creationOf(deployment({ template }, []), unknownShape, rules)
    expect(object).toEqual(deployment({ template }, []))
    expect(warnings).toEqual(['a reference to a secret'])
  })

  test('is not worth creating where nothing of it is for another environment', () => {
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'a' },
      type: 'Opaque',
      data: { a: 'b' },
    }
    expect(creationOf(secret, unknownShape, rules).isWorthwhile).toBe(false)
  })

  test('with all of the rest it is what the source has', () => {
    const bare = deployment({ replicas: 3 }, [{ name: 'web', env: [{ name: 'A_URL', value: 'x' }] }])
    const { object, rest } = creationOf(bare, unknownShape, rules)
    expect(compare({ base: undefined, local: promoted(object, rest), remote: bare }, unknownShape)).toEqual(
      [],
    )
  })
})
