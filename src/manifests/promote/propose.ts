import { describePath } from '../diff/compare.ts'
import { nameOf } from '../order/references.ts'
import { planChange } from '../plan/change.ts'
import type { Facts } from '../plan/make.ts'
import type { FieldDifference, Plan, ResourcePlan } from '../plan/plan.ts'
import type { PreparedChange } from '../survey/change.ts'
import { equal } from '../value.ts'
import type { Verdict } from './classify.ts'
import { creationOf, type Transfer, transfersBetween, type View } from './differ.ts'
import type { Picks } from './picks.ts'
import type { FieldRule } from './rule.ts'

/** An object of the source, as it would be in the target, and what the target has of it. */
export interface Counterparts {
  readonly source: View
  /** Undefined where it has none. */
  readonly own: View | undefined
  /** Of the target. */
  readonly facts: Facts
}

/** What decides on what is preselected. */
export interface Habits {
  readonly rules: readonly FieldRule[]
  readonly picks: Picks
  /** Whether the user named what is promoted: then also what is new is meant. */
  readonly isNamed: boolean
  /** Whether it is meant that the file or the cluster alone is changed. */
  readonly isOneSided: boolean
}

/** A change of an object of the target as a promotion proposes it. */
export interface Proposal {
  readonly plan: ResourcePlan
  readonly transfers: readonly Transfer[]
  readonly facts?: Facts
}

/** What is portable is preselected; what was picked before is as it was picked then. Pure. */
export function propose({ source, own, facts }: Counterparts, habits: Habits): Required<Proposal> {
  const { shape } = facts
  const { transfers, notes } =
    own === undefined
      ? asNew(source, facts, habits)
      : { transfers: transfersBetween({ source, target: own, shape, rules: habits.rules }), notes: [] }
  const change = planChange(
    facts,
    transfers.map(({ wish }) => wish),
  )
  const verdicts = new Map(transfers.map(({ wish, verdict }) => [describePath(wish.path), verdict]))
  const picked = habits.picks.get(nameOf(facts.identity))
  const differences = change.differences.map((one) => advised(one, verdicts.get(one.id), picked?.get(one.id)))
  const sides = habits.isOneSided ? [] : change.notes
  return { plan: { ...change, differences, notes: [...sides, ...notes] }, transfers, facts }
}

function asNew({ bare }: View, { shape }: Facts, { rules, isNamed }: Habits) {
  const { object, rest, warnings, isWorthwhile } = creationOf(bare, shape, rules)
  const verdict: Verdict =
    isNamed && isWorthwhile
      ? { nature: 'portable', reason: 'new there' }
      : { nature: 'unclassed', reason: 'only the source has it; name it to create it' }
  const notes = [...new Set(warnings)].map(
    (why) => `it has from the source what it cannot be without: ${why}`,
  )
  return { transfers: [{ wish: { path: [], value: object, like: bare }, verdict }, ...rest], notes }
}

function advised(
  one: FieldDifference,
  verdict: Verdict | undefined,
  picked: boolean | undefined,
): FieldDifference {
  if (verdict === undefined) return one
  const wants = picked ?? verdict.nature === 'portable'
  const isHeld = one.isHeld && wants
  // What the file has and neither the cluster nor a base has, somebody may have written there: nothing replaces that unasked.
  const isKnown = [one.base, one.remote, one.wanted?.value].some((value) => equal(one.local, value))
  const isEdited = wants && one.local !== undefined && !isKnown
  const before = picked === undefined ? '' : picked ? '; picked before' : '; left before'
  const said = `${verdict.nature}: ${verdict.reason}${before}`
  const reason = isHeld
    ? `held by ${one.manager}`
    : isEdited
      ? 'the file has something else than the cluster'
      : said
  const advice = { takes: wants && !isHeld && !isEdited, reason }
  return { ...one, isHeld, advice, ...(isEdited && { whose: 'both' }) }
}

/** All proposals together, to be shown and carried out as a change. */
export function prepare(
  proposals: readonly Proposal[],
  about: Omit<Plan, 'direction' | 'resources' | 'leftOut'>,
  texts: ReadonlyMap<string, string>,
): PreparedChange {
  const resources = proposals.map(({ plan }) => plan)
  return {
    plan: { ...about, direction: 'change', resources, leftOut: [] },
    facts: new Map(proposals.flatMap(({ plan, facts }) => (facts === undefined ? [] : [[plan.id, facts]]))),
    texts,
    wishes: new Map(proposals.map(({ plan, transfers }) => [plan.id, transfers.map(({ wish }) => wish)])),
  }
}
