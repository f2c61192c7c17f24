import { groupBy } from '../group.ts'
import { newOperation, type Write } from '../journal/journal.ts'
import { changeOutcome, wishesFor } from '../plan/change.ts'
import { made } from '../plan/outcome.ts'
import { choiceOf, type Selection } from '../plan/plan.ts'
import type { Session } from '../session.ts'
import type { PreparedChange } from '../survey/change.ts'
import { type CarryOptions, type Changing, endingsOf, type Ready, writeBoth } from './both.ts'
import { type Chosen, type Result, remember } from './carry.ts'
import { type FileChange, fileWrite, type PlannedFile, planFiles } from './files.ts'
import { clusterWrite } from './push.ts'

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
  options: CarryOptions,
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

/** What a selection makes of the objects of a change. */
export function chosenOf({
  prepared: { plan, facts, wishes },
  selection,
}: Pick<Carriage, 'prepared' | 'selection'>): Changing[] {
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
