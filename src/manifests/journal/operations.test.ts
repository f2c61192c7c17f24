import { describe, expect, test } from 'vitest'
import type { JournalEntry } from './journal.ts'
import { isMeant, operationsOf } from './operations.ts'

function entry(id: string, operation: string, more: Partial<JournalEntry> = {}): JournalEntry {
  return {
    ...{ id, operation, at: '2026-01-01T00:00:00Z', who: 'jane', where: 'cluster', context: 'kind' },
    ...{ server: 'https://x', resources: ['Service shop/web'], file: '/f/a.yaml', before: null, after: {} },
    ...{ isOneStep: false, command: '', reverts: [], outcome: 'done', reason: '', isHidden: false },
    ...{ isExact: true, uid: '' },
    ...more,
  }
}

const stand = (...entries: JournalEntry[]) =>
  operationsOf(entries).map(({ number, reverted }) => [number, reverted])

describe('operations', () => {
  test('are numbered in the order in which they began, on from those that are not kept any more', () => {
    const entries = [entry('1', 'a'), entry('2', 'b'), entry('3', 'a')]
    const found = operationsOf(entries, 7).map(({ number, entries: own }) => [
      number,
      own.map(({ id }) => id),
    ])
    expect(found).toEqual([
      [8, ['1', '3']],
      [9, ['2']],
    ])
  })

  test('of older versions are what was recorded at one moment', () => {
    const later = { at: '2026-01-02T00:00:00Z' }
    expect(stand(entry('1', ''), entry('2', ''), entry('3', '', later))).toEqual([
      [1, 'no'],
      [2, 'no'],
    ])
  })

  test('know whether they were taken back, all of them or in part, and made again', () => {
    const two = [entry('1', 'a'), entry('2', 'a'), entry('3', 'a', { outcome: 'failed' })]
    const part = entry('4', 'b', { reverts: ['1'] })
    const rest = entry('5', 'c', { reverts: ['2'] })
    expect(stand(...two, part)).toEqual([
      [1, 'partly'],
      [2, 'no'],
    ])
    expect(stand(...two, part, rest)[0]).toEqual([1, 'yes'])
    expect(stand(...two, part, { ...rest, outcome: 'failed' })[0]).toEqual([1, 'partly'])
    const again = entry('6', 'd', { reverts: ['5'] })
    expect(stand(...two, part, rest, again)).toEqual([
      [1, 'partly'],
      [2, 'no'],
      [3, 'yes'],
      [4, 'no'],
    ])
  })
})

test('a resource is meant by its name, with its type, or as the history has it', () => {
  const id = 'Deployment.apps shop/web'
  for (const word of ['web', 'shop/web', 'deployment/web', 'deployments/web', id]) {
    expect([word, isMeant(id, word)]).toEqual([word, true])
  }
  expect(['we', 'service/web', 'shop', 'deployment'].filter((word) => isMeant(id, word))).toEqual([])
})
