import fc from 'fast-check'
import { expect, test } from 'vitest'
import { equal, type Json } from '../value.ts'
import { documentOf, outputOptions, toYaml } from './output.ts'
import { parseYaml } from './parse.ts'
import { printYaml } from './print.ts'
import { value } from './testing/hand.ts'

/** What stands in manifests, and what looks like something else there. */
const usual = fc.oneof(
  fc.constantFrom(
    'yes',
    '1e3',
    '0x1f',
    '.5',
    '-1',
    'a: b',
    'a #b',
    'a:',
    '- a',
    '22:22',
    '100m',
    'x/y:1',
    '"',
    "it's",
    '(a)',
    '$(A)',
    '~',
  ),
  fc.constantFrom(
    'a\n',
    'a\nb',
    'a\n\nb\n',
    '\na',
    'a\n ',
    ' a\n',
    'a \nb\n',
    '# a\n',
    'a\tb\n',
    'a\r\nb',
    'ü\n',
    '---\n',
  ),
  fc.stringMatching(/^(?:[a-z0-9][a-z0-9:./ -]{0,8})?$/),
)

const texts = fc.oneof(usual, fc.stringMatching(/^[-a-z0-9:#.,'" \n\t]{0,8}$/))

function json(value: Json): Json {
  return JSON.parse(JSON.stringify(value))
}

test('any value is read back as it was', () => {
  const deep = fc.oneof(
    value,
    fc.dictionary(texts, fc.oneof(texts, fc.array(texts), value), { noNullPrototype: true }),
  )
  fc.assert(
    fc.property(deep, (one) => {
      const [read, ...more] = parseYaml(toYaml(json(one)))
      expect([more, read?.problems]).toEqual([[], []])
      expect(equal(read?.value, json(one))).toBe(true)
    }),
    { numRuns: 1000 },
  )
})

test('of what is usual, every byte is what the library would write', () => {
  fc.assert(
    fc.property(
      fc.dictionary(usual, fc.oneof(usual, fc.array(fc.oneof(usual, fc.dictionary(usual, usual)))), {
        noNullPrototype: true,
      }),
      (one) => {
        const printed = printYaml(json(one))
        fc.pre(printed !== undefined)
        expect(printed).toBe(documentOf(json(one)).toString(outputOptions))
      },
    ),
    { numRuns: 500 },
  )
})
