import { describe, expect, test } from 'vitest'
import type { JournalEntry } from '../journal/journal.ts'
import { operationsOf } from '../journal/operations.ts'
import { type Asked, chooseWrites } from './choose.ts'

const cluster = { context: 'kind', server: 'https://x', namespace: 'shop' }
let count = 0
function entry(operation: string, resource: string, more: Partial<JournalEntry> = {}): JournalEntry {
  count += 1
  return {
    ...{
      id: String(count),
      operation,
      at: '2026-01-01T00:00:00Z',
      who: 'jane',
      where: 'cluster',
      context: 'kind',
    },
    ...{ server: 'https://x', resources: [resource], file: '/f/a.yaml', before: null, after: {} },
    ...{ isOneStep: false, command: '', reverts: [], outcome: 'done', reason: '', isHidden: false },
    ...{ isExact: true, uid: '' },
    ...more,
  }
}

const [web, db] = ['Deployment.apps shop/web', 'Secret shop/db']
/** What would be taken back, as operation and object. */
function chosen(entries: readonly JournalEntry[], asked: Asked): string[] {
  const { writes } = chooseWrites(operationsOf(entries), asked, { cluster, root: '/f' })
  return writes.map(({ entry: { operation }, ids }) => `${operation} ${ids.join(',')}`)
}

describe('what is taken back', () => {
  const entries = [entry('1', web), entry('2', db), entry('2', web), entry('3', db)]

  test('is the last operation, the last of a resource, or all after one, the last first', () => {
    expect(chosen(entries, {})).toEqual([`3 ${db}`])
    expect(chosen(entries, { resource: 'web' })).toEqual([`2 ${web}`])
    expect(chosen(entries, { to: 1 })).toEqual([`3 ${db}`, `2 ${web}`, `2 ${db}`])
    expect(chosen(entries, { to: 0, resource: 'deployment/web' })).toEqual([`2 ${web}`, `1 ${web}`])
  })

  test('is what was made, on the side that is named', () => {
    const more = [...entries, entry('4', web, { outcome: 'failed' }), entry('5', web, { where: 'file' })]
    expect(chosen(more, {})).toEqual([`5 ${web}`])
    expect(chosen(more, { only: 'cluster', resource: 'web' })).toEqual([`2 ${web}`])
  })

  test('is of one object of a file that holds several only that', () => {
    const pulled = entry('4', web, { where: 'file', resources: [web, db] })
    expect(chosen([pulled], { resource: 'db' })).toEqual([`4 ${db}`])
  })

  test('is nothing where nothing was written, or nobody can say what is meant', () => {
    const twins = [entry('1', web), entry('1', 'Service shop/web')]
    expect(() => chosen([], {})).toThrow('nothing was written')
    expect(() => chosen(entries, { to: 3 })).toThrow('nothing was written after operation 3')
    expect(() => chosen(entries, { to: 9 })).toThrow('there is no operation 9')
    expect(() => chosen(twins, { resource: 'web' })).toThrow('`web` may be')
    expect(chosen(twins, { resource: 'service/web' })).toEqual(['1 Service shop/web'])
  })

  test('is never in another cluster, behind another server of the same name, or in another folder', () => {
    for (const [more, said] of [
      [{ context: 'prod' }, 'that was written to prod, and not to kind'],
      [{ server: 'https://y' }, 'that was written to https://y'],
      [{ file: '/elsewhere/a.yaml' }, 'not in this folder'],
    ] as const) {
      const other = [...entries, entry('4', web, more)]
      expect(() => chosen(other, { resource: 'web' })).toThrow(said)
      expect(chosen(other, { to: 2 })).toEqual([`3 ${db}`])
    }
  })

  test('may have been brought from one folder to another, without any cluster', () => {
    const promoted = entry('4', web, { where: 'file', context: '', server: '' })
    expect(chosen([promoted], {})).toEqual([`4 ${web}`])
  })
})
