import type { JournalEntry } from './journal.ts'

/** What one command wrote. */
export interface DoneOperation {
  /** Counted from the oldest that was ever recorded here, from 1. */
  readonly number: number
  readonly id: string
  /** ISO 8601, of the first write. */
  readonly at: string
  readonly who: string
  /** The words of the command line; empty where an older version did not note them. */
  readonly command: string
  readonly entries: readonly JournalEntry[]
  /** Whether what it wrote was taken back since. */
  readonly reverted: 'no' | 'partly' | 'yes'
}

/**
 * Writes by what they belong to, oldest first.
 *
 * @param forgotten how many operations there were before those.
 */
export function operationsOf(entries: readonly JournalEntry[], forgotten = 0): DoneOperation[] {
  const groups = new Map<string, JournalEntry[]>()
  for (const entry of entries) {
    // Older versions recorded at the same moment what they wrote together.
    const id = entry.operation === '' ? entry.at : entry.operation
    groups.set(id, [...(groups.get(id) ?? []), entry])
  }
  const reverted = revertedIn(entries)
  return [...groups].map(([id, group], index) => {
    const [first] = group
    const made = group.filter(({ outcome }) => outcome !== 'failed')
    const undone = made.filter((entry) => reverted.has(entry.id)).length
    return {
      ...{ number: forgotten + index + 1, id, entries: group },
      ...{ at: first?.at ?? '', who: first?.who ?? '', command: first?.command ?? '' },
      reverted: undone === 0 ? 'no' : undone < made.length ? 'partly' : 'yes',
    }
  })
}

/** The ids of writes that were taken back, and were not made again by taking that back. */
function revertedIn(entries: readonly JournalEntry[]): ReadonlySet<string> {
  const reverted = new Set<string>()
  for (const { id, reverts, outcome } of entries.toReversed()) {
    if (outcome !== 'done' || reverted.has(id)) continue
    for (const one of reverts) reverted.add(one)
  }
  return reverted
}

/** Whether `Deployment.apps shop/web` is what `web`, `deployment/web` or itself means. */
export function isMeant(id: string, word: string): boolean {
  const [kind = '', place = ''] = id.split(' ')
  const name = place.slice(place.indexOf('/') + 1)
  const [first = '', second] = word.split('/')
  if (word === id || word === place || word === name) return true
  return second === name && kind.split('.')[0]?.toLowerCase() === first.toLowerCase().replace(/s$/, '')
}
