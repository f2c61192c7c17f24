import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytesOf, matchesPath, readGlob } from './glob.ts'

function matches(glob: string, path: string): boolean {
  const read = readGlob(bytesOf(glob))
  return read !== undefined && matchesPath(read, bytesOf(path).split('/'))
}

describe('a glob', () => {
  test.each([
    ['a', 'a'],
    ['*', '.hidden'],
    ['*.js', 'a.min.js'],
    ['a*b*c', 'abxbbc'],
    ['??', 'ab'],
    ['[a-c]x', 'bx'],
    ['[!a-c]x', 'dx'],
    ['[^a-c]x', 'dx'],
    ['[]]', ']'],
    ['[!]]', 'a'],
    ['[a-]', '-'],
    ['[-a]', '-'],
    ['[\\]]', ']'],
    ['[[:digit:]]', '7'],
    ['[[:alpha:][:digit:]_]', '_'],
    ['[[:]', '['],
    ['[a-\\c]', 'b'],
    ['\\*', '*'],
    ['a/**/b', 'a/b'],
    ['a/**/b', 'a/x/y/b'],
    ['**/b', 'b'],
    ['**/b', 'x/y/b'],
    ['a/**', 'a/b/c'],
    ['a/***', 'a/b/c'],
    ['a/***/b', 'a/x/b'],
    ['a**b', 'axxb'],
    ['a\\/b', 'a/b'],
    ['**/a/**/b/*', 'x/a/y/a/b/z'],
  ])('%s matches %s', (glob, path) => {
    expect(matches(glob, path)).toBe(true)
  })

  test.each([
    ['a', 'A'],
    ['*', 'a/b'],
    ['?', 'a/b'],
    ['a?b', 'a/b'],
    ['a[/]b', 'a/b'],
    ['a[!x]b', 'a/b'],
    ['a**b', 'a/b'],
    ['a/**', 'a'],
    ['[a', '[a'],
    ['[[:nothing:]]', 'n'],
    ['a\\', 'a\\'],
    ['[[:digit:]-z]', 'k'],
    ['a//b', 'a/b'],
    ['', 'a'],
  ])('%s does not match %s', (glob, path) => {
    expect(matches(glob, path)).toBe(false)
  })

  test('counts bytes, as git does', () => {
    expect(matches('?', 'é')).toBe(false)
    expect(matches('??', 'é')).toBe(true)
    expect(matches('ü*', 'über')).toBe(true)
  })

  test('matches as the same thing said as a regular expression does', () => {
    const part = fc.constantFrom('a', 'b', '*', '?', '[ab]', '[!a]', '\\a')
    const name = fc.oneof(
      { weight: 4, arbitrary: fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('')) },
      { weight: 1, arbitrary: fc.constant('**') },
    )
    const text = fc
      .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 5 })
      .map((all) => all.join(''))
    fc.assert(
      fc.property(
        fc.array(name, { minLength: 1, maxLength: 4 }),
        fc.array(text, { minLength: 1, maxLength: 4 }),
        (names, path) => {
          expect(matches(names.join('/'), path.join('/'))).toBe(asRegExp(names).test(path.join('/')))
        },
      ),
      { numRuns: 3_000 },
    )
  })

  test.each([
    ['stars in a name', `${'a*'.repeat(2_000)}b`, 'a'.repeat(4_000)],
    ['stars among names', `${'**/a*/'.repeat(300)}b`, `${'a/'.repeat(500)}a`],
    ['brackets', `${'*[ab]'.repeat(800)}c`, 'ab'.repeat(2_000)],
  ])('does not go back to each of many %s, which would never end', (_what, glob, path) => {
    expect(matches(glob, path)).toBe(false)
  })
})

function asRegExp(names: readonly string[]): RegExp {
  const [last] = names.slice(-1)
  const parts = names.map((name, i) => {
    const isLast = i === names.length - 1
    if (name === '**' || /^\*\*+$/.test(name)) return isLast ? '(?:[^/]+/)*[^/]+' : '(?:[^/]+/)*'
    const text = name
      .replaceAll('[!a]', '<not a>')
      .replaceAll('\\a', 'a')
      .replaceAll('?', '[^/]')
      .replace(/\*+/g, '[^/]*')
      .replaceAll('<not a>', '[^/a]')
    return isLast ? text : `${text}/`
  })
  return new RegExp(`^${parts.join('')}$`, last === undefined ? '' : 's')
}
