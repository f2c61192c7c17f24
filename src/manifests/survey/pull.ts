import type { ResourceType } from '../../kube/resource-type.ts'
import { defaultLayout, fileFor, recogniseLayout } from '../folder/layout.ts'
import { fetchObjects, width } from '../live/fetch.ts'
import { forEachOf } from '../live/pool.ts'
import type { LocalObject } from '../local.ts'
import { type Identity, identityOf, nameOf } from '../order/references.ts'
import { type Facts, planResource } from '../plan/make.ts'
import type { LeftOut, Plan, PlanProblem, ResourcePlan } from '../plan/plan.ts'
import type { Session } from '../session.ts'
import type { JsonMap } from '../value.ts'
import { factsOf, type Prepared, type Subject } from './facts.ts'
import type { Folder } from './folder.ts'
import { subjectOf } from './push.ts'

/** Objects of the cluster that are to be in files. */
export interface Gathered {
  readonly objects: readonly JsonMap[]
  readonly leftOut: readonly LeftOut[]
  readonly problems: readonly PlanProblem[]
  /** Whether the user named each of them. */
  readonly isNamed: boolean
}

interface PullOptions {
  /** Where new objects go; relative to the root. */
  readonly file: string | undefined
  readonly layout: string | undefined
}

/** Compares objects of the cluster with those in files. */
export async function surveyPull(
  session: Session,
  { folder, gathered }: { folder: Folder; gathered: Gathered },
  options: PullOptions,
): Promise<Prepared> {
  const locals = new Map(folder.objects.map((one) => [nameOf(one.identity), one]))
  const others = await inVersionsOfFiles(session, gathered.objects, locals)
  const manifests = folder.objects.map(({ manifest }) => manifest)
  const layout = options.layout ?? recogniseLayout(manifests) ?? defaultLayout
  const facts = new Map<string, Facts>()
  const resources = await forEachOf(gathered.objects, width * 4, async (object): Promise<ResourcePlan[]> => {
    const identity = identityOf(object)
    if (identity === undefined) return []
    const name = nameOf(identity)
    const local = locals.get(name)
    const file = options.file ?? fileFor(layout, identity)
    const subject: Subject =
      local === undefined
        ? { identity, apiVersion: String(object.apiVersion), place: { file }, local, live: object }
        : { ...subjectOf(local), live: others.get(name) ?? object }
    // From an empty folder nothing was removed: it is another one, or a new start.
    const isFresh = local === undefined && (gathered.isNamed || folder.objects.length === 0)
    const one = await factsOf(session, { ...subject, isFresh })
    const plan = planResource(one)
    facts.set(name, one)
    return [plan]
  })
  const { cluster, root, stripper } = session
  const plan: Plan = {
    ...{
      direction: 'pull',
      cluster,
      root,
      resources: resources.flat().sort(byPlace),
      remarks: folder.remarks,
    },
    leftOut: gathered.leftOut,
    problems: [...gathered.problems, ...unasked(stripper.refused)],
  }
  return { plan, facts, texts: folder.texts }
}

function byPlace(a: ResourcePlan, b: ResourcePlan): number {
  const [one, other] = [a, b].map(({ place, id }) => `${place.file} ${id}`)
  return (one ?? '') < (other ?? '') ? -1 : 1
}

function unasked(refused: ReadonlyMap<string, string>): PlanProblem[] {
  return [...refused].map(([kind, reason]) => ({
    what: `defaults of ${kind}`,
    reason: `the server may not be asked for them (${reason}); those that kubesync knows were left out`,
    isMinor: true,
  }))
}

/** A file may have another version of a kind than the one that the server prefers. */
async function inVersionsOfFiles(
  session: Session,
  objects: readonly JsonMap[],
  locals: ReadonlyMap<string, LocalObject>,
): Promise<ReadonlyMap<string, JsonMap>> {
  const wanted = objects.flatMap((object): { type: ResourceType; identity: Identity }[] => {
    const identity = identityOf(object)
    const local = identity === undefined ? undefined : locals.get(nameOf(identity))
    if (local?.type === undefined || local.apiVersion === object.apiVersion) return []
    return [{ type: local.type, identity: local.identity }]
  })
  return (await fetchObjects(session.client, wanted)).objects
}
