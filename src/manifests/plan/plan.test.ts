import { describe, expect, test } from 'vitest'
import { choiceOf, type FieldDifference, proposed, type Selection, type Whose } from './plan.ts'

function difference(whose: Whose, isHeld = false): FieldDifference {
  return { id: 'a', path: ['a'], base: 0, local: 1, remote: 2, whose, isHeld, isSecret: false }
}

describe('what "all" means', () => {
  test.each([
    ['yours', 'leave', 'take'],
    ['theirs', 'take', 'leave'],
    ['both', 'leave', 'leave'],
    ['differs', 'take', 'take'],
    ['default', 'leave', 'leave'],
    ['webhook', 'leave', 'leave'],
  ] as const)('of what is %s a pull would %s, and a push %s', (whose, pull, push) => {
    expect([proposed('pull', difference(whose)), proposed('push', difference(whose))]).toEqual([pull, push])
  })

  test('takes away nothing that nobody is known to have removed', () => {
    const onlyHere = { ...difference('differs'), remote: undefined }
    const onlyThere = { ...difference('differs'), local: undefined }
    expect([proposed('pull', onlyHere), proposed('push', onlyThere)]).toEqual(['leave', 'leave'])
    expect([proposed('pull', onlyThere), proposed('push', onlyHere)]).toEqual(['take', 'take'])
  })

  test('takes nothing away from another manager', () => {
    expect(proposed('push', difference('yours', true))).toBe('leave')
  })

  test('a choice counts before it, and what was not chosen is left alone', () => {
    const chosen = (selection: Selection, whose: Whose) =>
      choiceOf(selection, { direction: 'push', resource: 'R', difference: difference(whose) })
    expect(chosen(new Map([['R', new Map([['a', 'reverse']])]]), 'both')).toBe('reverse')
    expect(chosen(new Map([['R', new Map()]]), 'yours')).toBe('leave')
    expect(chosen(new Map(), 'yours')).toBe('leave')
    expect(chosen(new Map([['R', 'all']]), 'yours')).toBe('take')
  })
})
