import { resolve } from 'node:path'
import { ApiError } from '../../kube/errors.ts'
import { endingsOf, type Ready, writeBoth } from '../carry/both.ts'
import { type Result, remember } from '../carry/carry.ts'
import { changeWrite } from '../carry/change.ts'
import { fileWrite, type PlannedFile } from '../carry/files.ts'
import { lookAgain, type PushOptions } from '../carry/push.ts'
import { removeObject } from '../carry/remove.ts'
import { newOperation, type Write } from '../journal/journal.ts'
import { width } from '../live/fetch.ts'
import { forEachOf } from '../live/pool.ts'
import { layers } from '../order/order.ts'
import type { Facts } from '../plan/make.ts'
import type { Session } from '../session.ts'
import { creating, type PreparedRevert } from './survey.ts'
import { inFields, isWhole, plannedFiles, type Reverting, type Taken, takenOf } from './taken.ts'

/** Takes writes back as one step: all of it is recorded first, as one operation, which can be taken back in its turn. */
export async function carryRevert(
  session: Session,
  reverting: Reverting,
  options: PushOptions,
): Promise<Result[]> {
  const { prepared, command } = reverting
  const taken = takenOf(reverting)
  const planned = plannedFiles(prepared, taken)
  const toCluster = taken.flatMap((one) => readyOf(one, prepared, options))
  const going = taken.filter(({ isGoing }) => isGoing)
  const writes = [
    ...planned.map((one) => fileWrite(session, one)),
    ...toCluster.map((one) => changeWrite(session, one)),
    ...going.map((one) => removal(session, one)),
  ].map((write): Write => ({ ...write, isOneStep: true, reverts: revertedBy(write, prepared) }))
  if (writes.length === 0) return []
  return session.exclusively(async () => {
    const ids = await session.journal.begin(writes, newOperation(command))
    const made = await writeBoth(session, { planned, toCluster }, options)
    const reasons = new Map([
      ...made.reasons,
      ...(await remove(session, going, { failed: made.reasons, options })),
    ])
    await session.journal.end(endingsOf(session, { writes, ids, toCluster, made, reasons }))
    const carried = { taken, toCluster, planned, made, reasons }
    await agree(session, carried)
    return resultsOf(carried)
  })
}

/** What is written to the cluster of an object that does not go. */
function readyOf(
  { id, facts, wishes, isGoing }: Taken,
  { plan }: PreparedRevert,
  options: PushOptions,
): Ready[] {
  const there = wishes.filter(({ side }) => side !== 'file')
  const replace = plan.resources.find((one) => one.id === id)?.replace
  if (isGoing || (replace !== undefined && !options.replaceable.has(id))) return []
  const outcome = inFields(facts, wishes)
  const whole = there.find(isWhole)
  const apply = whole === undefined ? outcome.apply : creating(whole)
  return apply === undefined
    ? []
    : [{ id, facts, wishes: there, outcome, apply, replaces: replace !== undefined }]
}

function removal({ cluster: { context, server }, root }: Session, { id, facts }: Taken): Write {
  const file = resolve(root, facts.place.file)
  const before = facts.live?.clean ?? null
  return { where: 'cluster', context, server, resources: [id], file, before, after: null }
}

/** The ids of the writes that a write takes back: those of its objects, in the same place. */
function revertedBy({ where, resources }: Write, { writes }: PreparedRevert): string[] {
  return writes.flatMap(({ entry, ids }) =>
    entry.where === where && ids.some((id) => resources.includes(id)) ? [entry.id] : [],
  )
}

interface Removing {
  readonly failed: ReadonlyMap<string, string>
  readonly options: PushOptions
}

/** Deletes objects, those that need others before those; the reasons why some are still there. */
async function remove(session: Session, going: readonly Taken[], { failed, options }: Removing) {
  const reasons = new Map<string, string>()
  for (const layer of layers(going, ({ facts }) => facts.live?.clean ?? {}).reverse()) {
    await forEachOf(layer, width, async ({ item: { id, facts } }) => {
      if (failed.has(id)) return
      const reason = await removeOne(session, facts, options).catch((error: unknown) => {
        if (error instanceof ApiError) return error.status.message
        throw error
      })
      if (reason !== '') reasons.set(id, reason)
    })
  }
  return reasons
}

/** Deletes an object if it still is what was shown. */
async function removeOne(session: Session, facts: Facts, options: PushOptions): Promise<string> {
  const isMoved = (await lookAgain(session, facts)) === 'moved'
  return isMoved ? 'it was changed in the cluster meanwhile' : removeObject(session, facts, options)
}

interface Carried {
  readonly taken: readonly Taken[]
  readonly toCluster: readonly Ready[]
  readonly planned: readonly PlannedFile[]
  readonly made: Awaited<ReturnType<typeof writeBoth>>
  readonly reasons: ReadonlyMap<string, string>
}

/**
 * Remembers what both sides agree on now. Where only one of them went back, nothing is: that is a change of this side, as any other. What has
 * no file any more was never agreed on: its removal is not to be taken for a wish to delete it.
 */
async function agree(session: Session, { taken, made, reasons }: Carried): Promise<void> {
  const isGone = ({ wishes }: Taken) =>
    wishes.some((wish) => isWhole(wish) && wish.side !== 'cluster' && wish.value === undefined)
  const chosen = taken.flatMap(({ id, facts, wishes }) => {
    if (facts.local === undefined || wishes.some(isWhole)) return []
    return [{ id, facts, outcome: inFields(facts, wishes), replaces: false }]
  })
  await remember(session, chosen, { pushed: made.objects, failed: new Set(reasons.keys()) })
  const gone = taken.filter((one) => isGone(one) && !reasons.has(one.id))
  await session.base.forget(
    gone.map(({ id, facts }) => ({ name: id, file: resolve(session.root, facts.place.file) })),
  )
}

function resultsOf({ taken, toCluster, planned, made, reasons }: Carried): Result[] {
  const ended = (id: string, what: Result['what']): Result => {
    const reason = reasons.get(id) ?? ''
    return { id, what: reason === '' ? what : made.moved.has(id) ? 'moved' : 'failed', reason }
  }
  return [
    ...planned.flatMap(({ group }) => group.map(({ id }) => ended(id, 'written'))),
    ...toCluster.map(({ id, facts, replaces }) =>
      ended(id, replaces ? 'replaced' : facts.live === undefined ? 'created' : 'changed'),
    ),
    ...taken.filter(({ isGoing }) => isGoing).map(({ id }) => ended(id, 'deleted')),
  ]
}
