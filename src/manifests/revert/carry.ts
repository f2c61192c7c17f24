import { resolve } from 'node:path'
import { ApiError } from '../../kube/errors.ts'
import { endingsOf, type Ready, writeBoth } from '../carry/both.ts'
import { type Result, remember } from '../carry/carry.ts'
import { changeWrite } from '../carry/change.ts'
import { fileWrite, type PlannedFile } from '../carry/files.ts'
import type { PushOptions } from '../carry/push.ts'
import { removeObject } from '../carry/remove.ts'
import { unknownShape } from '../diff/shape.ts'
import { newOperation, type Write } from '../journal/journal.ts'
import { layers } from '../order/order.ts'
import { type ChangeWish, changeOutcome, nameOfWish, wishesFor } from '../plan/change.ts'
import type { Facts } from '../plan/make.ts'
import { choiceOf, type ResourcePlan, type Selection } from '../plan/plan.ts'
import type { Session } from '../session.ts'
import { creating, type FileInverse, type PreparedRevert, textStep } from './survey.ts'
import { editObject, sourceIn } from './texts.ts'

/** What is to be carried out of taking writes back. */
export interface Reverting {
  readonly prepared: PreparedRevert
  readonly selection: Selection
  /** The words of the command line. */
  readonly command: string
  /** The names of objects that may be deleted. */
  readonly deletable: ReadonlySet<string>
}

/** What was chosen of an object. */
interface Taken {
  readonly id: string
  readonly facts: Facts
  readonly wishes: readonly ChangeWish[]
  /** Whether it is deleted in the cluster. */
  readonly isGoing: boolean
}

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
    await agree(session, { taken, toCluster, planned, objects: made.objects, reasons })
    return resultsOf({ planned, toCluster, going, reasons, moved: made.moved })
  })
}

/** The objects that would be deleted in the cluster. */
export function deletionsIn(chosen: Pick<Reverting, 'prepared' | 'selection'>): ResourcePlan[] {
  return chosen.prepared.plan.resources.filter((one) => wishesIn(chosen, one).some(isDeletion))
}

function takenOf(reverting: Reverting): Taken[] {
  const { prepared, deletable } = reverting
  return prepared.plan.resources.flatMap((resource): Taken[] => {
    const { id } = resource
    const facts = prepared.facts.get(id)
    const wishes = wishesIn(reverting, resource).filter((wish) => !isDeletion(wish) || deletable.has(id))
    if (facts === undefined || wishes.length === 0) return []
    return [{ id, facts, wishes, isGoing: wishes.some(isDeletion) }]
  })
}

function wishesIn(
  { prepared, selection }: Pick<Reverting, 'prepared' | 'selection'>,
  { id, differences, state }: ResourcePlan,
): ChangeWish[] {
  const chosen = differences.filter(
    (difference) => choiceOf(selection, { direction: 'change', resource: id, difference }) === 'take',
  )
  const names = new Set(state === 'refused' ? [] : chosen.map((difference) => difference.id))
  return wishesFor(prepared.wishes.get(id) ?? [], names)
}

function isDeletion(wish: ChangeWish): boolean {
  return isWhole(wish) && wish.side !== 'file' && wish.value === undefined
}

function isWhole({ path }: ChangeWish): boolean {
  return path.length === 0
}

