import { existsSync } from 'node:fs'
import { relative } from 'node:path'
import type { ResourceType } from '../../kube/resource-type.ts'
import { defaultLayout, fileFor, recogniseLayout } from '../folder/layout.ts'
import { type Wanted, width } from '../live/fetch.ts'
import { keeperOf } from '../live/keep.ts'
import { forEachOf } from '../live/pool.ts'
import { isDefinedIn, typeOf, wantedOf } from '../local.ts'
import { type Identity, identityOf, nameOf, referencesOf } from '../order/references.ts'
import { valueAt } from '../path.ts'
import { type Facts, planResource } from '../plan/make.ts'
import { fieldManager } from '../plan/owners.ts'
import type { Session } from '../session.ts'
import { factsOf, type Prepared, type Subject } from '../survey/facts.ts'
import type { Folder } from '../survey/folder.ts'
import { subjectOf } from '../survey/push.ts'
import { isList, isMap, type JsonMap } from '../value.ts'
import type { Extent, Following } from './follow.ts'
import type { KeepProblem } from './status.ts'

/** What is looked at: a folder as it was read, and what may not be believed of it yet. */
export interface Sight {
  readonly folder: Folder
  readonly following: Following
  /** Files that are still being written. */
  readonly unsettled: ReadonlySet<string>
  readonly bringsNew: boolean
  readonly layout: string | undefined
}

/** A plan of all that is kept and known at the moment, of direction `push`. */
export interface Survey {
  readonly prepared: Prepared
  readonly problems: readonly KeepProblem[]
  readonly autoscaled: ReadonlySet<string>
  /** Where objects are, by their ids. */
  readonly extents: ReadonlyMap<string, Extent>
  /** Whether something that is kept could not be looked at. */
  readonly isPartial: boolean
}

/** Whether a file cannot be read: anything that is in no other may be in there. */
const isBroken = ({ remarks }: Folder) => remarks.some(({ isProblem }) => isProblem)

/** What was agreed on once and is in no file any more. */
interface Gone extends Wanted {
  readonly file: string
}

/** An object that is to be looked at, and where. */
interface Found {
  readonly subject: Subject
  readonly extent: Extent
}

const extentOf = (type: ResourceType, { namespace }: Identity): Extent => ({ type, namespace })

/** Compares what the folder has, or had, with what is known of the cluster. What nobody knows at the moment is not in the plan. */
export async function surveyKept(session: Session, sight: Sight): Promise<Survey> {
  const { folder, following } = sight
  await session.base.refresh()
  const gone = await findGone(session, sight)
  const typed = folder.objects.flatMap(({ type, identity }) =>
    type === undefined ? [] : [extentOf(type, identity)],
  )
  const autoscalers = await autoscalersFor(session, typed)
  await following.follow([
    ...typed,
    ...gone.map(({ type, identity }) => extentOf(type, identity)),
    ...autoscalers,
  ])
  const { found, problems, isPartial } = findLocal(sight)
  for (const { identity, type, file } of gone) {
    const extent = extentOf(type, identity)
    const seen = following.find(extent, identity.name)
    const { apiVersion } = type
    const place = { file }
    if (seen?.object !== undefined)
      found.push({ extent, subject: { identity, apiVersion, place, local: undefined, live: seen.object } })
    else if (seen !== undefined)
      await session.base.forget([{ name: nameOf(identity), file: `${session.root}/${file}` }])
  }
  if (sight.bringsNew && sight.unsettled.size === 0 && !isBroken(folder))
    found.push(...newcomers(sight, typed, found))
  const facts = new Map<string, Facts>()
  const resources = await forEachOf(found, width, async ({ subject }) => {
    const one = await factsOf(session, subject)
    facts.set(nameOf(one.identity), one)
    return planResource(one)
  })
  const { cluster, root } = session
  const about = { leftOut: [], problems: [], remarks: folder.remarks }
  return {
    prepared: { plan: { direction: 'push', cluster, root, resources, ...about }, facts, texts: folder.texts },
    problems,
    autoscaled: new Set(autoscalers.flatMap((extent) => following.all(extent).flatMap(targetOf))),
    extents: new Map(found.map(({ subject, extent }) => [nameOf(subject.identity), extent])),
    isPartial,
  }
}

