import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseYaml } from './parse.ts'
import { withoutDocument } from './remove.ts'

describe('a text without one of its documents', () => {
  test.each([
    ['the first', 'a: 1 # one\n---\nb: 2\n', 0, 'b: 2\n'],
    ['the first, behind a marker and a comment', '# all\n---\na: 1\n---\nb: 2\n', 0, '# all\n---\nb: 2\n'],
    ['one in the middle', 'a: 1\n---\n# of b\nb: 2\n--- # of c\nc: 3\n', 1, 'a: 1\n--- # of c\nc: 3\n'],
    ['the last, without a line end', 'a: 1\r\n---\r\nb: 2', 1, 'a: 1\r\n'],
    ['one that has dashes in a text', 'a: |\n  ---\n  x\n---\nb: 2\n', 1, 'a: |\n  ---\n  x\n'],
  ])('%s', (_, text, document, expected) => {
    expect(withoutDocument(text, document)).toEqual({ text: expected })
  })

  test.each(['a: 1\n', '---\na: 1\n---\n', '# nothing else\n---\na: 1\n'])(
    'is nothing where it was the only one: %j',
    (text) => {
      expect(withoutDocument(text, 0)).toEqual({ text: undefined })
    },
  )

  test('is none while another one cannot be read: it would go with it', () => {
    expect(withoutDocument('a: [\n---\nb: 2\n', 1)).toMatchObject({
      refused: { reason: expect.stringContaining('read') },
    })
  })

  test('has the others as they were, byte for byte, or says that it cannot', () => {
    const document = fc.constantFrom(
      'a: 1\n',
      '# c\nb: "x"\n\n',
      'c: |\n  ---\n',
      '{d: 1}\n',
      '\n# nothing\n',
    )
    const marker = fc.constantFrom('---\n', '--- # why\n', '---\r\n')
    const parts = fc.array(fc.tuple(marker, document), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(parts, fc.boolean(), fc.nat(), (all, isMarked, nth) => {
        const text = all.map(([mark, one], index) => (index > 0 || isMarked ? mark : '') + one).join('')
        const documents = parseYaml(text)
        const index = nth % documents.length
        const result = withoutDocument(text, index)
        if (!('text' in result)) return
        const rest = documents.filter((_, other) => other !== index).map(({ value }) => value)
        if (result.text === undefined) expect(rest.every((value) => value === null)).toBe(true)
        else expect(parseYaml(result.text).map(({ value }) => value)).toEqual(rest)
      }),
    )
  })
})
