import type { FieldDifference, ResourcePlan } from '../plan/plan.ts'
import { type Memory, saidOf } from './memory.ts'

/** A difference of a resource. */
export interface Disputed {
  readonly plan: ResourcePlan
  readonly difference: FieldDifference
}

/** Why nothing is done at all, and the deletions that nobody spoke of yet. */
export interface Halt {
  readonly why: string
  readonly deletions: readonly Disputed[]
}

/** Fewer deletions than that are ordinary work, whatever share they are. */
const minDeleted = 5
const maxShare = 0.5

/** So many deletions are taken for a mistake: of a folder that is moved away, of a namespace that goes. */
export function haltOf(plans: readonly ResourcePlan[], memory: Memory): Halt | undefined {
  const gone = plans.flatMap((plan): Disputed[] => {
    const [difference] = plan.differences
    if (difference?.path.length !== 0 || difference.base === undefined) return []
    return saidOf(memory, plan, difference) === undefined ? [{ plan, difference }] : []
  })
  for (const [side, where] of [['local', 'folder'] as const, ['remote', 'cluster'] as const]) {
    const deletions = gone.filter(({ difference }) => difference[side] === undefined)
    const { length: amount } = deletions
    const isAll = amount > 1 && amount === plans.length
    if (!isAll && (amount < minDeleted || amount <= plans.length * maxShare)) continue
    const why = `${amount} of ${plans.length} objects are not in the ${where} any more; nothing is written until somebody says that this is meant`
    return { why, deletions }
  }
  return undefined
}
