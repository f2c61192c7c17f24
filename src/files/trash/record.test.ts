import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anyDigest, anyPath } from '../testing/arbitrary.ts'
import { decodeIndex, encodeHeader, encodeNote, encodeVoid, type Note } from './record.ts'

const header = { root: '/home/me/demo', origin: { spec: 'demo', pod: 'p', container: 'c' } }
const anyNote: fc.Arbitrary<Note> = fc.record({
  path: anyPath,
  why: fc.constantFrom('deleted', 'replaced', 'undone'),
  at: fc.nat(),
  digest: fc.option(anyDigest, { nil: undefined }),
  directory: fc.option(fc.nat(0o177777), { nil: undefined }),
})

describe('an index', () => {
  test('says what was written, whatever the names', () => {
    fc.assert(
      fc.property(fc.uniqueArray(anyNote, { selector: ({ path }) => path }), (notes) => {
        const text = Buffer.concat([encodeHeader(header), ...notes.map(encodeNote)]).toString()
        const index = decodeIndex(text)
        expect(index.header).toEqual({ version: 1, ...header })
        expect([...index.notes.values()]).toEqual(notes)
      }),
    )
  })

  test('cut off anywhere still says all but the last', () => {
    const whole = [
      encodeHeader(header),
      ...['a', 'b'].map((path) => encodeNote({ path, why: 'deleted', at: 1 })),
    ]
    const text = Buffer.concat(whole).toString()
    const [beforeLast] = [Buffer.concat(whole.slice(0, 2)).length]
    for (let end = beforeLast; end < text.length; end++) {
      const later = encodeNote({ path: 'c', why: 'replaced', at: 2 }).toString()
      expect([...decodeIndex(text.slice(0, end) + later).notes.keys()]).toEqual(['a', 'c'])
    }
  })

  test('forgets what was not taken after all', () => {
    const note = encodeNote({ path: 'a', why: 'deleted', at: 1 })
    expect(decodeIndex(`${note}${encodeVoid('a')}`).notes.size).toBe(0)
    expect(decodeIndex(`${note}${encodeVoid('a')}${note}`).notes.size).toBe(1)
  })

  test.each(['../a', 'a/../../b', '/etc/passwd', 'a//b', 'a\0b', ''])('has no path %j', (path) => {
    expect(decodeIndex(`\n${JSON.stringify({ path, why: 'deleted', at: 1 })}`).notes.size).toBe(0)
  })

  test('may hold any nonsense', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void decodeIndex(text)))
    for (const text of [
      'null',
      '[]',
      '{"path":1}',
      '{"path":"a","why":"x","at":1}',
      '{"path":"a","why":"deleted","at":-1}',
    ])
      expect(decodeIndex(text)).toEqual({ header: undefined, notes: new Map() })
  })
})
