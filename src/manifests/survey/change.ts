import { fetchObjects, width } from '../live/fetch.ts'
import { forEachOf } from '../live/pool.ts'
import { nameOf } from '../order/references.ts'
import { type ChangeWish, changeOutcome, planChange } from '../plan/change.ts'
import type { Facts } from '../plan/make.ts'
import type { ResourcePlan } from '../plan/plan.ts'
import type { Session } from '../session.ts'
import { factsOf, type Prepared, type Subject } from './facts.ts'
import type { Folder } from './folder.ts'
import { preview } from './preview.ts'

/** An object that is to be changed, and how, by what is known of it. */
export interface ChangeSubject extends Omit<Subject, 'live' | 'isFresh'> {
  readonly wishesOf: (facts: Facts) => readonly ChangeWish[]
}

/** A plan of a change, and what it takes to carry it out. */
export interface PreparedChange extends Prepared {
  /** What is wished for, by the resource's id. */
  readonly wishes: ReadonlyMap<string, readonly ChangeWish[]>
}

/** Compares a change with file and cluster, and has the server say what it thinks of it. */
export async function surveyChange(
  session: Session,
  folder: Pick<Folder, 'remarks' | 'texts'>,
  subjects: readonly ChangeSubject[],
): Promise<PreparedChange> {
  const wanted = await forEachOf(subjects, width, async ({ apiVersion, identity }) => {
    return { type: await session.client.discovery.kind(apiVersion, identity.kind), identity }
  })
  const found = await fetchObjects(session.client, wanted)
  const facts = new Map<string, Facts>()
  const wishes = new Map<string, readonly ChangeWish[]>()
  const resources = await forEachOf(subjects, width, async (subject): Promise<ResourcePlan> => {
    const id = nameOf(subject.identity)
    const known = await factsOf(session, { ...subject, live: found.objects.get(id) })
    // What is in step was compared without one.
    const shape = await session.shapes(subject.apiVersion, subject.identity.kind)
    const one = { ...known, shape }
    facts.set(id, one)
    wishes.set(id, subject.wishesOf(one))
    const problem = found.problems.get(id)
    return problem === undefined
      ? previewed(session, one, wishes.get(id) ?? [])
      : refused(planChange(one, []), `it cannot be read in the cluster: ${problem}`)
  })
  const { cluster, root } = session
  const { remarks, texts } = folder
  const plan = { direction: 'change', cluster, root, resources, remarks, leftOut: [], problems: [] } as const
  return { plan, facts, texts, wishes }
}

async function previewed(
  session: Session,
  facts: Facts,
  wishes: readonly ChangeWish[],
): Promise<ResourcePlan> {
  const plan = planChange(facts, wishes)
  const { apply } = changeOutcome(facts, wishes)
  if (plan.state !== 'changed' || apply === undefined) return plan
  const { replace, ...seen } = await preview(session, { facts, plan, apply, objects: [] })
  return replace === undefined ? seen : refused(seen, replace.reason)
}

function refused(plan: ResourcePlan, reason: string): ResourcePlan {
  return { ...plan, state: 'refused', notes: [...plan.notes, reason] }
}
