import { compare, type Difference, describePath } from '../diff/compare.ts'
import type { Shape } from '../diff/shape.ts'
import { operationsFor, type Wish } from '../diff/take.ts'
import { equal, type Json, type JsonMap } from '../value.ts'
import { aboutOf, type Facts, fieldDifference, remoteOf } from './make.ts'
import { agreement, applying, fieldAt, made, type Outcome } from './outcome.ts'
import type { FieldDifference, ResourcePlan } from './plan.ts'

/** What a field is to become: on both sides, or on one of them alone. */
export interface ChangeWish extends Wish {
  readonly side?: 'file' | 'cluster'
}

/** Names the difference that a wish makes, in its plan. */
export function nameOfWish({ path, side }: ChangeWish): string {
  return side === undefined ? describePath(path) : `${describePath(path)} (${side})`
}

/**
 * A change of an object as a plan: for each wish what file and cluster have there now, and what both are to have (`wanted`). What
 * both have already is left out. Of an object that only one side has, that side alone is changed, and a note says so. One that neither
 * has is created by a wish for the whole of it, which has an empty path and comes first.
 *
 * Deploying, promoting and reverting are changes: make wishes, in the file's terms and by the keys of the shape; show this plan; and
 * carry it with `carryChange`, which makes it in file and cluster as one step.
 */
export function planChange(facts: Facts, wishes: readonly ChangeWish[]): ResourcePlan {
  const { local } = facts
  const remote = remoteOf(facts)
  const about = { ...aboutOf(facts), notes: notesOf(local, remote) }
  if (local === undefined && remote === undefined && !isCreation(wishes))
    return { ...about, state: 'refused', differences: [] }
  const differences = wishes
    .map((wish) => changedField(facts, wish, { local: local ?? remote, remote: remote ?? local }))
    .filter(({ local, remote, wanted }) => !equal(local, wanted?.value) || !equal(remote, wanted?.value))
  if (isCreation(wishes)) return { ...about, state: 'only-local', notes: [], differences }
  return { ...about, state: differences.length === 0 ? 'same' : 'changed', differences }
}

function isCreation([whole]: readonly Wish[]): boolean {
  return whole?.path.length === 0
}

function notesOf(local: JsonMap | undefined, remote: JsonMap | undefined): string[] {
  if (local === undefined && remote === undefined) return ['neither a file nor the cluster has it']
  if (local === undefined) return ['no file here has it: only the cluster is changed']
  return remote === undefined ? ['the cluster does not have it: only the file is changed'] : []
}

interface Sides {
  readonly local: JsonMap | undefined
  readonly remote: JsonMap | undefined
}

function changedField(facts: Facts, wish: ChangeWish, sides: Sides): FieldDifference {
  const { agreed, shape } = facts
  const { path, value, side } = wish
  const [base, local, remote] = [agreed?.file, sides.local, sides.remote].map((one) =>
    fieldAt(one, path, shape),
  )
  // The other side has nothing to do with it.
  const [here, there] = [side === 'cluster' ? value : local, side === 'file' ? value : remote]
  const field = fieldDifference({ path, base, local: here, remote: there, whose: 'local' }, facts)
  const isHeld = field.isHeld && !equal(there, value)
  return { ...field, id: nameOfWish(wish), isHeld, wanted: { value, side } }
}

/**
 * What a change writes: into the file and into the cluster only what each does not have yet. Whatever else differs between both
 * stays as each side has it, and stays as agreed on or not as it was.
 */
export function changeOutcome(facts: Facts, wishes: readonly ChangeWish[]): Outcome {
  const { local, agreed, shape } = facts
  const common = wishes.filter(({ side }) => side === undefined)
  const change = (object: JsonMap) => made(object, common, shape)
  const { here, there, remote } = changed(facts, wishes)
  if (isCreation(wishes)) return created(change({}), facts)
  const toFile = between(local, here, facts)
  const toCluster = between(remote, there, facts)
  const before = agreed && { file: change(agreed.file), live: change(agreed.live) }
  const left =
    here === undefined || there === undefined
      ? []
      : compare({ base: before?.file, local: here, remote: there }, shape)
  return {
    apply:
      there === undefined || toCluster.length === 0
        ? undefined
        : applying(there, facts, toCluster.map(turned)),
    file:
      local === undefined || toFile.length === 0
        ? undefined
        : { operations: operationsFor(local, toFile.map(asWish(here)), shape) },
    isAgreed: left.length === 0,
    agreed: agreement(here ?? there ?? {}, left, { agreed: before, shape }),
  }
}

function created(object: JsonMap, { place }: Facts): Outcome {
  return {
    apply: { object, force: false, handOver: [] },
    file: place.file === '' ? undefined : { create: object },
    isAgreed: true,
    agreed: (live) => ({ file: object, live }),
  }
}

/** What each side has after a change. */
function changed(facts: Facts, wishes: readonly ChangeWish[]) {
  const { local, shape } = facts
  const remote = remoteOf(facts)
  const without = (other: ChangeWish['side']) => wishes.filter(({ side }) => side !== other)
  return {
    remote,
    here: local && made(local, without('cluster'), shape),
    there: remote && made(remote, without('file'), shape),
  }
}

/** The change that takes a change back, on each side to what that had. */
export function inverseOf(facts: Facts, wishes: readonly ChangeWish[]): ChangeWish[] {
  const { here, there, remote } = changed(facts, wishes)
  return bothWays(
    between(here, facts.local, facts).map(asWish(facts.local)),
    between(there, remote, facts).map(asWish(remote)),
  )
}

/** Wishes for the file and for the cluster as one change: what is the same is wished for both. */
export function bothWays(file: readonly Wish[], cluster: readonly Wish[]): ChangeWish[] {
  const isSame = (a: Wish, b: Wish) =>
    describePath(a.path) === describePath(b.path) && equal(a.value, b.value)
  const isCommon = (one: Wish, others: readonly Wish[]) => others.some((other) => isSame(one, other))
  return [
    ...file.map((one): ChangeWish => (isCommon(one, cluster) ? one : { ...one, side: 'file' })),
    ...cluster.filter((one) => !isCommon(one, file)).map((one): ChangeWish => ({ ...one, side: 'cluster' })),
  ]
}

/** The single fields in which one state of a side differs from the next: its `remote` is what comes. */
function between(now: JsonMap | undefined, next: JsonMap | undefined, { shape }: Facts): Difference[] {
  if (now === undefined || next === undefined) return []
  return compare({ base: now, local: now, remote: next }, shape)
}

function asWish(like: Json | undefined): (difference: Difference) => Wish {
  return ({ path, remote }) => ({ path, value: remote, like })
}

/** As a push sees it: what the file would have against what the cluster has. */
function turned({ local, remote, ...rest }: Difference): Difference {
  return { ...rest, local: remote, remote: local }
}

/** Those of the wishes whose fields a selection names, by the ids of the plan's differences. */
export function wishesFor(wishes: readonly ChangeWish[], ids: ReadonlySet<string>): ChangeWish[] {
  return wishes.filter((wish) => ids.has(nameOfWish(wish)))
}

/** Whether an object has what was wished for. */
export function isMade(object: JsonMap, wishes: readonly ChangeWish[], shape: Shape): boolean {
  return wishes.every(
    ({ path, value, side }) => side === 'file' || equal(fieldAt(object, path, shape), value),
  )
}
