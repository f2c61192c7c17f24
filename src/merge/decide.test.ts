import { describe, expect, test } from 'vitest'
import type { Arrival, Change, Contact, Decision, Mode } from './decide.ts'
import { decideArrival, decideChange, firstContacts, modes } from './decide.ts'

const changes: Change[] = ['unchanged', 'modified', 'replaced', 'deleted', 'opaque']
const arrivals: Arrival[] = ['absent', 'created', 'opaque']
const contacts: Contact[] = [...firstContacts, 'seed', 'over']
const turned: Partial<Record<Decision, Decision>> = {
  'to-remote': 'to-local',
  'to-local': 'to-remote',
  'local-wins': 'remote-wins',
  'remote-wins': 'local-wins',
}
const mirror = (decision: Decision) => turned[decision] ?? decision
const pairs: [Mode, Mode][] = [
  ['two-way-safe', 'two-way-safe'],
  ['two-way-newest-wins', 'two-way-newest-wins'],
  ['two-way-local-wins', 'two-way-remote-wins'],
  ['to-remote-safe', 'to-local-safe'],
  ['to-remote-mirror', 'to-local-mirror'],
]

/** Everything a mode can decide, with what it is about. */
function* decisions(mode: Mode): Generator<[Decision, Change | Arrival, Change | Arrival]> {
  for (const local of changes) {
    for (const remote of changes) yield [decideChange(mode, local, remote), local, remote]
  }
  for (const contact of contacts) {
    for (const local of arrivals) {
      for (const remote of arrivals) yield [decideArrival({ mode, contact }, local, remote), local, remote]
    }
  }
}

describe.each(modes)('%s', (mode) => {
  test('leaves alone what cannot be told', () => {
    for (const [decision, local, remote] of decisions(mode)) {
      if (local === 'opaque' || remote === 'opaque') expect(decision).toBe('keep')
    }
  })

  test('agrees on what neither side touched, and on what both deleted', () => {
    expect(decideChange(mode, 'unchanged', 'unchanged')).toBe('agree')
    expect(decideChange(mode, 'deleted', 'deleted')).toBe('agree')
  })

  test('writes to no side that it is not to write to', () => {
    const forbidden: Decision[] = [
      ...(mode.startsWith('to-remote')
        ? (['to-local', 'remote-wins', 'newest-wins', 'keep-both'] as const)
        : []),
      ...(mode.startsWith('to-local')
        ? (['to-remote', 'local-wins', 'newest-wins', 'keep-both'] as const)
        : []),
    ]
    for (const [decision] of decisions(mode)) expect(forbidden).not.toContain(decision)
  })

  test.runIf(mode.startsWith('two-way'))('has an edit beat a deletion, whoever wins', () => {
    for (const edit of ['modified', 'replaced'] as const) {
      expect(decideChange(mode, 'deleted', edit)).toBe('to-local')
      expect(decideChange(mode, edit, 'deleted')).toBe('to-remote')
    }
  })

  test.runIf(mode.endsWith('safe'))('lets nobody win over what both did', () => {
    for (const local of changes) {
      for (const remote of changes) {
        expect(['local-wins', 'remote-wins', 'newest-wins']).not.toContain(decideChange(mode, local, remote))
      }
    }
  })

  test.runIf(mode.endsWith('mirror'))('makes the written side equal, whatever it has', () => {
    const [to, wins] = mode.startsWith('to-remote')
      ? ['to-remote', 'local-wins']
      : ['to-local', 'remote-wins']
    for (const [decision, local, remote] of decisions(mode)) {
      if (local !== 'opaque' && remote !== 'opaque') expect(['agree', to, wins]).toContain(decision)
    }
  })
})

test.each(pairs)('%s and %s are mirror images', (one, other) => {
  for (const local of changes) {
    for (const remote of changes) {
      expect(decideChange(other, remote, local)).toBe(mirror(decideChange(one, local, remote)))
    }
  }
})

test('a fresh container is filled from local where it may be, and never the other way', () => {
  for (const mode of modes) {
    const decision = decideArrival({ mode, contact: 'seed' }, 'created', 'created')
    expect(decision).toBe(
      { 'to-local-safe': 'compare', 'to-local-mirror': 'remote-wins' }[mode as string] ?? 'local-wins',
    )
  }
})
