import fc from 'fast-check'
import { expect, test } from 'vitest'
import { widget, widgetSchema } from './examples.ts'
import { setOf } from './fields.ts'
import { interleave, merge, remove } from './merge.ts'

const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f').map(String))

test('a merged list has every item once, and keeps the order of what is applied', () => {
  fc.assert(
    fc.property(names, names, (live, applied) => {
      const order = interleave(live, applied)
      expect([...order].sort()).toEqual([...new Set([...live, ...applied])].sort())
      expect(order.filter((name) => applied.includes(name))).toEqual(applied)
      const others = live.filter((name) => !applied.includes(name))
      expect(order.filter((name) => others.includes(name))).toEqual(others)
    }),
  )
})

test('nothing applied changes no order, and all of it applied is the order', () => {
  fc.assert(
    fc.property(names, (live) => {
      expect(interleave(live, [])).toEqual(live)
      expect(interleave(live, live)).toEqual(live)
    }),
  )
})

const spec = (live: unknown, applied: unknown) => merge(widget(live), widget(applied), widgetSchema)

test('maps and keyed lists are merged, a key that is missing counts with its default', () => {
  const live = { granular: { a: '1', b: '1' }, ports: [{ port: 1, protocol: 'TCP', note: 'kept' }] }
  const applied = { granular: { b: '2' }, ports: [{ port: 1 }, { port: 1, protocol: 'UDP' }] }
  expect(spec(live, applied)).toEqual(
    widget({
      granular: { a: '1', b: '2' },
      ports: [
        { port: 1, protocol: 'TCP', note: 'kept' },
        { port: 1, protocol: 'UDP' },
      ],
    }),
  )
})

test('sets are joined, what is atomic is replaced', () => {
  expect(spec({ tags: ['a', 'b'], atomic: { a: '1' } }, { tags: ['c', 'b'], atomic: { b: '2' } })).toEqual(
    widget({ tags: ['a', 'c', 'b'], atomic: { b: '2' } }),
  )
})

test('where there is no schema, maps are merged and lists replaced', () => {
  expect(spec({ free: { a: { x: 1 }, list: [1] } }, { free: { a: { y: 2 }, list: [2] } })).toEqual(
    widget({ free: { a: { x: 1, y: 2 }, list: [2] } }),
  )
})

test('fields and items are removed by their path', () => {
  const value = widget({ granular: { a: '1', b: '1' }, tags: ['x', 'y'], ports: [{ port: 1 }, { port: 2 }] })
  const gone = setOf([
    ['f:spec', 'f:granular', 'f:a'],
    ['f:spec', 'f:tags', 'v:"x"'],
    ['f:spec', 'f:ports', 'k:{"port":1,"protocol":"TCP"}'],
  ])
  expect(remove(value, gone, widgetSchema)).toEqual(
    widget({ granular: { b: '1' }, tags: ['y'], ports: [{ port: 2 }] }),
  )
})
