import { ApiError } from '../../kube/errors.ts'
import { fetchObjects, width } from '../live/fetch.ts'
import { forEachOf } from '../live/pool.ts'
import { wantedOf } from '../local.ts'
import { layers } from '../order/order.ts'
import { nameOf } from '../order/references.ts'
import { valueAt } from '../path.ts'
import type { Facts } from '../plan/make.ts'
import type { Session } from '../session.ts'
import type { Folder } from '../survey/folder.ts'
import type { JsonMap } from '../value.ts'
import type { Result } from './carry.ts'
import { type WaitOptions, waitFor } from './wait.ts'

/** Deletes an object as it was looked at, and waits until it is gone. Rejects with an ApiError if it is another one by now. */
export async function removeObject(
  session: Session,
  { apiVersion, identity, live }: Pick<Facts, 'apiVersion' | 'identity' | 'live'>,
  options: WaitOptions,
): Promise<string> {
  const { kind, name, namespace } = identity
  const path = await session.client.path({ apiVersion, kind, name, namespace })
  const uid = valueAt(live?.object, ['metadata', 'uid'])
  const body = {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    propagationPolicy: 'Background',
    preconditions: { uid },
  }
  await session.client.request({ method: 'DELETE', path, body })
  const isReady = (object: JsonMap | undefined) =>
    object === undefined
      ? ({ state: 'ready' } as const)
      : ({ state: 'waiting', words: 'it is being deleted' } as const)
  return waitFor(session, { apiVersion, identity }, { isReady, options })
}

/** An object that we once wrote to the cluster, and whose file is not there any more. */
export interface Orphan {
  readonly id: string
  readonly file: string
  readonly facts: Pick<Facts, 'apiVersion' | 'identity'> & { readonly live: NonNullable<Facts['live']> }
}

/**
 * What we wrote to the cluster out of files below the root and is in no file there any more. None while anything there
 * cannot be read: what is not understood is not gone.
 */
export async function findOrphans(session: Session, folder: Folder): Promise<Orphan[]> {
  if (folder.remarks.some(({ isProblem }) => isProblem)) return []
  const present = new Set(folder.objects.map(({ identity }) => nameOf(identity)))
  const doubtful = new Set(folder.remarks.map(({ file }) => `${session.root}/${file}`))
  const gone = session.base
    .below(session.root)
    .filter(({ name, file, isPushed }) => isPushed && !present.has(name) && !doubtful.has(file))
  const found = await forEachOf(gone, width, async (entry) => {
    const wanted = await wantedOf(session.client, entry.agreed.file)
    return wanted === undefined ? [] : [{ ...wanted, entry }]
  })
  const wanted = found.flat()
  const { objects } = await fetchObjects(session.client, wanted)
  return wanted.flatMap(({ type, identity, entry }) => {
    const object = objects.get(entry.name)
    // One that somebody made anew is not ours.
    if (object === undefined || valueAt(object, ['metadata', 'uid']) !== entry.uid) return []
    const live = { object, clean: session.clean(object, undefined) }
    return [{ id: entry.name, file: entry.file, facts: { apiVersion: type.apiVersion, identity, live } }]
  })
}

/** Deletes objects, those that need others before those. Each is recorded first. */
export async function prune(
  session: Session,
  orphans: readonly Orphan[],
  options: WaitOptions,
): Promise<Result[]> {
  const { context, server } = session.cluster
  const results: Result[] = []
  for (const layer of layers(orphans, ({ facts }) => facts.live.clean).reverse()) {
    const ids = await session.journal.begin(
      layer.map(({ item: { id, file, facts } }) => ({
        ...{ where: 'cluster', context, server, resources: [id], file, after: null },
        before: facts.live.clean,
      })),
    )
    const ended = await forEachOf([...layer.entries()], width, async ([index, { item }]) => {
      const reason = await removeObject(session, item.facts, options).catch((error: unknown) => {
        if (error instanceof ApiError) return error.status.message
        throw error
      })
      results.push({ id: item.id, what: reason === '' ? 'deleted' : 'failed', reason })
      if (reason === '') await session.base.forget([{ name: item.id, file: item.file }])
      return { id: ids[index] ?? '', reason }
    })
    await session.journal.end(ended)
  }
  return results
}
