import type { Result } from '../carry/carry.ts'
import { chosenOf } from '../carry/change.ts'
import { type FileChange, type FileSession, writeFiles } from '../carry/files.ts'
import { suspectsIn, withoutAll } from '../defaults/find.ts'
import type { Shape } from '../diff/shape.ts'
import { type Manifest, readDocuments } from '../folder/documents.ts'
import { loadFolder } from '../folder/load.ts'
import { nameOf } from '../order/references.ts'
import type { Facts } from '../plan/make.ts'
import type { Selection } from '../plan/plan.ts'
import type { PreparedChange } from '../survey/change.ts'
import { chooseAmong, type Type, type Word } from '../survey/choose.ts'
import { isMap, type JsonMap } from '../value.ts'
import { inNamespace, type View } from './differ.ts'
import type { Picks } from './picks.ts'
import { type Proposal, prepare, propose } from './propose.ts'
import { builtinFieldRules, rulesAgainst } from './rules.ts'

/** Two folders, what is meant of the second, and what is known of kinds without a cluster. */
export interface FolderPromotion {
  /** Absolute paths. */
  readonly source: string
  readonly target: string
  /** Paths are relative to the target. */
  readonly words: readonly Word[]
  readonly picks: Picks
  readonly shapeOf: (apiVersion: string, kind: string) => Shape
  readonly typeCalled: (name: string) => Promise<Type | undefined>
}

interface Match extends Pick<Manifest, 'identity'> {
  readonly source: Manifest | undefined
  readonly target: Manifest | undefined
}

/** Compares the objects in the files of two folders, and says what the target is to get. Files say everything: nobody is asked. */
export async function surveyFolders(promotion: FolderPromotion): Promise<PreparedChange> {
  const { source, target, words, typeCalled } = promotion
  const [there, here] = await Promise.all([read(source), read(target)])
  const [from, to] = [namespacesIn(there.manifests), namespacesIn(here.manifests)]
  // Where a folder is one namespace, its name says nothing of who an object is.
  const names = from.length > 1 || to.length > 1 ? undefined : ([from[0], to[0]] as const)
  const matches = matched(there.manifests, here.manifests, names !== undefined)
  const fileOf = (one: Match) => (one.target ?? one.source)?.file
  const chosen = await chooseAmong({ objects: matches, fileOf, typeCalled }, words)
  const proposals = chosen.map((match) => proposalFor(promotion, match, names))
  const cluster = { context: '', server: '', namespace: '' }
  const remarks = [...there.remarks, ...here.remarks]
  return prepare(proposals, { cluster, root: target, remarks, problems: [] }, here.texts)
}

/** Changes files of the target as it was chosen. */
export async function carryFolders(
  session: FileSession,
  chosen: { readonly prepared: PreparedChange; readonly selection: Selection },
): Promise<Result[]> {
  const changes = chosenOf(chosen).flatMap(({ id, facts, outcome: { file } }): FileChange[] =>
    file === undefined ? [] : [{ id, facts, change: file }],
  )
  const failed = await writeFiles(session, changes, chosen.prepared)
  return changes.map(({ id }) => ({
    ...{ id, what: failed.has(id) ? 'failed' : 'written' },
    reason: failed.get(id) ?? '',
  }))
}

async function read(folder: string) {
  const { files, remarks } = await loadFolder(folder)
  const documents = readDocuments(files)
  const texts = new Map(files.map(({ path, text }) => [path, text]))
  return { manifests: documents.manifests, remarks: [...remarks, ...documents.remarks], texts }
}

function namespacesIn(manifests: readonly Manifest[]): string[] {
  return [...new Set(manifests.flatMap(({ identity }) => identity.namespace ?? []))]
}

function matched(there: readonly Manifest[], here: readonly Manifest[], isOne: boolean): Match[] {
  const named = (manifests: readonly Manifest[]) =>
    new Map(
      manifests.map((one) => [nameOf(isOne ? { ...one.identity, namespace: undefined } : one.identity), one]),
    )
  const [sources, targets] = [named(there), named(here)]
  return [...new Map([...sources, ...targets])].sort().map(([name, { identity }]) => ({
    ...{ identity, source: sources.get(name), target: targets.get(name) },
  }))
}

type Names = readonly [from: string | undefined, to: string | undefined]

function proposalFor(
  { shapeOf, words, picks }: FolderPromotion,
  { identity, source, target }: Match,
  names: Names | undefined,
): Proposal {
  const one = target ?? source
  const [id, apiVersion] = [nameOf(identity), String(one?.object.apiVersion)]
  const { file = '', document = 0, at = [] } = one ?? {}
  const place = target === undefined ? { file } : { file, spot: { document, at } }
  const ref = { ...identity, apiVersion }
  if (source === undefined)
    return { plan: { id, ref, place, state: 'only-remote', differences: [], notes: [] }, transfers: [] }
  const shape = shapeOf(apiVersion, identity.kind)
  const local = target?.object
  const [from, to] = names ?? []
  const moved = placedLike(inNamespace(source.object, from, to), local)
  const nothing = { agreed: undefined, live: undefined, bare: undefined, wasPushed: false }
  const facts: Facts = { ...nothing, identity, apiVersion, place, local, shape }
  const own = local && viewOf(local, shape)
  const rules = [...rulesAgainst(from === to ? [] : [from ?? '', to ?? '']), ...builtinFieldRules]
  const habits = { rules, picks, isNamed: words.length > 0, isOneSided: true }
  return propose({ source: viewOf(moved, shape), own, facts }, habits)
}

/** Without a cluster to ask, defaults are what is known of Kubernetes' own kinds. */
function viewOf(object: JsonMap, shape: Shape): View {
  const defaults = suspectsIn(object, undefined, shape).filter(({ isProbable }) => isProbable)
  return { clean: object, bare: withoutAll(object, defaults.map(({ path }) => path).reverse()) }
}

/** Whether an object says its namespace, is up to the folder. */
function placedLike(object: JsonMap, like: JsonMap | undefined): JsonMap {
  if (like === undefined || !isMap(object.metadata)) return object
  const { namespace: _, ...metadata } = object.metadata
  const own = isMap(like.metadata) ? like.metadata.namespace : undefined
  return { ...object, metadata: own === undefined ? metadata : { ...metadata, namespace: own } }
}
