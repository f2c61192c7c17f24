import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { operate } from '../operate.ts'
import { equal, type Json, type Operation } from '../value.ts'
import { editYaml } from './edit.ts'
import { parseYaml } from './parse.ts'
import { document, numbers, value, written } from './testing/hand.ts'

function edited(text: string, ...operations: Operation[]): string {
  const result = editYaml(text, 0, operations)
  if ('refused' in result) throw new Error(result.refused.reason)
  return result.text
}
const set = (path: Operation['path'], value: Json): Operation => ({ op: 'set', path, value })
const insert = (path: Operation['path'], value: Json): Operation => ({ op: 'insert', path, value })
const remove = (path: Operation['path']): Operation => ({ op: 'remove', path })

const deployment = `# The web shop.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop   # as in the domain
  labels: {app: shop, tier: "web"}
spec:
  replicas: 2

  template:
    spec:
      containers:
      # the main one
      - name: web
        image: 'shop:1'   # pinned
        args: []
        env:
        - name: GREETING
          value: "hello"

      - name: sidecar
        image: proxy:2
        command: [sh, -c, "sleep 1"]
`

describe('what is changed is changed in its place', () => {
  test('a scalar keeps its quotes, its comment and all around it', () => {
    const text = edited(deployment, set(['spec', 'template', 'spec', 'containers', 0, 'image'], 'shop:2'))
    expect(text).toBe(deployment.replace("'shop:1'", "'shop:2'"))
  })

  test('a number', () => {
    expect(edited(deployment, set(['spec', 'replicas'], 5))).toBe(
      deployment.replace('replicas: 2', 'replicas: 5'),
    )
  })

  test('a string that YAML would read as something else is quoted', () => {
    for (const value of ['yes', '0644', '1_000', 'null', '', '22', 'y']) {
      const text = edited(deployment, set(['metadata', 'name'], value))
      expect(text).toBe(deployment.replace('name: shop ', `name: "${value}" `))
    }
    expect(edited(deployment, set(['metadata', 'name'], '22:22'))).toContain('name: 22:22   #')
  })

  test('within brackets', () => {
    expect(edited(deployment, set(['metadata', 'labels', 'tier'], 'api'))).toBe(
      deployment.replace('tier: "web"', 'tier: "api"'),
    )
    expect(edited(deployment, set(['metadata', 'labels', 'env'], 'dev'))).toBe(
      deployment.replace('"web"}', '"web", env: "dev"}'),
    )
    expect(edited(deployment, remove(['metadata', 'labels', 'app']))).toBe(
      deployment.replace('app: shop, ', ''),
    )
    expect(edited(deployment, remove(['metadata', 'labels', 'tier']))).toBe(
      deployment.replace(', tier: "web"', ''),
    )
  })

  test('a new key goes below the last one of its map', () => {
    expect(edited(deployment, set(['spec', 'paused'], true))).toBe(`${deployment}  paused: true\n`)
    expect(edited(deployment, set(['metadata', 'annotations'], { 'a.b/c': 'd' }))).toBe(
      deployment.replace('"web"}\n', '"web"}\n  annotations:\n    a.b/c: d\n'),
    )
  })

  test('a new item goes after the one before it, with the margin of the list', () => {
    const path = ['spec', 'template', 'spec', 'containers']
    expect(edited(deployment, insert([...path, 1], { name: 'new', image: 'x' }))).toBe(
      deployment.replace('value: "hello"\n', 'value: "hello"\n      - name: new\n        image: x\n'),
    )
    expect(edited(deployment, insert([...path, 0], { name: 'new' }))).toBe(
      deployment.replace('      - name: web', '      - name: new\n      - name: web'),
    )
    expect(edited(deployment, insert([...path, 2], { name: 'new' }))).toBe(`${deployment}      - name: new\n`)
  })

  test('a key that begins a list item leaves the dash to the next one', () => {
    expect(edited(deployment, remove(['spec', 'template', 'spec', 'containers', 1, 'name']))).toBe(
      deployment.replace('- name: sidecar\n        image', '- image'),
    )
  })

  test('empty brackets become lines, and the last one gone leaves brackets', () => {
    const args = ['spec', 'template', 'spec', 'containers', 0, 'args']
    const filled = edited(deployment, insert([...args, 0], '-v'))
    expect(filled).toBe(deployment.replace('args: []', 'args:\n        - -v'))
    expect(edited(filled, remove([...args, 0]))).toBe(deployment)
  })

  test('texts of several lines', () => {
    const before = 'data:\n  a.conf: |\n    one\n    two\n  b: x\n'
    expect(edited(before, set(['data', 'a.conf'], 'one\n2\nthree\n'))).toBe(
      'data:\n  a.conf: |\n    one\n    2\n    three\n  b: x\n',
    )
    expect(edited(before, set(['data', 'b'], 'p\nq'))).toBe(before.replace('b: x', 'b: |-\n    p\n    q'))
  })

  test('CRLF, a byte order mark and a missing final line end stay', () => {
    expect(edited('\ufeffa: 1\r\nb: 2\r\n', set(['c'], { d: 3 }))).toBe(
      '\ufeffa: 1\r\nb: 2\r\nc:\r\n  d: 3\r\n',
    )
    expect(edited('a: 1\nb: 2', set(['c'], 3))).toBe('a: 1\nb: 2\nc: 3')
    expect(edited('a: 1\nb: 2', remove(['b']))).toBe('a: 1')
  })

  test('JSON stays JSON, with its lines', () => {
    const json = '{\n  "kind": "Service",\n  "spec": {\n    "ports": []\n  }\n}\n'
    expect(edited(json, set(['spec', 'type'], 'NodePort'))).toBe(
      '{\n  "kind": "Service",\n  "spec": {\n    "ports": [],\n    "type": "NodePort"\n  }\n}\n',
    )
  })
})

