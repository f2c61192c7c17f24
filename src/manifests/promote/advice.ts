import { describePath } from '../diff/compare.ts'
import type { FieldDifference, ResourcePlan } from '../plan/plan.ts'
import type { Verdict } from './classify.ts'
import type { Transfer } from './differ.ts'

/** A change as a promotion proposes it: what is portable is preselected, and what was picked before is as it was picked then. */
export function advised(
  plan: ResourcePlan,
  transfers: readonly Transfer[],
  picked: ReadonlyMap<string, boolean>,
): ResourcePlan {
  const verdicts = new Map(transfers.map(({ wish, verdict }) => [describePath(wish.path), verdict]))
  const differences = plan.differences.map((one) => {
    const verdict = verdicts.get(one.id)
    return verdict === undefined ? one : advisedField(one, verdict, picked.get(one.id))
  })
  return { ...plan, differences }
}

function advisedField(one: FieldDifference, verdict: Verdict, picked: boolean | undefined): FieldDifference {
  const { nature, reason } = verdict
  const said = `${nature}: ${reason}`
  const isHeld = one.isHeld && (picked ?? nature === 'portable')
  const takes = (picked ?? nature === 'portable') && !isHeld
  const before = picked === undefined ? '' : picked ? '; picked before' : '; left before'
  return { ...one, isHeld, advice: { takes, reason: isHeld ? `held by ${one.manager}` : said + before } }
}
