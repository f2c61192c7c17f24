import { KubesyncError } from '../../errors.ts'
import { defaultLayout, fileFor, recogniseLayout } from '../folder/layout.ts'
import { fetchObjects } from '../live/fetch.ts'
import type { LocalObject } from '../local.ts'
import { type Identity, identityOf, nameOf } from '../order/references.ts'
import { changeOutcome, planChange, wishesFor } from '../plan/change.ts'
import type { Facts } from '../plan/make.ts'
import { type Place, proposed, type ResourcePlan } from '../plan/plan.ts'
import type { Session } from '../session.ts'
import { factsOf } from '../survey/facts.ts'
import type { Folder } from '../survey/folder.ts'
import { preview } from '../survey/preview.ts'
import type { JsonMap } from '../value.ts'
import { advised } from './advice.ts'
import { creationOf, inNamespace, type Transfer, transfersBetween, type View } from './differ.ts'
import { digestsFor, withOperations } from './digests.ts'
import type { Picks } from './picks.ts'
import { builtinFieldRules, rulesAgainst } from './rules.ts'

/** An object by its name in the target, and where it is. */
export interface Match {
  readonly identity: Identity
  readonly source: JsonMap | undefined
  readonly live: JsonMap | undefined
  readonly local: LocalObject | undefined
}

/** What all objects of a promotion have in common. */
export interface Bench {
  readonly source: Session
  readonly target: Session
  readonly folder: Folder
  readonly layout: string | undefined
  readonly isClusterOnly: boolean
  /** Those of the source; undefined where images are left as they are. */
  readonly pods: readonly JsonMap[] | undefined
  readonly picks: Picks
  /** Whether the user named what is promoted: then also what is new is meant. */
  readonly isNamed: boolean
}

/** How an object stands, and what is known of it. */
export interface Standing {
  readonly plan: ResourcePlan
  readonly facts?: Facts
  readonly transfers: readonly Transfer[]
}

/** What an object of the target is to get of the same in the source. */
export async function stands(bench: Bench, match: Match): Promise<Standing> {
  const { identity, local, live, source } = match
  const apiVersion = String((local?.object ?? live ?? source)?.apiVersion)
  const place = placeFor(bench, match)
  const about = { id: nameOf(identity), ref: { ...identity, apiVersion }, place, differences: [], notes: [] }
  if (source === undefined) return { plan: { ...about, state: 'only-remote' }, transfers: [] }
  try {
    return await compared(bench, { ...match, source, apiVersion, place })
  } catch (error) {
    if (!(error instanceof KubesyncError) || error.code !== 'NO_SUCH_KIND') throw error
    return { plan: { ...about, state: 'refused', notes: [error.message] }, transfers: [] }
  }
}

interface Placed extends Match {
  readonly source: JsonMap
  /** Of the target. */
  readonly apiVersion: string
  readonly place: Place
}

async function compared(bench: Bench, match: Placed): Promise<Standing> {
  const { target, isClusterOnly, picks } = bench
  const { identity, apiVersion, place } = match
  const local = isClusterOnly ? undefined : match.local?.object
  const live = match.live && (await inVersion(target, match.live, apiVersion))
  // Where there is no file, or it is not to count, nothing was agreed on.
  const known = await factsOf(target, {
    identity,
    apiVersion,
    place,
    local,
    live,
    isFresh: local === undefined,
  })
  const facts: Facts = { ...known, shape: await target.shapes(apiVersion, identity.kind) }
  const { view, notes } = await sourceView(bench, match, facts)
  const found = await transfersTo(bench, view, facts)
  const plan = advised(
    planChange(
      facts,
      found.transfers.map(({ wish }) => wish),
    ),
    found.transfers,
    picks.get(nameOf(identity)) ?? new Map(),
  )
  const told = isClusterOnly ? [] : plan.notes
  const noted = { ...plan, notes: [...told, ...notes, ...found.notes] }
  return {
    plan: await previewed(target, { facts, plan: noted, transfers: found.transfers }),
    facts,
    transfers: found.transfers,
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

/** An object of the source as it would be in the target. */
async function sourceView({ source, target, pods }: Bench, match: Placed, { shape }: Facts) {
  const object = await inVersion(source, match.source, match.apiVersion)
  const clean = source.clean(object, match.local?.object)
  const bare = await source.stripper.strip({ object, clean }, undefined, shape)
  const [whole, less] = [clean, bare].map((one) => {
    const { operations, notes } = pods === undefined ? { operations: [], notes: [] } : digestsFor(one, pods)
    const resolved = withOperations(one, operations)
    return { object: inNamespace(resolved, source.cluster.namespace, target.cluster.namespace), notes }
  })
  const view: View = { clean: whole?.object ?? clean, bare: less?.object ?? bare }
  return { view, notes: whole?.notes ?? [] }
}

async function transfersTo(bench: Bench, view: View, facts: Facts) {
  const { source, target, isNamed } = bench
  const { live, local, shape } = facts
  const names = [source, target].map(({ cluster }) => cluster.namespace)
  const rules = [...rulesAgainst(names[0] === names[1] ? [] : names), ...builtinFieldRules]
  if (live === undefined && local === undefined) return asNew(view, { shape, rules, isNamed })
  const own: View =
    live === undefined
      ? { clean: local ?? {}, bare: local ?? {} }
      : { clean: live.clean, bare: await target.stripper.strip(live, undefined, shape) }
  return { transfers: transfersBetween({ source: view, target: own, shape, rules }), notes: [] }
}

function asNew(
  { bare }: View,
  {
    shape,
    rules,
    isNamed,
  }: Pick<Facts, 'shape'> & { rules: Parameters<typeof creationOf>[2]; isNamed: boolean },
) {
  const { object, rest, warnings, isWorthwhile } = creationOf(bare, shape, rules)
  const isMeant = isNamed && isWorthwhile
  const whole: Transfer = {
    wish: { path: [], value: object, like: bare },
    verdict: isMeant
      ? { nature: 'portable', reason: 'new there' }
      : { nature: 'unclassed', reason: 'only the source has it; name it to create it' },
  }
  const reasons = new Set(warnings.map(({ reason }) => reason))
  const notes = [...reasons].map((reason) => `it has from the source what it cannot be without: ${reason}`)
  return { transfers: [whole, ...rest], notes }
}

/** What the server says of what is preselected. */
async function previewed(
  session: Session,
  { facts, plan, transfers }: Required<Standing>,
): Promise<ResourcePlan> {
  const taken = plan.differences.filter((one) => proposed('change', one) === 'take')
  const wishes = wishesFor(
    transfers.map(({ wish }) => wish),
    new Set(taken.map(({ id }) => id)),
  )
  const { apply } = changeOutcome(facts, wishes)
  if (apply === undefined || wishes.length === 0) return plan
  const { replace, ...seen } = await preview(session, { facts, plan, apply, objects: [] })
  return replace === undefined ? seen : { ...seen, state: 'refused', notes: [...seen.notes, replace.reason] }
}
