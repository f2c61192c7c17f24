import type { Deployment, ReplicaSet } from './kinds.ts'

/** What a Deployment last wanted, as its ReplicaSets remember it. */
export const desiredReplicas = 'deployment.kubernetes.io/desired-replicas'

/** A ReplicaSet and the number of pods it is to have. */
export interface Scaling {
  readonly set: ReplicaSet
  readonly replicas: number
}

/** A Deployment and its ReplicaSets: the one of its template, which may not be created yet, and the others, oldest first. */
export interface Rollout {
  readonly deployment: Deployment
  readonly current: ReplicaSet
  readonly old: readonly ReplicaSet[]
}

/** How many of `total` are meant by a number or a share. */
export function resolveAmount(amount: number | string, total: number, round: 'up' | 'down'): number {
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
  const surge = resolveAmount(strategy.rollingUpdate?.maxSurge ?? 0, replicas, 'up')
  const unavailable = resolveAmount(strategy.rollingUpdate?.maxUnavailable ?? 0, replicas, 'down')
  return { surge, unavailable: Math.min(replicas, surge === 0 && unavailable === 0 ? 1 : unavailable) }
}

export function sum(numbers: readonly (number | undefined)[]): number {
  return numbers.reduce<number>((total, number) => total + (number ?? 0), 0)
}

/** Of those that a ReplicaSet wants: its status may be of a time when it wanted more. */
function availableOf({ set, replicas }: Scaling): number {
  return Math.min(replicas, set.status?.availableReplicas ?? 0)
}

/**
 * The next step of a rolling update: as many new pods as there may be, and as few old ones as leave enough available, those
 * that are not available anyway first.
 */
export function rollingStep({ deployment, current, old }: Rollout): Scaling[] {
  const { replicas } = deployment.spec
  const { surge, unavailable } = limitsOf(deployment)
  const before = old.map((set) => ({ set, replicas: set.spec.replicas }))
  const oldPods = sum(before.map((scaling) => scaling.replicas))
  const grown = Math.min(replicas, Math.max(current.spec.replicas, replicas + surge - oldPods))
  const next = { set: current, replicas: grown }
  const spare = availableOf(next) - (replicas - unavailable)
  const healthy = takeAway(before, oldPods + spare, (scaling) => scaling.replicas - availableOf(scaling))
  const most = sum(before.map(availableOf)) + spare
  return [next, ...takeAway(healthy, most, (scaling) => scaling.replicas)]
}

/** Takes up to `amount` pods away, from each set as many as `most` allows. */
function takeAway(from: readonly Scaling[], amount: number, most: (scaling: Scaling) => number): Scaling[] {
  let left = Math.max(0, amount)
  return from.map((scaling) => {
    const taken = Math.min(left, most(scaling))
    left -= taken
    return { ...scaling, replicas: scaling.replicas - taken }
  })
}

/**
 * Where the pods of a paused Deployment go when it is scaled: to its one ReplicaSet that has pods. In the midst of a rollout
 * the largest grows or shrinks; Kubernetes itself shares them out among all.
 */
export function pausedStep({ spec }: Deployment, sets: readonly ReplicaSet[]): Scaling[] {
  const [largest, next] = [...sets].reverse().sort((a, b) => b.spec.replicas - a.spec.replicas)
  const before = Number(largest?.metadata.annotations?.[desiredReplicas] ?? spec.replicas)
  const isOne = (next?.spec.replicas ?? 0) === 0
  const wanted = (has: number) => (isOne ? spec.replicas : Math.max(0, has + spec.replicas - before))
  return sets.map((set) => {
    return { set, replicas: set === largest ? wanted(set.spec.replicas) : set.spec.replicas }
  })
}
