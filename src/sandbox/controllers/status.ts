import { timestamp } from '../values.ts'
import type { Condition } from './kinds.ts'

export function condition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((each) => each.type === type)
}

/** Conditions with one of them set anew, unless its status and reason are what they were. */
export function withCondition(all: readonly Condition[] = [], wanted: Condition): readonly Condition[] {
  const known = condition(all, wanted.type)
  if (known?.status === wanted.status && known.reason === wanted.reason) return all
  const since = known?.status === wanted.status ? known.lastTransitionTime : undefined
  const set = { ...wanted, lastTransitionTime: since ?? timestamp(new Date()) }
  return [...all.filter((each) => each !== known), set]
}

/** Counts as Go's `omitempty` leaves them: without those that are zero. */
export function withoutZeros(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0))
}
