import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  difference,
  elementsOf,
  type FieldSet,
  fromFieldsV1,
  intersection,
  keyElement,
  pathsOf,
  setOf,
  textOf,
  toFieldsV1,
  union,
  without,
} from './fields.ts'

const element = fc.constantFrom('f:a', 'f:b', 'k:{"name":"x"}', 'v:1', 'v:"s"')
const fieldSet = fc.array(fc.array(element, { minLength: 1, maxLength: 3 }), { maxLength: 6 }).map(setOf)
const none: FieldSet = new Set()

test('sets obey the laws of sets', () => {
  fc.assert(
    fc.property(fieldSet, fieldSet, fieldSet, (a, b, c) => {
      expect(union(a, b)).toEqual(union(b, a))
      expect(intersection(a, b)).toEqual(intersection(b, a))
      expect(union(a, union(b, c))).toEqual(union(union(a, b), c))
      expect(intersection(a, union(b, c))).toEqual(union(intersection(a, b), intersection(a, c)))
      expect(union(difference(a, b), intersection(a, b))).toEqual(a)
      expect(difference(a, a)).toEqual(none)
      expect(difference(a, none)).toEqual(a)
    }),
  )
})

test('a set has just the paths that were put into it', () => {
  fc.assert(
    fc.property(fieldSet, (fields) => {
      expect(new Set(pathsOf(fields))).toEqual(fields)
      expect(setOf(pathsOf(fields).map(elementsOf))).toEqual(fields)
    }),
  )
})

test('a set comes back from the form the API writes it in', () => {
  fc.assert(
    fc.property(fieldSet, (fields) => {
      expect(fromFieldsV1(toFieldsV1(fields))).toEqual(fields)
    }),
  )
})

test('a field is taken away with all that is below it, or alone', () => {
  const fields = setOf([['f:spec'], ['f:spec', 'f:replicas'], ['f:status', 'f:phase']])
  expect(toFieldsV1(without(fields, setOf([['f:spec']])))).toEqual({ 'f:status': { 'f:phase': {} } })
  expect(toFieldsV1(difference(fields, setOf([['f:spec']])))).toEqual({
    'f:spec': { 'f:replicas': {} },
    'f:status': { 'f:phase': {} },
  })
})

test('a field that is owned beside what is in it is told by a dot', () => {
  expect(toFieldsV1(setOf([['f:labels'], ['f:labels', 'f:app']]))).toEqual({
    'f:labels': { '.': {}, 'f:app': {} },
  })
})

test('keys that a client wrote in another order or with blanks are the same keys', () => {
  const written = fromFieldsV1({ 'k:{ "protocol": "TCP", "containerPort": 80 }': {} })
  expect(written).toEqual(setOf([[keyElement({ containerPort: 80, protocol: 'TCP' })]]))
})

test('what is no element of a path is left out', () => {
  expect(fromFieldsV1({ 'k:{': {}, 'x:y': {}, 'v:': {}, 'f:a': 'not an object' })).toEqual(none)
})

test('paths are listed by level, numbers by their size, and told as the server tells them', () => {
  const port = (containerPort: number) => keyElement({ containerPort, protocol: 'TCP' })
  const fields = setOf([
    ['f:ports', port(9090)],
    ['f:ports', port(443)],
    ['f:finalizers', 'v:"a/b"'],
    ['f:zone'],
  ])
  expect(pathsOf(fields).map(textOf)).toEqual([
    '.zone',
    '.finalizers[="a/b"]',
    '.ports[containerPort=443,protocol="TCP"]',
    '.ports[containerPort=9090,protocol="TCP"]',
  ])
})
