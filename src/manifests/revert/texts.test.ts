import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { object, shape, sorted } from '../diff/testing/objects.ts'
import { renderManifest } from '../folder/render.ts'
import type { JsonMap } from '../value.ts'
import { findIn, invertText, type TextStep } from './texts.ts'

const context = { file: 'a.yaml', shapeOf: () => shape }
const map = (name: string, value: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name} # ${name}\ndata:\n  a: ${value}\n  b: x\n`
const id = (name: string) => `ConfigMap shop/${name}`

function undo(now: string | undefined, step: Pick<TextStep, 'before' | 'after'>, ...names: string[]) {
  const ids = (names.length === 0 ? ['one'] : names).map(id)
  return invertText(now, [{ ...step, ids, isWhole: names.length === 0 }], context)
}

describe('a file that is what was left', () => {
  test('is restored byte for byte, made again, or removed', () => {
    const [before, after] = ['# mine\r\na:   1', map('one', '2')]
    expect(undo(after, { before, after }).text).toBe(before)
    expect(undo(undefined, { before, after: undefined }).text).toBe(before)
    expect(undo(after, { before: undefined, after })).toMatchObject({ text: undefined, refused: new Map() })
  })
})

describe('a file that moved on', () => {
  const step = { before: map('one', '1'), after: map('one', '2') }

  test('goes back by field, and keeps what was written into it since', () => {
    const now = `# later\n${step.after.replace('b: x', 'b: y # mine')}`
    expect(undo(now, step).text).toBe(`# later\n${step.before.replace('b: x', 'b: y # mine')}`)
  })

  test('stays as it is while it has a mistake: nobody can tell what is in it', () => {
    const now = `${step.after}x: [\n`
    const { text, disputed, refused } = undo(now, step)
    expect([text, disputed.size]).toEqual([now, 0])
    expect(refused.get(id('one'))).toMatch(/a\.yaml has a mistake/)
  })

  test('stays where somebody changed the same field', () => {
    const now = map('one', '3')
    const { text, disputed } = undo(now, step)
    expect(text).toBe(now)
    expect(disputed.get(id('one'))).toMatchObject([{ path: ['data', 'a'], value: 1 }])
  })

  test('is not removed with something in it that somebody wrote, and not made over another', () => {
    const now = step.after.replace('x', 'x # a thought')
    const { text, disputed } = undo(now, { before: undefined, after: step.after })
    expect([text, disputed.get(id('one'))]).toMatchObject([now, [{ path: [], value: undefined }]])
    const again = undo(map('one', '7'), { before: step.before, after: undefined })
    expect([again.text, again.disputed.has(id('one'))]).toEqual([map('one', '7'), true])
  })
})

describe('one object of several in a file', () => {
  const [one, two] = [map('one', '1'), map('two', '1')]
  const both = `${one}---\n${two}`

  test('goes back alone', () => {
    const after = both.replaceAll('a: 1', 'a: 2')
    expect(undo(after, { before: both, after }, 'two').text).toBe(both.replace('a: 1', 'a: 2'))
  })

  test('is taken out, and put back as it was written', () => {
    for (const [before, name] of [
      [one, 'two'],
      [two, 'one'],
    ] as const) {
      expect(undo(both, { before, after: both }, name).text).toBe(before)
      const back = undo(before, { before: both, after: before }, name).text ?? ''
      expect([back.split('---\n').sort(), back.includes(`# ${name}`)]).toEqual([[one, two], true])
    }
    const head = `# head\n---\n${both}`
    expect(undo(head, { before: `# head\n---\n${two}`, after: head }, 'one').text).toContain(two)
    const crlf = both.replaceAll('\n', '\r\n')
    expect(undo(crlf, { before: one, after: crlf }, 'two').text).toBe(one.replaceAll('\n', '\r\n'))
  })

  test('of a list is taken out of it', () => {
    const list = `kind: List\napiVersion: v1\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: one}}\n`
    const after = `${list}- {apiVersion: v1, kind: ConfigMap, metadata: {name: two}}\n`
    expect(undo(after, { before: list, after }, 'two').text).toBe(list)
  })
})

describe('for any objects in a file', () => {
  const names = ['one', 'two', 'three']
  const state = fc.tuple(...names.map(() => fc.option(object, { nil: undefined })))
  const render = (objects: readonly (JsonMap | undefined)[]) => {
    const texts = objects.flatMap((spec, index) => {
      const about = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: names[index] ?? '' } }
      return spec === undefined ? [] : [renderManifest({ ...about, ...spec }, 'a.yaml')]
    })
    return texts.length === 0 ? undefined : texts.join('---\n')
  }

  test('one goes back to what it was, and every other stays what it is', () => {
    fc.assert(
      fc.property(state, state, fc.nat({ max: 2 }), (before, after, index) => {
        const name = names[index] ?? ''
        const now = after.with(index === 0 ? 1 : 0, { labels: { later: 'x' } })
        const { text, refused, disputed } = undo(
          render(now),
          { before: render(before), after: render(after) },
          name,
        )
        expect([refused.size, disputed.size]).toEqual([0, 0])
        const wanted = now.with(index, before[index])
        for (const [at, other] of names.entries()) {
          const [found, expected] = [text, render(wanted)].map((one) => findIn(one, id(other))?.object)
          expect([other, sorted(found, shape)]).toEqual([other, sorted(expected, shape)])
          if (at !== index && expected !== undefined)
            expect(text).toContain(render(wanted.map((one, k) => (k === at ? one : undefined))))
        }
      }),
    )
  })
})
