import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { WireError } from '../../wire/error.ts'
import { decodeRules, digestOfRules, encodeRules, noRules, type RuleSet, ruleFileKinds } from './rule-set.ts'

const anyFile = fc.record({
  directory: fc.constantFrom('', 'a', 'a/b', 'a-b', 'é'),
  kind: fc.constantFrom(...ruleFileKinds),
  text: fc.string({ unit: 'grapheme' }),
})
const anyRules: fc.Arbitrary<RuleSet> = fc.record(
  {
    patterns: fc.array(fc.string({ unit: 'grapheme' })),
    vcs: fc.boolean(),
    files: fc.uniqueArray(anyFile, { selector: ({ directory, kind }) => `${directory} ${kind}` }),
    symlinks: fc.constantFrom('raw' as const, 'ignore' as const),
  },
  { requiredKeys: ['patterns', 'vcs', 'files'] },
)

describe('a rule set on the wire', () => {
  test('arrives as it was sent, in an order of its own', () => {
    fc.assert(
      fc.property(anyRules, (rules) => {
        const arrived = decodeRules(encodeRules(rules))
        expect({ ...arrived, files: new Set(arrived.files) }).toEqual({
          ...rules,
          files: new Set(rules.files),
        })
        expect(digestOfRules(arrived)).toBe(digestOfRules(rules))
        expect(digestOfRules({ ...rules, files: rules.files.toReversed() })).toBe(digestOfRules(rules))
      }),
    )
  })

  test('has another digest when it says something else', () => {
    const one = { ...noRules, files: [{ directory: '', kind: 'gitignore', text: 'a' }] } as const
    const others = [
      noRules,
      { ...one, vcs: true },
      { ...one, symlinks: 'raw' as const },
      { ...noRules, files: [{ ...one.files[0], kind: 'exclude' as const }] },
    ]
    for (const other of others) expect(digestOfRules(other)).not.toBe(digestOfRules(one))
  })

  test.each([
    ['with a way to treat symlinks that there is not', Buffer.from([1, 6, 0, 0])],
    ['of another version', Buffer.from([9, 0, 0, 0])],
    ['with more patterns than bytes', Buffer.from([1, 0, 255, 255, 3, 0])],
    ['cut short', encodeRules({ ...noRules, patterns: ['abc'] }).subarray(0, 5)],
    ['with something after it', Buffer.concat([encodeRules(noRules), Buffer.of(0)])],
    [
      'that leads out of the root',
      encodeRules({ ...noRules, files: [{ directory: '..', kind: 'exclude', text: '' }] }),
    ],
    ['with a file twice', encodeRules({ ...noRules, files: [file('a'), file('a')] })],
    ['with too many patterns', encodeRules({ ...noRules, patterns: Array(10_001).fill('') })],
    [
      'that is too large',
      encodeRules({
        ...noRules,
        files: Array.from({ length: 40 }, (_, i) => file(`d${i}`, 'x'.repeat(256 * 1024))),
      }),
    ],
  ])('is refused: one %s', (_what, bytes) => {
    expect(() => decodeRules(bytes)).toThrow()
  })

  test('is refused or understood, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const rules = understood(bytes)
        if (rules !== undefined) expect(decodeRules(encodeRules(rules))).toEqual(rules)
      }),
    )
  })
})

function file(directory: string, text = ''): RuleSet['files'][number] {
  return { directory, kind: 'gitignore', text }
}

function understood(bytes: Uint8Array): RuleSet | undefined {
  try {
    return decodeRules(bytes)
  } catch (error) {
    expect(error).toBeInstanceOf(WireError)
    return undefined
  }
}
