import type { FieldDifference, ResourcePlan } from '../plan/plan.ts'
import { equal, type Json } from '../value.ts'
import type { KeepSide } from './status.ts'

/** What a person said of a difference; it holds for the values that were shown. */
export interface Answer {
  readonly side: KeepSide
  readonly local: Json | undefined
  readonly remote: Json | undefined
}

/** A value that we gave a field in the cluster. */
interface Pushed {
  readonly value: Json | undefined
  readonly before: Json | undefined
  /** How often it was given, as somebody wrote back what was there before. */
  readonly rounds: number
  /** Milliseconds since the epoch. */
  readonly at: number
}

interface Setback {
  /** What was to be done when it failed. */
  readonly wanted: string
  readonly reason: string
  readonly attempts: number
  readonly until: number
}

/** What is remembered while folder and cluster are kept; all of it can be found out again. By `keyOf`, setbacks by the resource's id. */
export interface Memory {
  readonly answers: ReadonlyMap<string, Answer>
  readonly pushed: ReadonlyMap<string, Pushed>
  /** When a field was taken over from the same manager. */
  readonly pulled: ReadonlyMap<string, readonly number[]>
  readonly setbacks: ReadonlyMap<string, Setback>
}

export const nothing: Memory = {
  answers: new Map(),
  pushed: new Map(),
  pulled: new Map(),
  setbacks: new Map(),
}

/** So often a field is written against, or after, somebody who keeps writing it. */
export const maxRounds = 3
/** Milliseconds in which that often is often. */
const often = 10 * 60_000
/** Milliseconds from a write to its repetition, which double each time. */
const firstPause = 1000
const longestPause = 10 * 60_000

export const keyOf = (resource: string, { id }: Pick<FieldDifference, 'id'>) => `${resource}\0${id}`

/** Whether a person or another kubesync wrote it, once; a controller writes again. */
export function isPersons(manager: string | undefined): boolean {
  return manager === undefined || manager === 'before-first-apply' || manager.startsWith('kubectl')
}

/**
 * Whether somebody wrote back what was in the cluster before we wrote: not a person, and not so long after that it is a change like any other
 * where nobody knows who it was.
 */
export function isWrittenBack(memory: Memory, key: string, one: FieldDifference, now: number): boolean {
  const { whose, local, remote, manager } = one
  const mine = memory.pushed.get(key)
  if (mine === undefined || whose !== 'theirs' || !equal(mine.value, local) || !equal(mine.before, remote))
    return false
  return !isPersons(manager) || (manager === undefined && remote === undefined && now - mine.at < 60_000)
}

/** Whether a field was taken over so often that its manager is left alone with it. */
export function isBusy(memory: Memory, key: string, now: number): boolean {
  return recent(memory.pulled.get(key), now).length >= maxRounds
}

function recent(times: readonly number[] = [], now: number): readonly number[] {
  return times.filter((at) => now - at < often)
}

/** Milliseconds to wait after so many attempts. */
export function pauseAfter(attempts: number): number {
  return Math.min(firstPause * 2 ** (attempts - 1), longestPause)
}

/** What a write is about, to tell whether the same is tried again. */
export function wantedOf({ differences }: ResourcePlan): string {
  return JSON.stringify(differences.map(({ id, local, remote }) => [id, local ?? 0, remote ?? 0]))
}

/** What was done of a pass, or could not be. */
export interface Done {
  readonly plans: readonly ResourcePlan[]
  /** By `keyOf`: which way a difference was carried. */
  readonly carried: ReadonlyMap<string, 'up' | 'down'>
  /** By the resource's id: why it failed. */
  readonly failed: ReadonlyMap<string, string>
  readonly now: number
}

/** What is remembered after a pass; of what was not looked at, what was remembered before. Pure. */
export function learn(memory: Memory, { plans, carried, failed, now }: Done): Memory {
  const answers = new Map(memory.answers)
  const pushed = new Map(memory.pushed)
  const pulled = new Map(memory.pulled)
  const setbacks = new Map(memory.setbacks)
  for (const plan of plans) {
    const reason = failed.get(plan.id)
    const before = memory.setbacks.get(plan.id)
    const wanted = wantedOf(plan)
    if (reason !== undefined) {
      const attempts = before?.wanted === wanted ? before.attempts + 1 : 1
      setbacks.set(plan.id, { wanted, reason, attempts, until: now + pauseAfter(attempts) })
    } else if (before?.wanted !== wanted || before.until <= now) setbacks.delete(plan.id)
    for (const one of plan.differences) {
      const key = keyOf(plan.id, one)
      const answer = memory.answers.get(key)
      const way = reason === undefined ? carried.get(key) : undefined
      if (answer !== undefined && (way !== undefined || !isAbout(answer, one))) answers.delete(key)
      if (way === 'up') {
        const rounds = isWrittenBack(memory, key, one, now) ? (memory.pushed.get(key)?.rounds ?? 0) + 1 : 1
        pushed.set(key, { value: one.local, before: one.remote, rounds, at: now })
      }
      if (way === 'down' && !isPersons(one.manager))
        pulled.set(key, [...recent(memory.pulled.get(key), now), now])
    }
  }
  return { answers, pushed, pulled, setbacks }
}

/** Which side a person said is right, if that was said of what is there now, and not of what was there once. */
export function saidOf(memory: Memory, { id }: ResourcePlan, one: FieldDifference): KeepSide | undefined {
  const answer = memory.answers.get(keyOf(id, one))
  return answer !== undefined && isAbout(answer, one) ? answer.side : undefined
}

function isAbout(answer: Answer, { local, remote }: FieldDifference): boolean {
  return equal(answer.local, local) && equal(answer.remote, remote)
}
