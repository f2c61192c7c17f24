import { KubesyncError } from '../../errors.ts'
import { defaultLayout, fileFor, recogniseLayout } from '../folder/layout.ts'
import { collect, keptTypes } from '../live/collect.ts'
import { asMap, fetchObjects, width } from '../live/fetch.ts'
import { type Keeper, keepers } from '../live/keepers.ts'
import { forEachOf } from '../live/pool.ts'
import type { LocalObject } from '../local.ts'
import { type Identity, identityOf, nameOf } from '../order/references.ts'
import { changeOutcome, wishesFor } from '../plan/change.ts'
import type { Facts } from '../plan/make.ts'
import { type Place, proposed, type ResourcePlan } from '../plan/plan.ts'
import type { Session } from '../session.ts'
import type { PreparedChange } from '../survey/change.ts'
import { chooseAmong, typeCalled, type Word } from '../survey/choose.ts'
import { factsOf } from '../survey/facts.ts'
import type { Folder } from '../survey/folder.ts'
import { preview } from '../survey/preview.ts'
import type { JsonMap } from '../value.ts'
import { inNamespace, type View } from './differ.ts'
import { withDigests } from './digests.ts'
import type { Picks } from './picks.ts'
import { type Proposal, prepare, propose } from './propose.ts'
import { builtinFieldRules, rulesAgainst } from './rules.ts'

