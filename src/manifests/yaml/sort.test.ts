import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { equal, isList, isMap, type Json } from '../value.ts'
import { parseYaml } from './parse.ts'
import { commentsIn, sortYaml } from './sort.ts'
import { document, numbers, written } from './testing/hand.ts'

function sorted(text: string, index = 0): string {
  const result = sortYaml(text, index)
  if ('refused' in result) throw new Error(result.refused.reason)
  return result.text
}

test('fields come into the order of the alphabet at every depth, with their comments, quotes and blank lines', () => {
  const text = `# The web shop.
kind: Deployment
apiVersion: apps/v1   # of today

# what is wanted
spec:
  # two are enough
  # for now
  replicas: 2
  paused: false
  template: {spec: 1, metadata: 2}
    # three were too many
metadata:
    name: 'shop'
    labels:
        tier: "web"
        app: shop # as above
# the end
`
  expect(sorted(text)).toBe(`# The web shop.
apiVersion: apps/v1   # of today
kind: Deployment
metadata:
    labels:
        app: shop # as above
        tier: "web"
    name: 'shop'

# what is wanted
spec:
  paused: false
  # two are enough
  # for now
  replicas: 2
  template: {spec: 1, metadata: 2}
    # three were too many
# the end
`)
})

test('items of a list keep their order; a comment of the field that comes first goes above the dash', () => {
  const text = `containers:
# the main one
- name: web
  # pinned
  image: web:1
  args:
    - b
    - a
- ports: []
  name: |
    two
    lines
`
  expect(sorted(text)).toBe(`containers:
# the main one
- args:
    - b
    - a
  # pinned
  image: web:1
  name: web
- name: |
    two
    lines
  ports: []
`)
  expect(sorted('- b: 1\n  # of a\n  a: 2\n')).toBe('# of a\n- a: 2\n  b: 1\n')
})

test('only the document that is meant changes; line ends, a byte order mark and a missing end stay', () => {
  expect(sorted('b: 1\na: 2\n---\nd: 1\nc: 2', 1)).toBe('b: 1\na: 2\n---\nc: 2\nd: 1')
  expect(sorted('\ufeffb: 1\r\na: 2')).toBe('\ufeffa: 2\r\nb: 1')
  expect(sorted('---\n# all\nb: |+\n  x\n\na: 1\n...\n')).toBe('---\n# all\na: 1\nb: |+\n  x\n\n...\n')
})

describe('what would come to mean something else is refused with the reason', () => {
  test.each([
    ['an alias before what it stands for', 'b: &x {c: 1}\na: *x\n', /alias/],
    ['fields without plain names', '? {b: 1}\n: 2\na: 1\n', /plain name/],
    ['what cannot be read', 'b: [\na: 1\n', /read/],
  ])('%s', (_, text, reason) => {
    expect(sortYaml(text, 0)).toEqual({ refused: { path: [], reason: expect.stringMatching(reason) } })
  })
})

/** Whether the fields of all maps that do not stand in brackets are in order, as the parser finds them. */
function isSorted(json: Json): boolean {
  if (isList(json)) return json.every(isSorted)
  if (!isMap(json)) return true
  const keys = Object.keys(json).filter((key) => !/^\d+$/.test(key))
  return String(keys) === String(keys.toSorted()) && Object.values(json).every(isSorted)
}

test('any document: the same value, all comments, and nothing left to do a second time', () => {
  fc.assert(
    fc.property(document, numbers, (json, stream) => {
      const text = written(json, () => stream.next().value as number)
      const result = sorted(text)
      const [parsed] = parseYaml(result)
      expect(equal(parsed?.value, json)).toBe(true)
      expect(commentsIn(result)).toEqual(commentsIn(text))
      expect(sorted(result)).toBe(result)
      expect(text.includes('{') || isSorted(parsed?.value ?? null)).toBe(true)
    }),
    { numRuns: 500 },
  )
})
