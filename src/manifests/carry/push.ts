import { KubesyncError } from '../../errors.ts'
import { ApiError } from '../../kube/errors.ts'
import type { Write } from '../journal/journal.ts'
import { asMap, width } from '../live/fetch.ts'
import { forEachOf } from '../live/pool.ts'
import { layers, type Planned } from '../order/order.ts'
import { nameOf } from '../order/references.ts'
import { valueAt } from '../path.ts'
import type { Facts } from '../plan/make.ts'
import type { Session } from '../session.ts'
import { equal, type JsonMap } from '../value.ts'
import { type Application, applyObject } from './apply.ts'
import type { Result } from './carry.ts'
import { removeObject } from './remove.ts'
import { gateOf, type Progress, rolloutOf } from './rollout.ts'
import { type WaitOptions, waitFor } from './wait.ts'

/** What is to be done to an object in the cluster. */
export interface ClusterChange {
  readonly id: string
  readonly facts: Facts
  readonly apply: Application['apply']
  /** Whether it is deleted and made again. */
  readonly replaces: boolean
}

export interface PushOptions extends WaitOptions {
  /** Whether to wait for rollouts. */
  readonly waits: boolean
  /** The ids of objects that may be deleted and made again. */
  readonly replaceable: ReadonlySet<string>
}

interface Pushed {
  readonly results: readonly Result[]
  /** The objects as the server answered them, by id. */
  readonly objects: ReadonlyMap<string, JsonMap>
}

/** Writes objects to the cluster, what others need before those, and waits until they are rolled out. */
export async function pushObjects(
  session: Session,
  changes: readonly ClusterChange[],
  options: PushOptions,
): Promise<Pushed> {
  const results = new Map<string, Result>()
  const objects = new Map<string, JsonMap>()
  const failed = new Set<string>()
  const isFine = ({ id }: ClusterChange) => results.get(id)?.reason === ''
  const settle = async (some: readonly ClusterChange[], progressOf: (object: JsonMap) => Progress) => {
    await forEachOf(some.filter(isFine), width, async ({ id, facts }) => {
      const last = objects.get(id)
      if (last === undefined || progressOf(last).state === 'ready') return
      const isReady = (object: JsonMap | undefined) => progressOf(object ?? last)
      const reason = await waitFor(session, facts, { isReady, options })
      if (reason !== '') results.set(id, { id, what: 'failed', reason })
    })
  }
  for (const layer of layers(changes, ({ apply }) => apply.object)) {
    for (const one of layer) {
      const blocker = blockerOf(one, failed)
      if (blocker === undefined) continue
      results.set(one.item.id, { id: one.item.id, what: 'skipped', reason: `${blocker} failed` })
    }
    const open = layer.map(({ item }) => item).filter(({ id }) => !results.has(id))
    await pushLayer(session, open, { options, results, objects })
    await settle(open, gateOf)
    for (const { item, identity } of layer) if (!isFine(item)) failed.add(nameOf(identity))
  }
  if (options.waits) await settle(changes, rolloutOf)
  return { results: [...results.values()], objects }
}

interface Tally {
  readonly options: PushOptions
  readonly results: Map<string, Result>
  readonly objects: Map<string, JsonMap>
}

/** Writes what needs nothing of one another; each is recorded before it is written. */
async function pushLayer(
  session: Session,
  changes: readonly ClusterChange[],
  { options, results, objects }: Tally,
): Promise<void> {
  const ids = await session.journal.begin(changes.map((one) => clusterWrite(session, one)))
  const ended = await forEachOf([...changes.entries()], width, async ([index, change]) => {
    options.onProgress(change.id)
    const { result, object } = await pushObject(session, change, options)
    results.set(change.id, result)
    if (object !== undefined) objects.set(change.id, object)
    return {
      id: ids[index] ?? '',
      reason: result.reason,
      left: object && leftBy(session, change.facts, object),
    }
  })
  await session.journal.end(ended)
}

/** What a write left, for the journal. */
export function leftBy(session: Session, { local }: Facts, object: JsonMap) {
  const uid = valueAt(object, ['metadata', 'uid'])
  return { object: session.clean(object, local), uid: typeof uid === 'string' ? uid : '' }
}

function blockerOf({ needs }: Planned<ClusterChange>, failed: ReadonlySet<string>): string | undefined {
  return needs.map(nameOf).find((name) => failed.has(name))
}

/** How often an object is looked at again that others write to while we do, without changing what was approved. */
const attempts = 5

async function pushObject(
  session: Session,
  { id, facts, apply, replaces }: ClusterChange,
  options: PushOptions,
): Promise<{ result: Result; object?: JsonMap }> {
  let now = replaces ? { ...facts, live: undefined } : facts
  // No version binds what was not there: server-side apply would write over what somebody made meanwhile.
  if (facts.live === undefined && (await liveNow(session, facts)) !== undefined) {
    return { result: { id, what: 'moved', reason: 'somebody made it in the cluster meanwhile' } }
  }
  for (let attempt = 1; ; attempt += 1) {
    try {
      const undeleted = replaces && attempt === 1 ? await removeObject(session, facts, options) : ''
      if (undeleted !== '') return { result: { id, what: 'failed', reason: undeleted } }
      const object = await applyObject(session.client, { facts: now, apply, isDryRun: false })
      const what = replaces ? 'replaced' : facts.live === undefined ? 'created' : 'changed'
      return { result: { id, what, reason: '' }, object }
    } catch (error) {
      if (!(error instanceof KubesyncError)) throw error
      const fresh = isConflict(error) ? await lookAgain(session, facts) : undefined
      if (fresh === 'moved')
        return { result: { id, what: 'moved', reason: 'it was changed in the cluster meanwhile' } }
      if (fresh === undefined || !isOutdated(error) || attempt === attempts) {
        const reason = error instanceof ApiError ? error.status.message : error.message
        return { result: { id, what: 'failed', reason } }
      }
      now = fresh
    }
  }
}

function isConflict(error: KubesyncError): error is ApiError {
  return error instanceof ApiError && error.status.code === 409
}

/** Somebody wrote to it since; not so if somebody else holds a field. */
function isOutdated(error: KubesyncError): boolean {
  return isConflict(error) && /modified|please apply your changes to the latest/i.test(error.status.message)
}

/** The object as it is now, if what a person would keep of it is what was approved; controllers write status all the time. */
export async function lookAgain(session: Session, facts: Facts): Promise<Facts | 'moved'> {
  const object = await liveNow(session, facts)
  if (object === undefined) return 'moved'
  const clean = session.clean(object, facts.local)
  return equal(clean, facts.live?.clean) ? { ...facts, live: { object, clean } } : 'moved'
}

/** Undefined also where its kind or namespace is not there, or it may not be read. */
async function liveNow({ client }: Session, { apiVersion, identity }: Facts): Promise<JsonMap | undefined> {
  const { kind, name, namespace } = identity
  try {
    return asMap(await client.get({ apiVersion, kind, name, namespace }))
  } catch (error) {
    const isGone = error instanceof ApiError && [403, 404].includes(error.status.code)
    if (isGone || (error instanceof KubesyncError && error.code === 'NO_SUCH_KIND')) return undefined
    throw error
  }
}

/** As the journal has it. */
export function clusterWrite({ cluster, root }: Session, { id, facts, apply }: ClusterChange): Write {
  const { context, server } = cluster
  const { place } = facts
  return {
    where: 'cluster',
    ...{ context, server, resources: [id], file: place.file === '' ? '' : `${root}/${place.file}` },
    before: facts.live?.clean ?? null,
    after: apply.object,
  }
}
