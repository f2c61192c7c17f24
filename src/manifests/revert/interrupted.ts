import type { CarryOptions } from '../carry/both.ts'
import type { Result } from '../carry/carry.ts'
import type { Ending, Interrupted } from '../carry/interrupted.ts'
import { holdsData } from '../plan/make.ts'
import type { Session } from '../session.ts'
import { carryRevert } from './carry.ts'
import type { ToRevert } from './choose.ts'
import { type PreparedRevert, surveyRevert } from './survey.ts'
import { deletionsIn } from './taken.ts'

/**
 * What is still to be done of an interrupted operation, by what is in files and cluster now: to undo it, its writes are taken back; to finish
 * it, what would take back their opposites.
 */
export function surveyEnding(
  session: Session,
  { entries }: Interrupted,
  ending: Ending,
): Promise<PreparedRevert> {
  const writes = entries.toReversed().flatMap((entry): ToRevert[] => {
    if (entry.outcome === 'failed') return []
    const turned = { ...entry, before: entry.after, after: entry.before, isExact: true, uid: '' }
    return [{ entry: ending === 'undo' ? entry : turned, ids: entry.resources }]
  })
  return surveyRevert(session, { writes, operations: [], elsewhere: 0 })
}

/** Does it, but for what others changed since, and for deletions of what holds data. */
export function carryEnding(
  session: Session,
  { prepared, command, ending }: { prepared: PreparedRevert; command: string; ending: Ending },
  options: CarryOptions,
): Promise<Result[]> {
  const selection = new Map(prepared.plan.resources.map(({ id }) => [id, 'all'] as const))
  const going = deletionsIn({ prepared, selection }).filter(({ ref }) => !holdsData(ref.kind))
  const deletable = new Set(going.map(({ id }) => id))
  // What finishes a write does not take it back.
  const writes = ending === 'undo' ? prepared.writes : []
  const how = { ...options, waits: false, replaceable: new Set<string>() }
  return carryRevert(session, { prepared: { ...prepared, writes }, selection, command, deletable }, how)
}
