import { collect, keptTypes } from '../live/collect.ts'
import { asMap, width } from '../live/fetch.ts'
import { type Keeper, keepers } from '../live/keepers.ts'
import { forEachOf } from '../live/pool.ts'
import type { LocalObject } from '../local.ts'
import { type Identity, identityOf, nameOf } from '../order/references.ts'
import type { Facts } from '../plan/make.ts'
import type { ResourcePlan } from '../plan/plan.ts'
import type { Session } from '../session.ts'
import type { PreparedChange } from '../survey/change.ts'
import { chooseAmong, typeCalled, type Word } from '../survey/choose.ts'
import type { Folder } from '../survey/folder.ts'
import type { JsonMap } from '../value.ts'
import type { Picks } from './picks.ts'
import { type Bench, type Match, stands } from './stand.ts'

export interface PromotionOptions {
  readonly words: readonly Word[]
  /** Where new files of the target go, if its folder says so. */
  readonly layout: string | undefined
  /** Whether the target's files stay as they are. */
  readonly isClusterOnly: boolean
  /** Whether images are to be what the source's pods report that they run. */
  readonly hasDigests: boolean
  readonly picks: Picks
  onProgress(amount: number): void
}

/** Two places in clusters, and the files of the second. */
export interface Places {
  readonly source: Session
  readonly target: Session
  readonly folder: Folder
}

/** Compares the objects of two places, and says what the target is to get of those of the source. */
export async function surveyPromotion(places: Places, options: PromotionOptions): Promise<PreparedChange> {
  const { source, target, folder } = places
  const { words, onProgress } = options
  const included = new Set<Keeper>(words.length > 0 ? keepers : ['system'])
  const [there, here] = await Promise.all([source, target].map((side) => gather(side, included, onProgress)))
  const all = matched(places, there?.objects ?? [], here?.objects ?? [])
  const matches = await chooseAmong(
    {
      objects: all,
      fileOf: ({ local }) => local?.manifest.file,
      typeCalled: (name) => typeCalled(target.client, name),
    },
    words,
  )
  const pods = options.hasDigests ? await podsIn(source) : undefined
  const bench: Bench = { ...places, ...options, pods, isNamed: words.length > 0 }
  const facts = new Map<string, Facts>()
  const wishes = new Map<string, PreparedChange['wishes'] extends ReadonlyMap<string, infer W> ? W : never>()
  const resources = await forEachOf(matches, width, async (match): Promise<ResourcePlan> => {
    const standing = await stands(bench, match)
    const { id } = standing.plan
    if (standing.facts !== undefined) facts.set(id, standing.facts)
    wishes.set(
      id,
      standing.transfers.map(({ wish }) => wish),
    )
    return standing.plan
  })
  const problems = [...(there?.problems ?? []), ...(here?.problems ?? [])]
  const { cluster, root } = target
  const { remarks, texts } = folder
  const plan = { direction: 'change', cluster, root, resources, remarks, leftOut: [], problems } as const
  return { plan, facts, texts, wishes }
}

/** What people keep in files, of the session's namespace. */
async function gather(
  { client }: Session,
  included: ReadonlySet<Keeper>,
  onProgress: PromotionOptions['onProgress'],
) {
  const { types, problems } = await keptTypes(client, { included, isNamespaced: true })
  const { namespace } = client.context
  const found = await collect(client, { types, namespace, labelSelector: undefined, included, onProgress })
  return { objects: found.objects, problems: [...problems, ...found.problems] }
}

/** The objects of both places by the names that they have in the target. */
function matched({ target, folder }: Places, there: readonly JsonMap[], here: readonly JsonMap[]): Match[] {
  const { namespace } = target.cluster
  const identified = (objects: readonly JsonMap[]) =>
    objects.flatMap((object): [string, { identity: Identity; object: JsonMap }][] => {
      const identity = identityOf(object)
      if (identity === undefined) return []
      const own = { ...identity, namespace }
      return [[nameOf(own), { identity: own, object }]]
    })
  const [sources, lives] = [new Map(identified(there)), new Map(identified(here))]
  const locals = new Map<string, LocalObject>(folder.objects.map((one) => [nameOf(one.identity), one]))
  const all = new Map([...lives, ...sources])
  return [...all.keys()].sort().flatMap((name): Match[] => {
    const identity = all.get(name)?.identity
    if (identity === undefined) return []
    return [
      { identity, source: sources.get(name)?.object, live: lives.get(name)?.object, local: locals.get(name) },
    ]
  })
}

async function podsIn({ client }: Session): Promise<JsonMap[]> {
  const pods: JsonMap[] = []
  for await (const page of client.list({
    apiVersion: 'v1',
    plural: 'pods',
    namespace: client.context.namespace,
  })) {
    if (page.restarted) pods.length = 0
    pods.push(...page.items.map(asMap))
  }
  return pods
}
