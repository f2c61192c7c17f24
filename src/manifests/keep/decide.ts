import { holdsData } from '../plan/make.ts'
import type { Choice, FieldDifference, ResourcePlan, Selection } from '../plan/plan.ts'
import { equal } from '../value.ts'
import { type Disputed, type Halt, haltOf } from './halt.ts'
import {
  isBusy,
  isWrittenBack,
  keyOf,
  type Memory,
  maxRounds,
  pauseAfter,
  saidOf,
  wantedOf,
} from './memory.ts'
import type { KeepConflict, KeepPolicy } from './status.ts'

/** What waits for a person, before it is put into words. */
export interface Question extends Disputed {
  readonly kind: Exclude<KeepConflict['kind'], 'many-deleted'>
  readonly why: string
}

/** What becomes of a difference. */
export type Verdict =
  /** Carried to the cluster, to the file, or nowhere because the mode says so. */
  | { readonly do: 'up' | 'down' | 'rest' }
  | { readonly do: 'wait'; readonly until: number }
  /** Left to somebody else. */
  | { readonly do: 'left'; readonly reason: string }
  | { readonly do: 'delete'; readonly from: 'cluster' | 'file' }
  | { readonly do: 'ask'; readonly kind: Question['kind']; readonly why: string }

export interface Situation {
  readonly policy: KeepPolicy
  readonly memory: Memory
  /** Ids of resources whose replicas an autoscaler sets. */
  readonly autoscaled: ReadonlySet<string>
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** What is to be done about all of a folder. */
export interface Decision {
  /** For a plan of direction `push`. */
  readonly selection: Selection
  readonly carried: ReadonlyMap<string, 'up' | 'down'>
  readonly removals: readonly { readonly plan: ResourcePlan; readonly from: 'cluster' | 'file' }[]
  readonly questions: readonly Question[]
  /** Set where so much would go that nothing is done at all: why, and what that is. */
  readonly halt: Halt | undefined
  readonly left: readonly { readonly plan: ResourcePlan; readonly field: string; readonly reason: string }[]
  readonly drift: number
  /** When something that waits is due, in milliseconds since the epoch. */
  readonly next: number
}

/** What is to be done, by how everything stands, what was said and what was done before. Pure. */
export function decide(plans: readonly ResourcePlan[], situation: Situation): Decision {
  const verdicts = plans.flatMap((plan) =>
    plan.differences.map((difference) => ({
      plan,
      difference,
      verdict: verdictOf(plan, difference, situation),
    })),
  )
  const questions = verdicts.flatMap(({ plan, difference, verdict }) =>
    verdict.do === 'ask' ? [{ plan, difference, kind: verdict.kind, why: verdict.why }] : [],
  )
  const halt = haltOf(plans, situation.memory)
  const carried = new Map<string, 'up' | 'down'>()
  const selection = new Map<string, Map<string, Choice>>()
  for (const { plan, difference, verdict } of halt === undefined ? verdicts : []) {
    if (verdict.do !== 'up' && verdict.do !== 'down') continue
    carried.set(keyOf(plan.id, difference), verdict.do)
    const choices = selection.get(plan.id) ?? new Map<string, Choice>()
    selection.set(plan.id, choices.set(difference.id, verdict.do === 'up' ? 'take' : 'reverse'))
  }
  return {
    ...{ selection, carried, questions, halt },
    removals: verdicts.flatMap(({ plan, verdict }) =>
      verdict.do === 'delete' && halt === undefined ? [{ plan, from: verdict.from }] : [],
    ),
    left: verdicts.flatMap(({ plan, difference: { id }, verdict }) =>
      verdict.do === 'left' ? [{ plan, field: id, reason: verdict.reason }] : [],
    ),
    drift: verdicts.filter(({ verdict }) => verdict.do === 'rest').length,
    next: Math.min(
      ...verdicts.map(({ verdict }) => (verdict.do === 'wait' ? verdict.until : Number.POSITIVE_INFINITY)),
    ),
  }
}

function verdictOf(plan: ResourcePlan, difference: FieldDifference, situation: Situation): Verdict {
  const { memory, now } = situation
  const verdict =
    difference.path.length === 0 ? ofWhole(plan, difference, situation) : ofField(plan, difference, situation)
  if (!['up', 'down', 'delete'].includes(verdict.do)) return verdict
  const setback = memory.setbacks.get(plan.id)
  const isSame = setback !== undefined && setback.wanted === wantedOf(plan)
  return isSame && setback.until > now ? { do: 'wait', until: setback.until } : verdict
}

function ofField(plan: ResourcePlan, one: FieldDifference, situation: Situation): Verdict {
  const { policy, memory, autoscaled, now } = situation
  const { whose, isHeld, manager, id } = one
  const key = keyOf(plan.id, one)
  if (id === 'spec.replicas' && autoscaled.has(plan.id))
    return { do: 'left', reason: 'an autoscaler sets it' }
  if (whose === 'theirs' && manager === 'kube-controller-manager')
    return { do: 'left', reason: `${manager} sets it` }
  const answered = answerTo(plan, one, situation)
  if (isWrittenBack(memory, key, one, now)) {
    const { rounds, at } = memory.pushed.get(key) ?? { rounds: 0, at: 0 }
    const who = manager ?? 'somebody'
    if (answered?.do === 'down') return answered
    if (rounds >= maxRounds) return { do: 'left', reason: `${who} writes back whatever is written here` }
    const due = at + pauseAfter(rounds)
    const verdict = answered ?? ofConflict(one, policy, `${who} wrote back what was there before`)
    return verdict.do === 'up' && due > now ? { do: 'wait', until: due } : verdict
  }
  if (answered !== undefined) return answered
  if (whose === 'theirs') {
    if (isBusy(memory, key, now)) return { do: 'left', reason: `${manager} keeps writing it` }
    return { do: goes('down', policy) }
  }
  if (isHeld) return { do: 'ask', kind: 'conflict', why: `${manager} holds it in the cluster` }
  if (whose === 'yours') return { do: goes('up', policy) }
  return ofConflict(one, policy, whose === 'both' ? 'both sides changed it' : 'they never were the same')
}

function goes(way: 'up' | 'down', { mode, mayWriteCluster }: KeepPolicy): 'up' | 'down' | 'rest' {
  if (way === 'up') return mode !== 'to-files' && mayWriteCluster ? 'up' : 'rest'
  return mode !== 'to-cluster' ? 'down' : 'rest'
}

/** What a person said, if it was said of this; that goes any way, whatever the mode is. */
function answerTo(
  plan: ResourcePlan,
  one: FieldDifference,
  { memory, policy }: Situation,
): Verdict | undefined {
  const side = saidOf(memory, plan, one)
  if (side === undefined) return undefined
  return { do: side === 'remote' ? 'down' : policy.mayWriteCluster ? 'up' : 'rest' }
}

function ofConflict({ whose, local, remote }: FieldDifference, policy: KeepPolicy, why: string): Verdict {
  const { onConflict } = policy
  if (onConflict === 'ask' || onConflict === 'stop') return { do: 'ask', kind: 'conflict', why }
  // Nothing is taken away that nobody is known to have removed.
  const wins = onConflict === 'local' ? local : remote
  if (whose === 'differs' && wins === undefined) return { do: 'rest' }
  return { do: goes(onConflict === 'local' ? 'up' : 'down', policy) }
}

/** Of an object that one side does not have. */
function ofWhole(plan: ResourcePlan, one: FieldDifference, situation: Situation): Verdict {
  const { policy } = situation
  const { base, local, remote, whose } = one
  if (base === undefined) return { do: goes(local === undefined ? 'down' : 'up', policy) }
  const isHere = local === undefined
  const side = saidOf(situation.memory, plan, one)
  if (side !== undefined && isHere === (side === 'local')) return removal(isHere, policy)
  if (side !== undefined) return answerTo(plan, one, situation) ?? { do: 'rest' }
  const isEdited = whose === 'both' || !equal(base, isHere ? remote : local)
  const kind = isHere ? 'deleted-here' : 'deleted-there'
  const ask = (why: string): Verdict => ({ do: 'ask', kind, why })
  const [gone, other] = isHere ? ['in the folder', 'the cluster'] : ['in the cluster', 'the folder']
  if (isEdited) return ask(`it was deleted ${gone}, and changed in ${other}`)
  if (policy.onDeletion === 'restore') return { do: goes(isHere ? 'down' : 'up', policy) }
  if (policy.onDeletion === 'ask') return ask(`it was deleted ${gone}`)
  if (isHere && holdsData(plan.ref.kind))
    return ask('it was deleted in the folder, and holds what would go with it')
  return goes(isHere ? 'up' : 'down', policy) === 'rest' ? { do: 'rest' } : removal(isHere, policy)
}

function removal(isHere: boolean, { mayWriteCluster }: KeepPolicy): Verdict {
  if (isHere && !mayWriteCluster) return { do: 'rest' }
  return { do: 'delete', from: isHere ? 'cluster' : 'file' }
}
