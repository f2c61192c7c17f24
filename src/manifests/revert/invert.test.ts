import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { unknownShape } from '../diff/shape.ts'
import { object, shape, sorted } from '../diff/testing/objects.ts'
import { made } from '../plan/outcome.ts'
import type { JsonMap } from '../value.ts'
import { type Change, changesOf } from './changes.ts'
import { fulfilled, invert, type Step } from './invert.ts'

const isExact = true
const step = (before: JsonMap | undefined, after: JsonMap | undefined): Step => ({ before, after, isExact })
const undo = (now: JsonMap | undefined, ...steps: Step[]) => invert(now, steps, unknownShape)

describe('a change of an object', () => {
  test('is taken back by field; what others changed beside it stays', () => {
    const done = step({ a: 1, labels: { x: '1' } }, { a: 2, labels: { x: '1', y: '2' } })
    expect(undo({ a: 2, b: 3, labels: { x: '5', y: '2' } }, done)).toEqual({
      target: { a: 1, b: 3, labels: { x: '5' } },
      disputed: [],
      isMoved: true,
    })
    expect(undo(done.after, done)).toEqual({ target: done.before, disputed: [], isMoved: false })
  })

  test('is left where somebody changed the same field since, and told', () => {
    const { target, disputed } = undo({ a: 3, b: 2 }, step({ a: 1, b: 1 }, { a: 2, b: 2 }))
    expect(target).toEqual({ a: 3, b: 1 })
    expect(disputed).toMatchObject([{ path: ['a'], value: 1 }])
  })

  test('that somebody took back already is none', () => {
    expect(undo({ a: 1 }, step({ a: 1 }, { a: 2 }))).toMatchObject({ target: { a: 1 }, disputed: [] })
  })

  test('that added a map leaves none behind, unless others put something into it', () => {
    const done = step({ a: 1 }, { a: 1, meta: { labels: { x: '1' } } })
    expect(undo(done.after, done).target).toEqual({ a: 1 })
    const more = { a: 1, meta: { labels: { x: '1', y: '2' } } }
    expect(undo(more, done).target).toEqual({ a: 1, meta: { labels: { y: '2' } } })
  })

  test('of an object that is gone is told, and brings nothing back by itself', () => {
    const done = step({ a: 1 }, { a: 2 })
    expect(undo(undefined, done)).toEqual({
      target: undefined,
      disputed: [{ path: [], value: { a: 1 }, like: { a: 1 } }],
      isMoved: true,
    })
  })
})

describe('a whole object', () => {
  const [old, other] = [{ a: 1 }, { a: 2 }]
  test('that was made goes, and one that others changed since only if that is said', () => {
    expect(undo(old, step(undefined, old))).toEqual({ target: undefined, disputed: [], isMoved: false })
    expect(undo(other, step(undefined, old))).toMatchObject({
      target: other,
      disputed: [{ path: [], value: undefined }],
    })
    expect(undo(undefined, step(undefined, old))).toMatchObject({ target: undefined, disputed: [] })
  })

  test('that was deleted comes back, and not over one that is there again', () => {
    expect(undo(undefined, step(old, undefined)).target).toEqual(old)
    expect(undo(other, step(old, undefined))).toMatchObject({
      target: other,
      disputed: [{ path: [], value: old }],
    })
    expect(undo(old, step(old, undefined))).toMatchObject({ target: old, disputed: [] })
  })

  test('goes back through several writes to before the first', () => {
    const steps = [step(undefined, other), step(old, undefined), step({ a: 0 }, old)]
    expect(undo(other, ...steps)).toMatchObject({ target: { a: 0 }, disputed: [] })
  })
})