/** What of a change is about fields. */
function inFields(facts: Facts, wishes: readonly ChangeWish[]) {
  return changeOutcome(
    facts,
    wishes.filter((wish) => !isWhole(wish) && wish.path[0] !== textStep),
  )
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

/** Files as they are to be: whole again where all was chosen, else edited. */
function plannedFiles(prepared: PreparedRevert, taken: readonly Taken[]): PlannedFile[] {
  return [...prepared.files].flatMap(([file, inverse]): PlannedFile[] => {
    const before = prepared.texts.get(file)
    const own = taken.filter(
      ({ id, wishes }) => inverse.ids.has(id) && wishes.some(({ side }) => side !== 'cluster'),
    )
    const textWithout = (ids: ReadonlySet<string>) =>
      textOf(prepared, { file, inverse, own: own.filter(({ id }) => !ids.has(id)) })
    const after = textWithout(new Set())
    if (after === before) return []
    return [{ file, before, after, group: own, textWithout }]
  })
}

function textOf(
  { wishes, texts }: PreparedRevert,
  { file, inverse, own }: { file: string; inverse: FileInverse; own: readonly Taken[] },
): string | undefined {
  const inFile = (some: readonly ChangeWish[]) => some.filter(({ side }) => side !== 'cluster')
  const isAll = [...inverse.ids].every((id) => {
    const chosen = new Set(inFile(own.find((one) => one.id === id)?.wishes ?? []).map(nameOfWish))
    const open = new Set(
      (inverse.disputed.get(id) ?? []).map((wish) => nameOfWish({ ...wish, side: 'file' })),
    )
    return inFile(wishes.get(id) ?? []).every(
      (wish) => chosen.has(nameOfWish(wish)) !== open.has(nameOfWish(wish)),
    )
  })
  if (isAll) return inverse.text
  const context = {
    file,
    shapeOf: (id: string) => own.find((one) => one.id === id)?.facts.shape ?? unknownShape,
  }
  return own.reduce<string | undefined>((text, { id, wishes: some }) => {
    const fields = inFile(some).filter(({ path }) => path[0] !== textStep)
    const edited = editObject(text, { id, wishes: fields, source: sourceIn(inverse.text, id) }, context)
    if ('refused' in edited) return text
    return edited.text === '' ? undefined : edited.text
  }, texts.get(file))
}

function removal({ cluster: { context, server }, root }: Session, { id, facts }: Taken): Write {
  const file = resolve(root, facts.place.file)
  return {
    where: 'cluster',
    context,
    server,
    resources: [id],
    file,
    before: facts.live?.clean ?? null,
    after: null,
  }
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
    for (const { item } of layer) {
      if (failed.has(item.id)) continue
      const reason = await removeObject(session, item.facts, options).catch((error: unknown) => {
        if (error instanceof ApiError) return error.status.message
        throw error
      })
      if (reason !== '') reasons.set(item.id, reason)
    }
  }
  return reasons
}

interface Carried {
  readonly taken: readonly Taken[]
  readonly toCluster: readonly Ready[]
  readonly planned: readonly PlannedFile[]
  readonly objects: Awaited<ReturnType<typeof writeBoth>>['objects']
  readonly reasons: ReadonlyMap<string, string>
}

/**
 * Remembers what both sides agree on now. Where only one of them went back, nothing is: that is a change of this side, as any other. What has
 * no file any more was never agreed on: its removal is not to be taken for a wish to delete it.
 */
async function agree(session: Session, { taken, planned, objects, reasons }: Carried): Promise<void> {
  const isGone = (id: string) =>
    planned.some(({ group, after }) => after === undefined && group.some((one) => one.id === id))
  const gone = taken.filter(
    ({ id, wishes }) =>
      isGone(id) ||
      wishes.some((wish) => isWhole(wish) && wish.side !== 'cluster' && wish.value === undefined),
  )
  const both = taken.filter(
    (one) =>
      one.facts.local !== undefined && !one.isGoing && !gone.includes(one) && !one.wishes.some(isWhole),
  )
  const chosen = both.map(({ id, facts, wishes }) => ({
    id,
    facts,
    outcome: changeOutcome(facts, wishes),
    replaces: false,
  }))
  await remember(session, chosen, { pushed: objects, failed: new Set(reasons.keys()) })
  await session.base.forget(
    gone
      .filter(({ id }) => !reasons.has(id))
      .map(({ id, facts }) => ({ name: id, file: resolve(session.root, facts.place.file) })),
  )
}

function resultsOf({
  planned,
  toCluster,
  going,
  reasons,
  moved,
}: Pick<Carried, 'planned' | 'toCluster' | 'reasons'> & {
  going: readonly Taken[]
  moved: ReadonlySet<string>
}): Result[] {
  const ended = (id: string, what: Result['what']): Result => {
    const reason = reasons.get(id) ?? ''
    return { id, what: reason === '' ? what : moved.has(id) ? 'moved' : 'failed', reason }
  }
  return [
    ...planned.flatMap(({ group }) => group.map(({ id }) => ended(id, 'written'))),
    ...toCluster.map(({ id, facts, replaces }) =>
      ended(id, replaces ? 'replaced' : facts.live === undefined ? 'created' : 'changed'),
    ),
    ...going.map(({ id }) => ended(id, 'deleted')),
  ]
}
