import { describe, expect, test } from 'vitest'
import type { Arrival, Change, Decision } from './decide.ts'
import { decideArrival, decideChange } from './decide.ts'

const changes: Change[] = ['unchanged', 'modified', 'replaced', 'deleted', 'opaque']
const arrivals: Arrival[] = ['absent', 'created', 'opaque']
const mirror = (decision: Decision) =>
  decision === 'to-local' ? 'to-remote' : decision === 'to-remote' ? 'to-local' : decision

describe('every direction', () => {
  test('leaves alone what cannot be told', () => {
    for (const direction of ['two-way', 'to-remote', 'to-local'] as const) {
      for (const other of changes) {
        expect(decideChange(direction, 'opaque', other)).toBe('keep')
        expect(decideChange(direction, other, 'opaque')).toBe('keep')
      }
      for (const contact of ['merge', 'seed'] as const) {
        for (const other of arrivals) {
          expect(decideArrival({ direction, contact }, 'opaque', other)).toBe('keep')
          expect(decideArrival({ direction, contact }, other, 'opaque')).toBe('keep')
        }
      }
    }
  })
})

test('two-way is the same from either side', () => {
  for (const local of changes) {
    for (const remote of changes) {
      expect(decideChange('two-way', remote, local)).toBe(mirror(decideChange('two-way', local, remote)))
    }
  }
})

test('one way never writes against it', () => {
  for (const local of changes) {
    for (const remote of changes) {
      expect(decideChange('to-remote', local, remote)).not.toBe('to-local')
      expect(decideChange('to-local', local, remote)).not.toBe('to-remote')
    }
  }
  for (const local of arrivals) {
    for (const remote of arrivals) {
      const meeting = { direction: 'to-local', contact: 'seed' } as const
      expect(['to-remote', 'local-wins']).not.toContain(decideArrival(meeting, local, remote))
    }
  }
})

test('an edit beats a deletion', () => {
  expect(decideChange('two-way', 'deleted', 'modified')).toBe('to-local')
  expect(decideChange('two-way', 'modified', 'deleted')).toBe('to-remote')
  expect(decideChange('to-remote', 'deleted', 'modified')).toBe('keep')
})
