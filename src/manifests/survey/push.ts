import { fetchObjects, width } from '../live/fetch.ts'
import { forEachOf } from '../live/pool.ts'
import { isDefinedIn, type LocalObject } from '../local.ts'
import { nameOf } from '../order/references.ts'
import { type Facts, planResource } from '../plan/make.ts'
import { outcomeOf } from '../plan/outcome.ts'
import type { Plan, ResourcePlan } from '../plan/plan.ts'
import type { Session } from '../session.ts'
import { factsOf, type Prepared } from './facts.ts'
import type { Folder } from './folder.ts'
import { preview } from './preview.ts'

/** Compares objects in files with the cluster, and has the server say what it thinks of what would be pushed. */
export async function surveyPush(
  session: Session,
  folder: Folder,
  objects: readonly LocalObject[],
): Promise<Prepared> {
  const known = objects.flatMap(({ type, identity }) => (type === undefined ? [] : [{ type, identity }]))
  const found = await fetchObjects(session.client, known)
  const facts = new Map<string, Facts>()
  const resources = await forEachOf(objects, width, async (object): Promise<ResourcePlan> => {
    const name = nameOf(object.identity)
    const one = await factsOf(session, { ...subjectOf(object), live: found.objects.get(name) })
    const plan = planResource(one)
    const refusal = refusalOf(object, { folder, problem: found.problems.get(name) })
    if (refusal !== undefined) return { ...plan, ...refusal }
    facts.set(name, one)
    const selection = new Map([[plan.id, 'all' as const]])
    const { apply } = outcomeOf(one, plan, { direction: 'push', selection })
    return apply === undefined ? plan : preview(session, { facts: one, plan, apply, objects })
  })
  return { plan: planOf(session, folder, resources), facts, texts: folder.texts }
}

export function subjectOf({ identity, apiVersion, manifest, object }: LocalObject) {
  const { file, document, at } = manifest
  return { identity, apiVersion, place: { file, spot: { document, at } }, local: object }
}

/** Why nothing can be done with an object. */
function refusalOf(
  { type, apiVersion, identity: { kind } }: LocalObject,
  { folder, problem }: { folder: Folder; problem: string | undefined },
): Pick<ResourcePlan, 'state' | 'notes' | 'differences'> | undefined {
  const refused = (reason: string) => ({ state: 'refused', notes: [reason], differences: [] }) as const
  if (problem !== undefined) return refused(`it cannot be read in the cluster: ${problem}`)
  if (type !== undefined || isDefinedIn(folder.objects, apiVersion, kind)) return undefined
  return refused(`the server has no ${kind} in ${apiVersion}`)
}

function planOf(session: Session, { remarks }: Folder, resources: readonly ResourcePlan[]): Plan {
  const { cluster, root } = session
  return { direction: 'push', cluster, root, resources, remarks, leftOut: [], problems: [] }
}
