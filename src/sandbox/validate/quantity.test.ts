import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalQuantity } from './quantity.ts'

test.each([
  ['1', '1'],
  ['1000m', '1'],
  ['0.5', '500m'],
  ['1.5', '1500m'],
  [0.1, '100m'],
  [2, '2'],
  ['1024Mi', '1Gi'],
  ['1536Mi', '1536Mi'],
  ['0.5Gi', '512Mi'],
  ['0.5Ki', '512'],
  ['1000k', '1M'],
  ['1e3', '1e3'],
  ['1000', '1k'],
  ['-1000m', '-1'],
  ['0', '0'],
  ['0Mi', '0'],
  ['0.0000000001', '1n'],
])('%s is written %s', (given, written) => {
  expect(canonicalQuantity(given)).toBe(written)
})

test.each(['', '.', 'x', '1 Gi', '1mm', '1Mb', true, {}])('%j is none', (given) => {
  expect(() => canonicalQuantity(given)).toThrow('quantities must match the regular expression')
})

test('what is written is read as the same', () => {
  const suffix = fc.constantFrom('n', 'u', 'm', '', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'e3')
  fc.assert(
    fc.property(fc.nat(), fc.nat(999), suffix, (whole, part, unit) => {
      const written = canonicalQuantity(`${whole}.${part}${unit}`)
      expect(canonicalQuantity(written)).toBe(written)
    }),
  )
})
