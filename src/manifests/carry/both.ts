import { ApiError } from '../../kube/errors.ts'
import type { Ending, Write } from '../journal/journal.ts'
import { asMap } from '../live/fetch.ts'
import { textsAs } from '../live/view.ts'
import { type ChangeWish, isMade } from '../plan/change.ts'
import type { Session } from '../session.ts'
import type { JsonMap } from '../value.ts'
import type { Chosen } from './carry.ts'
import { type PlannedFile, putFiles } from './files.ts'
import { type ClusterChange, leftBy, type PushOptions, pushObjects } from './push.ts'

/** An object, and what is wished for of it. */
export interface Changing extends Chosen {
  readonly wishes: readonly ChangeWish[]
}

/** A change of an object that is ready for the cluster. */
export interface Ready extends Changing, ClusterChange {}

/** What is written of a change: texts of files, and objects. */
export interface Both {
  readonly planned: readonly PlannedFile[]
  readonly toCluster: readonly Ready[]
}

/** Writes files, then the cluster, and puts back files of what that refuses; all of it is recorded already. What became of it, by ids. */
export async function writeBoth(session: Session, { planned, toCluster }: Both, options: CarryOptions) {
  const reasons = new Map<string, string>()
  const fail = (ids: readonly string[], reason: string) => {
    for (const id of ids) if (!reasons.has(id)) reasons.set(id, reason)
  }
  const failures = await putFiles(session, planned)
  for (const [index, { group }] of planned.entries()) {
    const reason = failures[index] ?? ''
    if (reason !== '') fail(ids(group), reason)
  }
  const put = planned.filter((_, index) => failures[index] === '')
  const wanted = toCluster.filter(({ id }) => !reasons.has(id))
  const pushed = await pushObjects({ ...session, journal: recorded(session) }, wanted, {
    ...options,
    waits: false,
    replaceable: new Set(),
  })
  const objects = new Map(pushed.objects)
  const unsure = new Set<string>()
  for (const { id, reason } of pushed.results) {
    if (objects.has(id)) continue
    const one = wanted.find((change) => change.id === id)
    const found = one === undefined ? undefined : await lookAgain(session, one)
    if (found === 'unknown') unsure.add(id)
    else if (found !== undefined) objects.set(id, found)
    if (!objects.has(id)) fail([id], found === 'unknown' ? `${reason}; ${unknownWords}` : reason)
  }
  const back = new Set([...reasons.keys()].filter((id) => !unsure.has(id)))
  for (const [id, reason] of await putBack(session, put, back)) {
    reasons.set(id, `${reasons.get(id)}; the file could not be put back: ${reason}`)
  }
  const moved = new Set(pushed.results.filter(({ what }) => what === 'moved').map(({ id }) => id))
  return { objects, reasons, unsure, moved }
}

/** How long the cluster is waited for, where others need what is written first. */
export type CarryOptions = Omit<PushOptions, 'waits' | 'replaceable'>

const unknownWords = 'nobody knows whether the cluster took it; the next command looks'

/** The journal of writes that are recorded already, all together. */
function recorded({ journal }: Session): Session['journal'] {
  return { ...journal, begin: async (writes) => writes.map(() => ''), end: async () => {} }
}

/** After a failure: the object if the cluster took the change all the same, as it may before a connection breaks. */
async function lookAgain(
  session: Session,
  { facts, wishes, apply }: Ready,
): Promise<JsonMap | 'unknown' | undefined> {
  const { apiVersion, identity } = facts
  const { kind, name, namespace } = identity
  try {
    const object = asMap(await session.client.get({ apiVersion, kind, name, namespace }))
    const clean = textsAs(session.clean(object, facts.local), apply.object)
    return isMade(clean, wishes, facts.shape) ? object : undefined
  } catch (error) {
    return error instanceof ApiError ? undefined : 'unknown'
  }
}

/** Puts files back for objects that failed, if they are what was written; why not, by the ids of those objects. */
async function putBack(
  session: Session,
  planned: readonly PlannedFile[],
  back: ReadonlySet<string>,
): Promise<Map<string, string>> {
  const undone = planned.filter(({ group }) => group.some(({ id }) => back.has(id)))
  const targets = undone.map((one) => ({ ...one, before: one.after, after: one.textWithout(back) }))
  const reasons = await putFiles(session, targets)
  return new Map(
    undone.flatMap(({ group }, index) => {
      const reason = reasons[index] ?? ''
      return reason === ''
        ? []
        : ids(group.filter(({ id }) => back.has(id))).map((id) => [id, reason] as const)
    }),
  )
}

function ids(group: readonly { readonly id: string }[]): string[] {
  return group.map(({ id }) => id)
}

interface Ended {
  readonly writes: readonly Write[]
  /** Of the writes in the journal. */
  readonly ids: readonly string[]
  readonly toCluster: readonly Ready[]
  readonly made: Awaited<ReturnType<typeof writeBoth>>
  readonly reasons: ReadonlyMap<string, string>
}

/** How writes ended, for the journal; of what nobody knows, nothing. */
export function endingsOf(session: Session, { writes, ids, toCluster, made, reasons }: Ended): Ending[] {
  return writes.flatMap(({ where, resources }, index) => {
    if (resources.some((id) => made.unsure.has(id))) return []
    const [id = ''] = resources
    const [one, object] = [toCluster.find((change) => change.id === id), made.objects.get(id)]
    const left = where === 'cluster' && one && object ? leftBy(session, one.facts, object) : undefined
    const reason = resources.every((name) => reasons.has(name)) ? (reasons.get(id) ?? '') : ''
    return [{ id: ids[index] ?? '', reason, left }]
  })
}
