import { KubesyncError } from '../../errors.ts'
import { collect, keptTypes } from '../live/collect.ts'
import { asMap, width } from '../live/fetch.ts'
import type { Keeper } from '../live/keepers.ts'
import { forEachOf } from '../live/pool.ts'
import { type Identity, identityOf, nameOf } from '../order/references.ts'
import type { Session } from '../session.ts'
import type { PreparedChange } from '../survey/change.ts'
import { chooseAmong, typeCalled } from '../survey/choose.ts'
import type { JsonMap } from '../value.ts'
import { type Proposal, prepare, propose } from './propose.ts'
import { builtinFieldRules, rulesAgainst } from './rules.ts'
import {
  type Bench,
  inVersion,
  type Match,
  type Promotion,
  placeFor,
  previewed,
  sourceView,
  targetView,
} from './views.ts'

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

/** What people keep in files, of the session's namespace; what is named, also if Helm made it. */
async function gather({ client }: Session, { words, onProgress }: Promotion) {
  const included = new Set<Keeper>(words.length > 0 ? ['system', 'helm'] : ['system'])
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

async function proposalFor(bench: Bench, match: Match): Promise<Proposal> {
  const { identity, local, live, source } = match
  const apiVersion = String((local?.object ?? live ?? source)?.apiVersion)
  const place = placeFor(bench, match)
  const about = { id: nameOf(identity), ref: { ...identity, apiVersion }, place, differences: [], notes: [] }
  if (source === undefined) return { plan: { ...about, state: 'only-remote' }, transfers: [] }
  const unread =
    bench.isClusterOnly || local !== undefined
      ? undefined
      : bench.folder.remarks.find((remark) => remark.isProblem)
  if (unread !== undefined) {
    const note = `it may be in ${unread.file}, which cannot be read: mend that, or leave files alone with --cluster-only`
    return { plan: { ...about, state: 'refused', notes: [note] }, transfers: [] }
  }
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
