import { defaultLayout, fileFor, recogniseLayout } from '../folder/layout.ts'
import { fetchObjects } from '../live/fetch.ts'
import type { LocalObject } from '../local.ts'
import { type Identity, identityOf, nameOf } from '../order/references.ts'
import { changeOutcome, wishesFor } from '../plan/change.ts'
import type { Facts } from '../plan/make.ts'
import { type Place, proposed, type ResourcePlan } from '../plan/plan.ts'
import type { Session } from '../session.ts'
import type { Word } from '../survey/choose.ts'
import { factsOf } from '../survey/facts.ts'
import type { Folder } from '../survey/folder.ts'
import { preview } from '../survey/preview.ts'
import type { JsonMap } from '../value.ts'
import { inNamespace, type View } from './differ.ts'
import { withDigests } from './digests.ts'
import type { Picks } from './picks.ts'
import type { Proposal } from './propose.ts'

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
export interface Match {
  readonly identity: Identity
  readonly source: JsonMap | undefined
  readonly live: JsonMap | undefined
  readonly local: LocalObject | undefined
}

/** What all objects of a promotion have in common. */
export interface Bench extends Promotion {
  /** Those of the source; undefined where images are left as they are. */
  readonly pods: readonly JsonMap[] | undefined
}

/** Where files of the target are kept, what is new goes into one, too. */
export function placeFor(
  { target, folder, layout, isClusterOnly }: Bench,
  { identity, local, live }: Match,
): Place {
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
export async function inVersion({ client }: Session, object: JsonMap, apiVersion: string): Promise<JsonMap> {
  const identity = identityOf(object)
  if (identity === undefined || object.apiVersion === apiVersion) return object
  const type = await client.discovery.kind(apiVersion, identity.kind)
  const { objects } = await fetchObjects(client, [{ type, identity }])
  return objects.get(nameOf(identity)) ?? object
}

/** A match, and where it is or is to be. */
interface Placed extends Match {
  readonly apiVersion: string
  readonly place: Place
}

export async function targetView({ target, isClusterOnly }: Bench, match: Placed) {
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
export async function sourceView(
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
export async function previewed(
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
