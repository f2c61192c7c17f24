import { textsAs } from '../live/view.ts'
import type { Facts } from '../plan/make.ts'
import { type Outcome, outcomeOf } from '../plan/outcome.ts'
import type { Selection } from '../plan/plan.ts'
import type { Session } from '../session.ts'
import { entryFor, type Prepared } from '../survey/facts.ts'
import { equal, type JsonMap } from '../value.ts'
import { writeFiles } from './files.ts'
import { type ClusterChange, type PushOptions, pushObjects } from './push.ts'

/** What became of an object. */
export interface Result {
  readonly id: string
  /** `moved`: it is not what was approved any more, and nothing was done. `skipped`: what it needs failed. */
  readonly what:
    | 'created'
    | 'changed'
    | 'replaced'
    | 'deleted'
    | 'written'
    | 'sorted'
    | 'failed'
    | 'moved'
    | 'skipped'
  /** Empty where it went well. */
  readonly reason: string
  /** What the server answered to a write. */
  readonly live?: JsonMap | undefined
}

/** An object, and what is to be written of it. */
export interface Chosen {
  readonly id: string
  readonly facts: Facts
  readonly outcome: Outcome
  readonly replaces: boolean
}

/**
 * Carries out what was chosen of a plan: files first, then the cluster, each write recorded before it is made. What fails stops
 * what depends on it and nothing else. What both sides then agree on is remembered.
 */
export async function carryOut(
  session: Session,
  { prepared, selection }: { prepared: Prepared; selection: Selection },
  options: PushOptions,
): Promise<Result[]> {
  const { plan, facts, texts } = prepared
  const chosen = plan.resources.flatMap((resource): Chosen[] => {
    const { id, replace } = resource
    const one = facts.get(id)
    if (one === undefined || (replace !== undefined && !options.replaceable.has(id))) return []
    const outcome = outcomeOf(one, resource, { ...plan, selection })
    return [{ id, facts: one, outcome, replaces: replace !== undefined }]
  })
  const toFiles = chosen.flatMap(({ id, facts, outcome }) =>
    outcome.file === undefined ? [] : [{ id, facts, change: outcome.file }],
  )
  const unwritten = await writeFiles(session, toFiles, { texts, onProgress: options.onProgress })
  const toCluster = chosen.flatMap(({ outcome: { apply }, ...one }): ClusterChange[] =>
    apply === undefined || unwritten.has(one.id) ? [] : [{ ...one, apply }],
  )
  const pushed = await pushObjects(session, toCluster, options)
  const unpushed = pushed.results.map(({ id }) => id).filter((id) => !pushed.objects.has(id))
  const failed = new Set([...unpushed, ...unwritten.keys()])
  await remember(session, chosen, { pushed: pushed.objects, failed })
  const files = toFiles.map(
    ({ id }): Result => ({
      ...{ id, what: unwritten.has(id) ? 'failed' : 'written' },
      reason: unwritten.get(id) ?? '',
    }),
  )
  return [...files, ...pushed.results.map((one) => ({ ...one, live: pushed.objects.get(one.id) }))]
}

/** Remembers what both sides agree on now, of all that did not fail. */
export async function remember(
  session: Session,
  chosen: readonly Chosen[],
  { pushed, failed }: { pushed: ReadonlyMap<string, JsonMap>; failed: ReadonlySet<string> },
): Promise<void> {
  const entries = chosen.flatMap(({ id, facts, outcome }) => {
    const live = pushed.get(id) ?? facts.live?.object
    if (live === undefined || failed.has(id) || facts.place.file === '') return []
    const isDone = outcome.apply !== undefined || outcome.file !== undefined
    const clean =
      pushed.get(id) === undefined
        ? facts.live?.clean
        : textsAs(session.clean(live, facts.local), outcome.apply?.object)
    const agreed = clean === undefined ? undefined : outcome.agreed(clean)
    if (agreed === undefined || !(isDone || outcome.isAgreed)) return []
    const isWhole = equal(agreed.live, clean)
    // Of a version that is known by its number nothing needs to be compared the next time.
    const isKnown = !isWhole || facts.isKnown === true
    const isSame = equal(facts.agreed?.file, agreed.file) && equal(facts.agreed?.live, agreed.live)
    if (!isDone && isSame && isKnown) return []
    return [entryFor(session, facts, { agreed, live, isWhole, isPushed: pushed.has(id) || facts.wasPushed })]
  })
  await session.base.put(entries)
}
