import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { diffLines, linesOf } from './lines.ts'
import { mergeTexts } from './text.ts'

const anyLines = fc.array(fc.constantFrom('a\n', 'b\n', 'c\n', '\n', '}\n', 'd\r\n'), { maxLength: 30 })
/** Some of a text's lines are others, or more, or gone; the last may lack its line end. */
const anyText = fc
  .tuple(anyLines, fc.constantFrom('', '', 'last'))
  .map(([lines, last]) => lines.join('') + last)
const changed = (base: readonly string[]) =>
  fc
    .array(
      fc.tuple(
        fc.nat(base.length),
        fc.nat(2),
        fc.array(fc.constantFrom('x\n', 'y\n', 'a\n'), { maxLength: 3 }),
      ),
      {
        maxLength: 3,
      },
    )
    .map((edits) => {
      const lines = [...base]
      for (const [at, away, more] of edits) lines.splice(Math.min(at, lines.length), away, ...more)
      return lines.join('')
    })
const anyStory = anyLines.chain((base) =>
  fc.record({ base: fc.constant(base.join('')), local: changed(base), remote: changed(base) }),
)

/** A text of lines that are all different, and what each side took out of it and put into it. */
const anyEdits = fc.array(fc.tuple(fc.nat(20), fc.nat(2), fc.nat(3)), { maxLength: 3 })
function edited(base: readonly string[], who: string, edits: readonly (readonly [number, number, number])[]) {
  const lines = [...base]
  for (const [index, [at, away, more]] of edits.entries()) {
    lines.splice(
      Math.min(at, lines.length),
      away,
      ...Array.from({ length: more }, (_, n) => `${who} ${index} ${n}\n`),
    )
  }
  return lines
}

describe('the difference of two texts', () => {
  test('makes one of the other', () => {
    fc.assert(
      fc.property(anyText, anyText, (one, other) => {
        const [a, b] = [linesOf(one), linesOf(other)]
        let made = ''
        let done = 0
        for (const { from, to, otherFrom, otherTo } of diffLines(a, b) ?? []) {
          made += a.slice(done, from).join('') + b.slice(otherFrom, otherTo).join('')
          done = to
        }
        expect(made + a.slice(done).join('')).toBe(other)
      }),
    )
  })

  test('is found quickly in what has many lines alike, and given up where all differs', () => {
    const many = linesOf('}\n'.repeat(30_000))
    expect(diffLines(many, [...many.slice(0, 15_000), 'x\n', ...many.slice(15_010)])).toBeDefined()
    const numbers = (of: string) => Array.from({ length: 5000 }, (_, index) => `${of}${index}\n`)
    expect(diffLines(numbers('a'), numbers('b'))).toBeUndefined()
  })
})

describe('a merge of two texts', () => {
  test('takes what only one side did, and what both did alike', () => {
    fc.assert(
      fc.property(anyText, anyText, (base, text) => {
        expect(mergeTexts({ base, local: text, remote: base })).toEqual({ merged: text })
        expect(mergeTexts({ base, local: base, remote: text })).toEqual({ merged: text })
        expect(mergeTexts({ base, local: text, remote: text })).toEqual({ merged: text })
      }),
    )
  })

  test('is the same from either side', () => {
    fc.assert(
      fc.property(anyStory, ({ base, local, remote }) => {
        const [one, other] = [
          mergeTexts({ base, local, remote }),
          mergeTexts({ base, local: remote, remote: local }),
        ]
        expect('merged' in one).toBe('merged' in other)
        if ('merged' in one) expect(other).toEqual(one)
      }),
      { numRuns: 2000 },
    )
  })

  test('has every line that a side put in, and of the base what neither took out', () => {
    const base = Array.from({ length: 20 }, (_, n) => `line ${n}\n`)
    fc.assert(
      fc.property(anyEdits, anyEdits, (mine, other) => {
        const [local, remote] = [edited(base, 'local', mine), edited(base, 'remote', other)]
        const [one, two, three] = [base, local, remote].map((lines) => lines.join(''))
        const merge = mergeTexts({ base: one ?? '', local: two ?? '', remote: three ?? '' })
        if (!('merged' in merge)) return
        const left = base.filter((line) => local.includes(line) && remote.includes(line))
        const put = [...local, ...remote].filter((line) => !base.includes(line))
        expect(linesOf(merge.merged).sort()).toEqual([...left, ...put].sort())
      }),
      { numRuns: 2000 },
    )
  })

  test('is refused where both changed the same lines, or lines that touch', () => {
    const base = '1\n2\n3\n4\n5\n'
    const change = (line: string, to: string) => base.replace(line, to)
    expect(mergeTexts({ base, local: change('2', 'x'), remote: change('2', 'y') })).toEqual({
      conflict: { from: 2, to: 2 },
    })
    expect(mergeTexts({ base, local: change('2', 'x'), remote: change('3', 'y') })).toHaveProperty('conflict')
    expect(mergeTexts({ base, local: `${base}x\n`, remote: `${base}y\n` })).toHaveProperty('conflict')
    expect(mergeTexts({ base, local: change('1', 'x'), remote: change('5', 'y') })).toEqual({
      merged: 'x\n2\n3\n4\ny\n',
    })
  })
})
