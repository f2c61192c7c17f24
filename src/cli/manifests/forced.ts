import {
  type Choice,
  type Direction,
  type FieldDifference,
  type Plan,
  proposed,
  type ResourcePlan,
  type Selection,
} from '../../manifests/plan/plan.ts'
import type { Conflicts } from './common.ts'

/** Whether what was chosen writes to a cluster. */
export function writesCluster({ direction, cluster }: Plan, chosen: Selection): boolean {
  // Between two folders there is none.
  if (direction !== 'pull') return cluster.server !== ''
  return [...chosen.values()].some((one) => typeof one !== 'string' && [...one.values()].includes('reverse'))
}

/** What is carried out where nobody is asked. */
export function forced({ resources, direction }: Plan, conflicts: Conflicts): Selection {
  const choice = {
    take: 'take',
    leave: 'leave',
    adopt: direction === 'change' ? 'leave' : 'reverse',
  } as const
  const choose = (one: FieldDifference): Choice =>
    isDisputed(one, direction) ? choice[conflicts] : proposed(direction, one)
  return new Map(
    resources.map(({ id, differences }) => [id, new Map(differences.map((one) => [one.id, choose(one)]))]),
  )
}

/** Whether somebody has to say who is right: both changed it, or another manager holds it, or one side deleted the object. */
function isDisputed({ whose, isHeld, path }: FieldDifference, direction: Direction): boolean {
  // Of a change, all of an object is what was wished for.
  const isGone =
    direction !== 'change' && path.length === 0 && whose === (direction === 'push' ? 'theirs' : 'yours')
  return whose === 'both' || isGone || (isHeld && direction !== 'pull')
}

/** Whether a selection leaves what somebody has to decide. */
export function leavesDisputed({ resources, direction }: Plan, selection: Selection): boolean {
  return resources.some(({ id, differences, replace }) => {
    const choice = selection.get(id)
    if (replace !== undefined || typeof choice !== 'object') return false
    return differences.some((one) => isDisputed(one, direction) && choice.get(one.id) === 'leave')
  })
}

/** Whether something was not done that somebody might expect. */
export function isLeft(
  { id, state, differences, replace }: ResourcePlan,
  { direction }: Plan,
  chosen: Selection | undefined,
): boolean {
  if (state === 'same') return false
  // Of a promotion, what nobody proposes is nothing that is left to do, unless it is disputed.
  const isOffered = differences.some((one) => one.advice?.takes !== false || isDisputed(one, direction))
  if (state !== 'refused' && direction === 'change' && !isOffered) return false
  const choice = chosen?.get(id)
  if (choice === undefined || state === 'refused' || replace !== undefined) return true
  return differences.some((one) => {
    if (!isDisputed(one, direction) || (one.path.length === 0 && direction !== 'change')) return false
    if (choice === 'all') return proposed(direction, one) === 'leave'
    return choice === 'none' || choice.get(one.id) === 'leave'
  })
}
