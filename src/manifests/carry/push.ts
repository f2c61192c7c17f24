import { ApiError } from '../../kube/errors.ts'
import { type Write, withoutSecrets } from '../journal/journal.ts'
import { asMap, width } from '../live/fetch.ts'
import { forEachOf } from '../live/pool.ts'
import { layers, type Planned } from '../order/order.ts'
import { nameOf } from '../order/references.ts'
import type { Facts } from '../plan/make.ts'
import type { Session } from '../session.ts'
import { equal, type JsonMap } from '../value.ts'
import { type Application, applyObject } from './apply.ts'
import type { Result } from './carry.ts'

/** What is to be done to an object in the cluster. */
export interface ClusterChange {
  readonly id: string
  readonly facts: Facts
  readonly apply: Application['apply']
}

export interface PushOptions {
  /** Called before and after an object is written. */
  onProgress(words: string): void
}

interface Pushed {
  readonly results: readonly Result[]
  /** The objects as the server answered them, by id. */
  readonly objects: ReadonlyMap<string, JsonMap>
}

/** Writes objects to the cluster, what others need before those. */
export async function pushObjects(
  session: Session,
  changes: readonly ClusterChange[],
  options: PushOptions,
): Promise<Pushed> {
  const results: Result[] = []
  const objects = new Map<string, JsonMap>()
  const failed = new Set<string>()
  for (const layer of layers(changes, ({ apply }) => apply.object)) {
    const [ready, blocked] = [
      layer.filter((one) => !blockerOf(one, failed)),
      layer.filter((one) => blockerOf(one, failed)),
    ]
    for (const one of blocked) {
      failed.add(nameOf(one.identity))
      results.push({ id: one.item.id, what: 'skipped', reason: `${blockerOf(one, failed)} failed` })
    }
    const ids = await session.journal.begin(ready.map(({ item }) => writeOf(session, item)))
    const ended = await forEachOf([...ready.entries()], width, async ([index, { item, identity }]) => {
      options.onProgress(item.id)
      const done = await pushObject(session, item)
      results.push(done.result)
      if (done.object !== undefined) objects.set(item.id, done.object)
      else failed.add(nameOf(identity))
      return { id: ids[index] ?? '', reason: done.result.reason }
    })
    await session.journal.end(ended)
  }
  return { results, objects }
}

function blockerOf({ needs }: Planned<ClusterChange>, failed: ReadonlySet<string>): string | undefined {
  return needs.map(nameOf).find((name) => failed.has(name))
}

/** How often an object is looked at again that others write to while we do, without changing what was approved. */
const attempts = 5

async function pushObject(
  session: Session,
  { id, facts, apply }: ClusterChange,
): Promise<{ result: Result; object?: JsonMap }> {
  let now = facts
  for (let attempt = 1; ; attempt += 1) {
    try {
      const object = await applyObject(session.client, { facts: now, apply, isDryRun: false })
      const what = facts.live === undefined ? 'created' : 'changed'
      return { result: { id, what, reason: '' }, object }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      const fresh = isMoved(error) && attempt < attempts ? await lookAgain(session, facts) : undefined
      if (fresh === undefined || fresh === 'moved') {
        const reason = fresh === 'moved' ? 'it was changed in the cluster meanwhile' : error.status.message
        return { result: { id, what: fresh === 'moved' ? 'moved' : 'failed', reason } }
      }
      now = fresh
    }
  }
}

/** Somebody wrote to it since; not so if somebody else holds a field. */
function isMoved({ status }: ApiError): boolean {
  return status.code === 409 && /modified|please apply your changes to the latest/i.test(status.message)
}

/** The object as it is now, if what a person would keep of it is what was approved; controllers write status all the time. */
async function lookAgain(session: Session, facts: Facts): Promise<Facts | 'moved'> {
  const { apiVersion, identity, live } = facts
  const { kind, name, namespace } = identity
  try {
    const object = asMap(await session.client.get({ apiVersion, kind, name, namespace }))
    const clean = session.clean(object, facts.local)
    return equal(clean, live?.clean) ? { ...facts, live: { object, clean } } : 'moved'
  } catch (error) {
    if (error instanceof ApiError && error.status.code === 404) return 'moved'
    throw error
  }
}

function writeOf({ cluster, root }: Session, { id, facts, apply }: ClusterChange): Write {
  const { context, server } = cluster
  return {
    where: 'cluster',
    ...{ context, server, resources: [id], file: `${root}/${facts.place.file}` },
    before: facts.live === undefined ? null : withoutSecrets(facts.live.clean),
    after: withoutSecrets(apply.object),
  }
}