/** Two places in clusters, the files of the second, and what of it is meant. */
export interface Promotion {
  readonly source: Session
  readonly target: Session
  readonly folder: Folder
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

/** An object by its name in the target, and where it is. */
interface Match {
  readonly identity: Identity
  readonly source: JsonMap | undefined
  readonly live: JsonMap | undefined
  readonly local: LocalObject | undefined
}

/** Compares the objects of two places, and says what the target is to get of those of the source. */
export async function surveyPromotion(promotion: Promotion): Promise<PreparedChange> {
  const { source, target, folder, words } = promotion
  const [there, here] = await Promise.all([gather(source, promotion), gather(target, promotion)])
  const fileOf = ({ local }: Match) => local?.manifest.file
  const all = { objects: matched(promotion, there.objects, here.objects), fileOf }
  const matches = await chooseAmong({ ...all, typeCalled: (name) => typeCalled(target.client, name) }, words)
  const pods = promotion.hasDigests ? await podsIn(source) : undefined
  const proposals = await forEachOf(matches, width, (match) => proposalFor({ ...promotion, pods }, match))
  const { cluster, root } = target
  const problems = [...there.problems, ...here.problems]
  return prepare(proposals, { cluster, root, remarks: folder.remarks, problems }, folder.texts)
}

/** What people keep in files, of the session's namespace; what is named, whoever keeps it. */
async function gather({ client }: Session, { words, onProgress }: Promotion) {
  const included = new Set<Keeper>(words.length > 0 ? keepers : ['system'])
  const { types, problems } = await keptTypes(client, { included, isNamespaced: true })
  const { namespace } = client.context
  const found = await collect(client, { types, namespace, labelSelector: undefined, included, onProgress })
  return { objects: found.objects, problems: [...problems, ...found.problems] }
}

/** The objects of both places by the names that they have in the target. */
function matched(
  { target, folder }: Promotion,
  there: readonly JsonMap[],
  here: readonly JsonMap[],
): Match[] {
  const { namespace } = target.cluster
  const named = (objects: readonly JsonMap[]) =>
    new Map(
      objects.flatMap((object): [string, { identity: Identity; object: JsonMap }][] => {
        const identity = identityOf(object)
        return identity === undefined
          ? []
          : [[nameOf({ ...identity, namespace }), { identity: { ...identity, namespace }, object }]]
      }),
    )
  const [sources, lives] = [named(there), named(here)]
  const locals = new Map(folder.objects.map((one) => [nameOf(one.identity), one]))
  return [...new Map([...lives, ...sources])].sort().map(([name, { identity }]) => ({
    identity,
    source: sources.get(name)?.object,
    live: lives.get(name)?.object,
    local: locals.get(name),
  }))
}

async function podsIn({ client }: Session): Promise<JsonMap[]> {
  const { namespace } = client.context
  return (await client.listAll({ apiVersion: 'v1', plural: 'pods', namespace })).items.map(asMap)
}

interface Bench extends Promotion {
  /** Those of the source; undefined where images are left as they are. */
  readonly pods: readonly JsonMap[] | undefined
}

async function proposalFor(bench: Bench, match: Match): Promise<Proposal> {
  const { identity, local, live, source } = match
  const apiVersion = String((local?.object ?? live ?? source)?.apiVersion)
  const place = placeFor(bench, match)
  const about = { id: nameOf(identity), ref: { ...identity, apiVersion }, place, differences: [], notes: [] }
  if (source === undefined) return { plan: { ...about, state: 'only-remote' }, transfers: [] }
  try {
    const { facts, own, like } = await targetView(bench, { ...match, apiVersion, place })
    const there = await sourceView(bench, await inVersion(bench.source, source, apiVersion), { like, facts })
    const names = [bench.source, bench.target].map(({ cluster }) => cluster.namespace)
    const rules = [...rulesAgainst(names[0] === names[1] ? [] : names), ...builtinFieldRules]
    const habits = {
      ...{ rules, picks: bench.picks },
      ...{ isNamed: bench.words.length > 0, isOneSided: bench.isClusterOnly },
    }
    const proposal = propose({ facts, own, source: there.view }, habits)
    const notes = [...proposal.plan.notes, ...there.notes]
    return {
      ...proposal,
      plan: await previewed(bench.target, { ...proposal, plan: { ...proposal.plan, notes } }),
    }
  } catch (error) {
    if (!(error instanceof KubesyncError) || error.code !== 'NO_SUCH_KIND') throw error
    return { plan: { ...about, state: 'refused', notes: [error.message] }, transfers: [] }
  }
}

/** Where files of the target are kept, what is new goes into one, too. */
function placeFor({ target, folder, layout, isClusterOnly }: Bench, { identity, local, live }: Match): Place {
  if (isClusterOnly) return { file: '' }
  if (local !== undefined) {
    const { file, document, at } = local.manifest
    return { file, spot: { document, at } }
  }
  const isKept = folder.objects.some((one) => one.identity.namespace === target.cluster.namespace)
  if (live !== undefined || !isKept) return { file: '' }
  const recognised = recogniseLayout(folder.objects.map(({ manifest }) => manifest))
  return { file: fileFor(layout ?? recognised ?? defaultLayout, identity) }
}

/** An object in another version of its kind. */
async function inVersion({ client }: Session, object: JsonMap, apiVersion: string): Promise<JsonMap> {
  const identity = identityOf(object)
  if (identity === undefined || object.apiVersion === apiVersion) return object
  const type = await client.discovery.kind(apiVersion, identity.kind)
  const { objects } = await fetchObjects(client, [{ type, identity }])
  return objects.get(nameOf(identity)) ?? object
}

interface Placed extends Match {
  readonly apiVersion: string
  readonly place: Place
}

async function targetView({ target, isClusterOnly }: Bench, match: Placed) {
  const { identity, apiVersion, place } = match
  await target.client.discovery.kind(apiVersion, identity.kind)
  const like = match.local?.object
  const live = match.live && (await inVersion(target, match.live, apiVersion))
  const local = isClusterOnly ? undefined : like
  // Where there is no file, or it is not to count, nothing was agreed on.
  const subject = { identity, apiVersion, place, local, live, isFresh: local === undefined }
  const shape = await target.shapes(apiVersion, identity.kind)
  const facts: Facts = { ...(await factsOf(target, subject)), shape }
  const bare = facts.live && (await target.stripper.strip(facts.live, undefined, shape))
  const own =
    bare === undefined ? local && { clean: local, bare: local } : { clean: facts.live?.clean ?? bare, bare }
  return { facts, own, like }
}

/** An object of the source as it would be in the target. */
async function sourceView(
  { source, target, pods }: Bench,
  object: JsonMap,
  { like, facts }: { like: JsonMap | undefined; facts: Facts },
): Promise<{ view: View; notes: readonly string[] }> {
  const clean = source.clean(object, like)
  const bare = await source.stripper.strip({ object, clean }, undefined, facts.shape)
  const moved = (one: JsonMap) => inNamespace(one, source.cluster.namespace, target.cluster.namespace)
  if (pods === undefined) return { view: { clean: moved(clean), bare: moved(bare) }, notes: [] }
  const [whole, less] = [withDigests(clean, pods), withDigests(bare, pods)]
  return { view: { clean: moved(whole.object), bare: moved(less.object) }, notes: whole.notes }
}

/** What the server says of what is preselected. */
async function previewed(
  session: Session,
  { facts, plan, transfers }: Required<Proposal>,
): Promise<ResourcePlan> {
  const taken = plan.differences.filter((one) => proposed('change', one) === 'take')
  const ids = new Set(taken.map(({ id }) => id))
  const wishes = transfers.map(({ wish }) => wish)
  const { apply } = changeOutcome(facts, wishesFor(wishes, ids))
  if (apply === undefined || ids.size === 0) return plan
  const { replace, ...seen } = await preview(session, { facts, plan, apply, objects: [] })
  return replace === undefined ? seen : { ...seen, state: 'refused', notes: [...seen.notes, replace.reason] }
}
