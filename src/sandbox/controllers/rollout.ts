import type { Deployment, IntOrPercent, ReplicaSet } from './kinds.ts'

/** A ReplicaSet and the number of pods it is to have. */
export interface Scaling {
  readonly set: ReplicaSet
  readonly replicas: number
}

/** A Deployment and its ReplicaSets: the one of its template, if there is one yet, and the others, oldest first. */
export interface Rollout {
  readonly deployment: Deployment
  readonly current: ReplicaSet | undefined
  readonly old: readonly ReplicaSet[]
}

/** How many of `total` are meant. */
export function resolveAmount(amount: IntOrPercent, total: number, round: 'up' | 'down'): number {
  if (typeof amount === 'number') return amount
  const share = (Number.parseInt(amount, 10) * total) / 100
  return round === 'up' ? Math.ceil(share) : Math.floor(share)
}

/**
 * How many pods there may be beyond those wanted, and how many of those may be missing. Both are rounded in
 * such a way that a rollout can go on: k8s.io/kubernetes/pkg/controller/deployment/util, ResolveFenceposts.
 */
export function limitsOf({ spec }: Deployment): { surge: number; unavailable: number } {
  const { replicas, strategy } = spec
  if (strategy.type !== 'RollingUpdate') return { surge: 0, unavailable: 0 }
  const { maxSurge = 0, maxUnavailable = 0 } = strategy.rollingUpdate ?? {}
  const surge = resolveAmount(maxSurge, replicas, 'up')
  const unavailable = resolveAmount(maxUnavailable, replicas, 'down')
  return { surge, unavailable: Math.min(replicas, surge === 0 && unavailable === 0 ? 1 : unavailable) }
}

export function isWanted({ spec }: ReplicaSet): boolean {
  return spec.replicas > 0
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

export function wantedPods(sets: readonly ReplicaSet[]): number {
  return sum(sets.map(({ spec }) => spec.replicas))
}

export function countPods(
  sets: readonly ReplicaSet[],
  which: 'replicas' | 'readyReplicas' | 'availableReplicas' | 'terminatingReplicas',
): number {
  return sum(sets.map(({ status }) => status?.[which] ?? 0))
}

/** The next step of a rolling update: more new pods if there may be, else fewer old ones. */
export function rollingStep(rollout: Rollout & { readonly current: ReplicaSet }): Scaling[] {
  const { deployment, current } = rollout
  const replicas = firstReplicas(deployment, [...rollout.old, current], current.spec.replicas)
  return replicas === current.spec.replicas ? scaleDownOld(rollout) : [{ set: current, replicas }]
}

/** How many pods the ReplicaSet of the template may have that has `has` now. */
export function firstReplicas(deployment: Deployment, sets: readonly ReplicaSet[], has: number): number {
  const { replicas, strategy } = deployment.spec
  if (has >= replicas || strategy.type === 'Recreate') return replicas
  const room = replicas + limitsOf(deployment).surge - wantedPods(sets)
  return has + Math.max(0, Math.min(room, replicas - has))
}

/** Old pods go as far as enough stay available, those that are not available anyway first. */
function scaleDownOld({ deployment, current, old }: Rollout & { readonly current: ReplicaSet }): Scaling[] {
  const sets = [...old, current]
  const least = deployment.spec.replicas - limitsOf(deployment).unavailable
  const missingNew = current.spec.replicas - countPods([current], 'availableReplicas')
  const removable = wantedPods(sets) - least - missingNew
  if (removable <= 0) return []
  const broken = ({ spec, status }: ReplicaSet) =>
    Math.max(0, spec.replicas - (status?.availableReplicas ?? 0))
  const left = takeFrom(old, removable, (set) => broken(set))
  const spare = countPods(sets, 'availableReplicas') - least
  const result = takeFrom(left, spare, ({ spec }) => spec.replicas)
  return result.flatMap(({ spec }, index) => {
    const set = old[index]
    return set === undefined || set.spec.replicas === spec.replicas ? [] : [{ set, replicas: spec.replicas }]
  })
}

/** Takes up to `amount` pods away, from each set as many as `most` allows. */
function takeFrom(
  sets: readonly ReplicaSet[],
  amount: number,
  most: (set: ReplicaSet) => number,
): readonly ReplicaSet[] {
  let left = Math.max(0, amount)
  return sets.map((set) => {
    const taken = Math.min(left, most(set))
    left -= taken
    return { ...set, spec: { ...set.spec, replicas: set.spec.replicas - taken } }
  })
}

/**
 * Where the pods of a paused Deployment go when it is scaled: to its one ReplicaSet that has pods. In the midst of a rollout
 * the largest grows or shrinks; Kubernetes itself shares them out among all.
 */
export function scalePaused({ deployment, current, old }: Rollout): Scaling[] {
  const { replicas } = deployment.spec
  const active = [...old, ...(current === undefined ? [] : [current])].filter(isWanted)
  const [largest = current ?? old.at(-1)] = active.sort((a, b) => b.spec.replicas - a.spec.replicas)
  if (largest === undefined) return []
  if (active.length <= 1) return [{ set: largest, replicas }]
  const allowed = replicas === 0 ? 0 : replicas + limitsOf(deployment).surge
  return [{ set: largest, replicas: Math.max(0, largest.spec.replicas + allowed - wantedPods(active)) }]
}