describe('what cannot be changed by itself is refused', () => {
  test('what an alias stands for', () => {
    const text = 'a: &x {b: 1}\nc: *x\n'
    expect(editYaml(text, 0, [set(['c', 'b'], 2)])).toMatchObject({ refused: { path: ['c'] } })
    expect(editYaml(text, 0, [set(['a', 'b'], 2)])).toMatchObject({ refused: {} })
  })

  test('what a merge key brings in', () => {
    const text = 'base: &x\n  b: {c: 1}\nd:\n  <<: *x\n  e: 2\n'
    expect(editYaml(text, 0, [set(['d', 'b', 'c'], 2)])).toMatchObject({ refused: { path: ['d', 'b'] } })
  })
})

function anOperation(json: Json, next: () => number, put: Json): Operation {
  const path: (string | number)[] = []
  let here: Json = json
  for (;;) {
    const keys = typeof here === 'object' && here !== null ? Object.keys(here) : []
    const name = keys[next() % Math.max(1, keys.length)]
    const isDeeper = name !== undefined && (path.length === 0 || next() % 3 !== 0)
    if (!isDeeper) break
    path.push(Array.isArray(here) ? Number(name) : name)
    here = (here as Record<string, Json>)[name] ?? null
  }
  if (Array.isArray(here) && next() % 2) return insert([...path, next() % (here.length + 1)], put)
  if (typeof here === 'object' && here !== null && !Array.isArray(here) && next() % 2)
    return set([...path, `new${next() % 9}`], put)
  if (path.length === 0) return Array.isArray(json) ? insert([0], put) : set(['k'], put)
  return next() % 3 === 0 ? remove(path) : set(path, put)
}

describe('for any document and any operations', () => {
  test('what is read from the new text is what the operations make of the old', () => {
    fc.assert(
      fc.property(
        document,
        numbers,
        fc.array(value, { minLength: 1, maxLength: 4 }),
        (json, stream, puts) => {
          const next = () => stream.next().value as number
          const text = written(json, next)
          const operations: Operation[] = []
          let now: Json = json
          for (const put of puts) {
            const operation = anOperation(now, next, put)
            now = operate(now, [operation])
            operations.push(operation)
          }
          const result = editYaml(text, 0, operations)
          expect(result).toHaveProperty('text')
          if ('text' in result) expect(equal(parseYaml(result.text)[0]?.value, now)).toBe(true)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('a scalar put in the place of a scalar changes its own lines only', () => {
    fc.assert(
      fc.property(
        document,
        numbers,
        fc.oneof(fc.boolean(), fc.integer(), fc.constantFrom('web', 'yes')),
        (json, stream, put) => {
          const next = () => stream.next().value as number
          const text = written(json, next)
          const path = scalarPath(json, next)
          if (path === undefined) return
          const result = edited(text, set(path, put))
          const [before, after] = [text.split('\n'), result.split('\n')]
          const head = before.findIndex((line, index) => line !== after[index])
          if (head === -1) return
          const tail = before.toReversed().findIndex((line, index) => line !== after.toReversed()[index])
          expect(after.length - head - tail).toBe(1)
          expect(result.match(/# (note|why)/g)).toEqual(text.match(/# (note|why)/g))
        },
      ),
    )
  })
})

function scalarPath(json: Json, next: () => number): Operation['path'] | undefined {
  if (typeof json !== 'object' || json === null) return []
  const keys = Object.keys(json)
  const name = keys[next() % Math.max(1, keys.length)]
  if (name === undefined) return undefined
  const rest = scalarPath((json as Record<string, Json>)[name] ?? null, next)
  return rest && [Array.isArray(json) ? Number(name) : name, ...rest]
}