describe('where only what was sent is known', () => {
  const sent = (before: JsonMap, after: JsonMap): Step => ({ before, after, isExact: false })
  test('what the server added or others have is no change, and what was taken away comes back', () => {
    const done = sent({ a: 1, gone: 1, theirs: 1, default: 1 }, { a: 2 })
    expect(undo({ a: 2, theirs: 9, default: 1 }, done)).toMatchObject({
      target: { a: 1, gone: 1, theirs: 9, default: 1 },
      disputed: [],
    })
  })

  test('a new item goes with what the server added to it', () => {
    const done = sent({}, { containers: [{ name: 'a', image: 'x', ports: [{ port: 1 }] }] })
    const now = {
      containers: [{ name: 'a', image: 'x', pull: 'Always', ports: [{ port: 1, protocol: 'TCP' }] }],
    }
    expect(invert(now, [done], shape).target).toEqual({})
  })
})

/** Changes that touch none of the fields that others touch, and nothing around or in them. */
function beside(changes: readonly Change[], others: readonly Change[]): Change[] {
  const texts = others.map(({ path }) => path.map((one) => JSON.stringify(one)))
  return changes.filter(({ path }) => {
    const own = path.map((one) => JSON.stringify(one))
    return texts.every((other) => {
      const length = Math.min(own.length, other.length)
      return own.slice(0, length).join('\0') !== other.slice(0, length).join('\0')
    })
  })
}

describe('for any objects', () => {
  test('what was left untouched becomes what it was', () => {
    fc.assert(
      fc.property(object, object, (before, after) => {
        const { target, disputed } = invert(after, [step(before, after)], shape)
        expect(sorted(target, shape)).toEqual(sorted(before, shape))
        expect(disputed).toEqual([])
      }),
    )
  })

  test('later changes of other fields stay, and nothing else does', () => {
    fc.assert(
      fc.property(object, object, object, (before, after, later) => {
        const theirs = beside(changesOf(after, later, shape), changesOf(before, after, shape))
        const now = made(after, theirs, shape)
        const { target, disputed } = invert(now, [step(before, after)], shape)
        expect(disputed).toEqual([])
        for (const { path, value } of theirs) {
          const left = changesOf(target, made(target ?? {}, [{ path, value, like: now }], shape), shape)
          expect(left).toEqual([])
        }
        // All that is not theirs is what it was.
        const own = beside(changesOf(before, target, shape), theirs)
        expect(
          own.filter(({ from, value }) => JSON.stringify(from ?? {}) !== JSON.stringify(value ?? {})),
        ).toEqual([])
      }),
    )
  })

  test('whatever others did since: own fields go back or are disputed, and all others stay', () => {
    fc.assert(
      fc.property(object, object, object, (before, after, now) => {
        const { target, disputed } = invert(now, [step(before, after)], shape)
        const open = disputed.map((wish): Change => ({ ...wish, from: undefined }))
        const own = changesOf(after, before, shape)
        const changed = changesOf(now, target, shape)
        expect(beside(changed, own)).toEqual([])
        expect(beside(changed, open)).toEqual(changed)
        const undone = fulfilled(target, beside(own, open), shape)
        expect(sorted(undone, shape)).toEqual(sorted(target, shape))
      }),
    )
  })

  test('taking back what took something back brings it back', () => {
    fc.assert(
      fc.property(object, object, object, (before, after, now) => {
        const { target } = invert(now, [step(before, after)], shape)
        const again = invert(target, [step(now, target)], shape)
        expect(sorted(again.target, shape)).toEqual(sorted(now, shape))
        expect(again.disputed).toEqual([])
      }),
    )
  })

  test('several writes lead back to before the first', () => {
    fc.assert(
      fc.property(
        fc.array(fc.option(object, { nil: undefined }), { minLength: 2, maxLength: 5 }),
        (states) => {
          const steps = states.slice(1).map((after, index) => step(states[index], after))
          const { target, disputed } = invert(states.at(-1), steps.reverse(), shape)
          expect(sorted(target, shape)).toEqual(sorted(states[0], shape))
          expect(disputed).toEqual([])
        },
      ),
    )
  })
})
