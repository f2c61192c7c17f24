import { ApiError } from '../../kube/errors.ts'
import { groupBy } from '../group.ts'
import { type Ending, newOperation, type Write } from '../journal/journal.ts'
import { asMap } from '../live/fetch.ts'
import { changeOutcome, isMade, wishesFor } from '../plan/change.ts'
import { made } from '../plan/outcome.ts'
import { choiceOf, type Selection } from '../plan/plan.ts'
import type { Session } from '../session.ts'
import type { PreparedChange } from '../survey/change.ts'
import type { JsonMap } from '../value.ts'
import { type Chosen, type Result, remember } from './carry.ts'
import { type FileChange, fileWrite, type PlannedFile, planFiles, putFiles } from './files.ts'
import { type ClusterChange, clusterWrite, leftBy, type PushOptions, pushObjects } from './push.ts'

/** What is to be carried out of a change, and the words of the command line for the journal. */
export interface Carriage {
  readonly prepared: PreparedChange
  readonly selection: Selection
  /** Values of Secrets left out. */
  readonly command: string
  /** Texts that files get back as a whole, by their paths, instead of what a change of single fields would make of them. */
  readonly originals?: ReadonlyMap<string, string>
}

/**
 * Makes a change in file and cluster as one step: the writes to both are recorded before the first of them, then come files, then the
 * cluster. Where the cluster refuses an object, its file is put back byte for byte, unless somebody touched it since. What a broken
 * connection leaves unknown stays recorded as begun, as a crash leaves it: `findInterrupted` finds it. Rollouts are not waited for.
 */
export async function carryChange(
  session: Session,
  carriage: Carriage,
  options: Omit<PushOptions, 'waits' | 'replaceable'>,
): Promise<Result[]> {
  const chosen = chosenOf(carriage)
  const toFiles = chosen.flatMap(({ id, facts, outcome }): FileChange[] =>
    outcome.file === undefined ? [] : [{ id, facts, change: outcome.file }],
  )
  return session.exclusively(async () => {
    const { planned, refused } = planTexts(toFiles, carriage)
    const toCluster = chosen.flatMap((one): Ready[] => {
      const { apply } = one.outcome
      return apply === undefined || refused.has(one.id) ? [] : [{ ...one, apply }]
    })
    const writes = [
      ...planned.map((one) => fileWrite(session, one)),
      ...toCluster.map((one) => changeWrite(session, one)),
    ].map((write) => ({ ...write, isOneStep: true }))
    const ids = await session.journal.begin(writes, newOperation(carriage.command))
    const made = await writeBoth(session, { planned, toCluster }, options)
    const reasons = new Map([...refused, ...made.reasons])
    await session.journal.end(endingsOf(session, { writes, ids, toCluster, made, reasons }))
    await remember(session, chosen, { pushed: made.objects, failed: new Set(reasons.keys()) })
    return resultsOf(chosen, reasons, made.moved)
  })
}

/** Files as they will be, of which some get back what they were. */
function planTexts(changes: readonly FileChange[], { prepared: { texts }, originals }: Carriage) {
  const isOriginal = ({ facts }: FileChange) => originals?.has(facts.place.file) === true
  const { planned, refused } = planFiles(
    changes.filter((one) => !isOriginal(one)),
    texts,
  )
  const restored = [...groupBy(changes.filter(isOriginal), ({ facts }) => facts.place.file)].map(
    ([file, group]): PlannedFile => ({
      ...{ file, group, before: texts.get(file), after: originals?.get(file) ?? '' },
      textWithout: (ids) =>
        planFiles(
          group.filter(({ id }) => !ids.has(id)),
          texts,
        ).planned[0]?.after ?? texts.get(file),
    }),
  )
  return { planned: [...planned, ...restored], refused }
}

interface Changing extends Chosen {
  readonly wishes: PreparedChange['wishes'] extends ReadonlyMap<string, infer W> ? W : never
}

/** A change of an object that is ready for the cluster. */
export interface Ready extends Changing, ClusterChange {}

function chosenOf({ prepared: { plan, facts, wishes }, selection }: Carriage): Changing[] {
  return plan.resources.flatMap((resource): Changing[] => {
    const one = facts.get(resource.id)
    const { id, state, differences } = resource
    if (one === undefined || state === 'refused') return []
    const taken = differences.filter(
      (difference) =>
        choiceOf(selection, { direction: 'change', resource: id, difference }) === 'take' || state === 'same',
    )
    const wanted = wishesFor(wishes.get(id) ?? [], new Set(taken.map((difference) => difference.id)))
    return [{ id, facts: one, wishes: wanted, outcome: changeOutcome(one, wanted), replaces: false }]
  })
}

/** As the journal has it: both states in the cluster's terms. */
export function changeWrite(session: Session, one: Ready): Write {
  const { live, shape } = one.facts
  const write = clusterWrite(session, one)
  const inCluster = one.wishes.filter(({ side }) => side !== 'file')
  return live === undefined ? write : { ...write, after: made(live.clean, inCluster, shape) }
}

interface Both {
  readonly planned: readonly PlannedFile[]
  readonly toCluster: readonly Ready[]
}

/** Writes files, then the cluster, and puts back files of what that refuses; all of it is recorded already. What became of it, by ids. */
export async function writeBoth(session: Session, { planned, toCluster }: Both, options: WaitingOptions) {
  const reasons = new Map<string, string>()
  const fail = (ids: readonly string[], reason: string) => {
    for (const id of ids) if (!reasons.has(id)) reasons.set(id, reason)
  }
  for (const [index, reason] of (await putFiles(session, planned)).entries()) {
    const group = planned[index]?.group ?? []
    if (reason !== '') fail(ids(group), reason)
  }
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
  for (const [id, reason] of await putBack(session, planned, back)) {
    reasons.set(id, `${reasons.get(id)}; the file could not be put back: ${reason}`)
  }
  const moved = new Set(pushed.results.filter(({ what }) => what === 'moved').map(({ id }) => id))
  return { objects, reasons, unsure, moved }
}

type WaitingOptions = Omit<PushOptions, 'waits' | 'replaceable'>

const unknownWords = 'nobody knows whether the cluster took it; the next command looks'

/** The journal of writes that are recorded already, all together. */
function recorded({ journal }: Session): Session['journal'] {
  return { ...journal, begin: async (writes) => writes.map(() => ''), end: async () => {} }
}

/** After a failure: the object if the cluster took the change all the same, as it may before a connection breaks. */
async function lookAgain(
  session: Session,
  { facts, wishes }: Ready,
): Promise<JsonMap | 'unknown' | undefined> {
  const { apiVersion, identity } = facts
  const { kind, name, namespace } = identity
  try {
    const object = asMap(await session.client.get({ apiVersion, kind, name, namespace }))
    return isMade(session.clean(object, facts.local), wishes, facts.shape) ? object : undefined
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

function resultsOf(
  chosen: readonly Chosen[],
  reasons: ReadonlyMap<string, string>,
  moved: ReadonlySet<string>,
): Result[] {
  return chosen.flatMap(({ id, facts, outcome }): Result[] => {
    const reason = reasons.get(id)
    if (reason !== undefined) return [{ id, what: moved.has(id) ? 'moved' : 'failed', reason }]
    const file: Result[] = outcome.file === undefined ? [] : [{ id, what: 'written', reason: '' }]
    const what = facts.live === undefined ? 'created' : 'changed'
    const apply: Result[] = outcome.apply === undefined ? [] : [{ id, what, reason: '' }]
    return [...file, ...apply]
  })
}