function findLocal({ folder, following, unsettled }: Sight) {
  const found: Found[] = []
  const problems: KeepProblem[] = []
  let isPartial = false
  for (const one of folder.objects) {
    const { type, identity, apiVersion, manifest } = one
    if (unsettled.has(manifest.file)) isPartial = true
    else if (type !== undefined) {
      const extent = extentOf(type, identity)
      const seen = following.find(extent, identity.name)
      if (seen === undefined) isPartial ||= !following.isRefused(extent)
      else found.push({ extent, subject: { ...subjectOf(one), live: seen.object } })
    } else if (isDefinedIn(folder.objects, apiVersion, identity.kind)) isPartial = true
    else
      problems.push({
        about: nameOf(identity),
        reason: `the server has no ${identity.kind} in ${apiVersion}`,
      })
  }
  return { found, problems, isPartial }
}

/**
 * What was agreed on and is in no file. None while anything cannot be read or is being written: it may be in there.
 */
async function findGone({ root, base, client }: Session, { folder, unsettled }: Sight): Promise<Gone[]> {
  if (!existsSync(root) || unsettled.size > 0 || isBroken(folder)) return []
  const present = new Set(folder.objects.map(({ identity }) => nameOf(identity)))
  const doubtful = new Set(folder.remarks.map(({ file }) => `${root}/${file}`))
  const entries = base.below(root).filter(({ name, file }) => !present.has(name) && !doubtful.has(file))
  const last = new Map(entries.map((entry) => [entry.name, entry]))
  const gone = await forEachOf([...last.values()], width, async ({ agreed, file }) => {
    const wanted = await wantedOf(client, agreed.file)
    return wanted === undefined ? [] : [{ ...wanted, file: relative(root, file) }]
  })
  return gone.flat()
}

/** Objects that were made in the cluster while it was followed, of kinds and in namespaces that the folder has, if a person made them. */
function newcomers(
  { folder, following, layout }: Sight,
  extents: readonly Extent[],
  found: readonly Found[],
): Found[] {
  const known = new Set(
    [...folder.objects, ...found.map(({ subject }) => subject)].map(({ identity }) => nameOf(identity)),
  )
  const manifests = folder.objects.map(({ manifest }) => manifest)
  const pattern = layout ?? recogniseLayout(manifests) ?? defaultLayout
  const added: Found[] = []
  for (const extent of new Set(extents))
    for (const live of following.made(extent)) {
      const identity = identityOf(live)
      // What came out of a file has one, if in another folder.
      const isKept = keeperOf(live, new Set(['system'])) !== undefined || isFromFile(live)
      if (identity === undefined || isKept || known.has(nameOf(identity))) continue
      known.add(nameOf(identity))
      const subject = {
        identity,
        apiVersion: extent.type.apiVersion,
        place: { file: fileFor(pattern, identity) },
      }
      added.push({ extent, subject: { ...subject, local: undefined, live } })
    }
  return added
}

function isFromFile(live: JsonMap): boolean {
  const managers = valueAt(live, ['metadata', 'managedFields'])
  return isList(managers) && managers.some((one) => isMap(one) && one.manager === fieldManager)
}

/** Kinds that an autoscaler can set the replicas of; custom ones say it by a subresource. */
const isScaled = ({ type }: Extent) => type.subresources.includes('scale')

async function autoscalersFor(session: Session, extents: readonly Extent[]): Promise<Extent[]> {
  const namespaces = new Set(extents.filter(isScaled).map(({ namespace }) => namespace))
  if (namespaces.size === 0) return []
  const type = await typeOf(session.client, { apiVersion: 'autoscaling/v1', kind: 'HorizontalPodAutoscaler' })
  return type === undefined ? [] : [...namespaces].map((namespace) => ({ type, namespace }))
}

/** What an autoscaler scales. */
function targetOf(autoscaler: JsonMap): string[] {
  const target = referencesOf(autoscaler).find(({ kind }) => kind !== 'Namespace')
  return target === undefined ? [] : [nameOf(target)]
}
