import { relative } from 'node:path'
import { compare } from '../diff/compare.ts'
import type { Wish } from '../diff/take.ts'
import { readOne } from '../folder/documents.ts'
import type { JournalEntry } from '../journal/journal.ts'
import { resolveLocal } from '../local.ts'
import { identityOf, nameOf } from '../order/references.ts'
import { bothWays, type ChangeWish } from '../plan/change.ts'
import { type Facts, remoteOf } from '../plan/make.ts'
import { fieldAt } from '../plan/outcome.ts'
import type { Session } from '../session.ts'
import { type ChangeSubject, type PreparedChange, surveyChange } from '../survey/change.ts'
import { surveyFolder } from '../survey/folder.ts'
import { subjectOf } from '../survey/push.ts'
import { equal, isMap, type JsonMap } from '../value.ts'
import type { Carriage } from './change.ts'

/** A change of files and cluster of which nobody knows how far it came: the process ended, or the connection did. */
export interface Interrupted {
  readonly operation: string
  readonly command: string
  /** ISO 8601. */
  readonly at: string
  readonly entries: readonly JournalEntry[]
}

/** Where an interrupted change is to lead: to what it was to make, or back to what was there. */
export type Ending = 'finish' | 'undo'

/** Whether there may be an interrupted change at all: one look at the disk. */
export function mayBeInterrupted({ journal }: Pick<Session, 'journal'>): boolean {
  return journal.underWay.list().length > 0
}

/** The changes below this folder that were begun and never ended, oldest first. One that is under way now is waited for. */
export async function findInterrupted(session: Session): Promise<Interrupted[]> {
  return session.exclusively(async () => {
    const { server } = session.cluster
    const all = (await session.journal.read()).filter((entry) => entry.isOneStep && entry.server === server)
    const open = new Set(all.filter(({ outcome }) => outcome === 'begun').map(({ operation }) => operation))
    for (const operation of session.journal.underWay.list()) {
      if (!all.some((entry) => entry.operation === operation)) continue
      if (!open.has(operation)) session.journal.underWay.close(operation)
    }
    return [...open].flatMap((operation): Interrupted[] => {
      const entries = all.filter((entry) => entry.operation === operation)
      const [first] = entries
      const isHere = entries.every(({ file }) => file === session.root || file.startsWith(`${session.root}/`))
      return first === undefined || !isHere
        ? []
        : [{ operation, command: first.command, at: first.at, entries }]
    })
  })
}

/** The objects that it was to make or to delete: how far that came, both sides have to be looked at for. */
export function wholesIn({ entries }: Interrupted): string[] {
  const isWhole = ({ before, after }: JournalEntry) => before === null || after === null
  return [...new Set(entries.filter(isWhole).flatMap(({ resources }) => resources))]
}

/** Looks at what is in files and cluster now, and what is still to be done so that the change ends one way or the other. */
export async function surveyInterrupted(
  session: Session,
  { entries }: Interrupted,
  ending: Ending,
): Promise<Pick<Carriage, 'prepared' | 'originals'>> {
  const files = entries.filter(({ where }) => where === 'file')
  const paths = [...new Set(entries.map(({ file }) => relative(session.root, file)))].filter(
    (path) => path !== '',
  )
  const folder = await surveyFolder(session, paths)
  const locals = new Map(folder.objects.map((object) => [nameOf(object.identity), object]))
  const states = await statesOf(session, entries)
  const subjects = [...states].flatMap(([id, state]): ChangeSubject[] => {
    const local = locals.get(id)
    const known = state.cluster?.after ?? state.cluster?.before ?? state.file?.after
    const identity = known === undefined ? undefined : identityOf(known)
    const wishesOf = (facts: Facts) => wishesFor(facts, state, ending)
    if (local !== undefined) return [{ ...subjectOf(local), wishesOf }]
    if (known === undefined || identity === undefined) return []
    const place = { file: paths[0] ?? '' }
    return [{ identity, apiVersion: String(known.apiVersion), place, local: undefined, wishesOf }]
  })
  const prepared = await surveyChange(session, folder, subjects)
  const originals = files.flatMap(({ file, before, after }): [string, string][] => {
    const path = relative(session.root, file)
    const isAsWritten = typeof before === 'string' && folder.texts.get(path) === after
    return ending === 'undo' && isAsWritten ? [[path, before]] : []
  })
  return { prepared: withNotes(prepared, entries), originals: new Map(originals) }
}

interface Step {
  readonly before: JsonMap | undefined
  readonly after: JsonMap | undefined
}

/** What the change was to do to an object, on each side that it was to be written to. */
interface States {
  readonly file?: Step
  readonly cluster?: Step
}

async function statesOf(session: Session, entries: readonly JournalEntry[]): Promise<Map<string, States>> {
  const states = new Map<string, States>()
  for (const { where, resources, file, before, after } of entries) {
    const [old, now] =
      where === 'file'
        ? [await objectsIn(session, file, before), await objectsIn(session, file, after)]
        : [before, after].map(
            (one) => new Map(isMap(one as JsonMap) ? [[resources[0] ?? '', one as JsonMap]] : []),
          )
    for (const id of resources) {
      states.set(id, { ...states.get(id), [where]: { before: old?.get(id), after: now?.get(id) } })
    }
  }
  return states
}

async function objectsIn({ client }: Session, path: string, text: unknown): Promise<Map<string, JsonMap>> {
  const { manifests } = readOne({ path, text: typeof text === 'string' ? text : '' })
  const { objects } = await resolveLocal(client, manifests)
  return new Map(objects.map(({ identity, object }) => [nameOf(identity), object]))
}

/** On each side what leads to that ending; what somebody made another value of since is left as it is. */
function wishesFor(facts: Facts, { file, cluster }: States, ending: Ending): ChangeWish[] {
  return bothWays(
    wishesOn(facts, facts.local, file, ending),
    wishesOn(facts, remoteOf(facts), cluster, ending),
  )
}

function wishesOn(
  { shape }: Facts,
  now: JsonMap | undefined,
  step: Step | undefined,
  ending: Ending,
): Wish[] {
  if (step?.before === undefined || step.after === undefined) return []
  const { before, after } = step
  return compare({ base: before, local: before, remote: after }, shape).flatMap(({ path, local, remote }) => {
    const value = fieldAt(now, path, shape)
    const isOurs = equal(value, local) || equal(value, remote)
    const like = ending === 'finish' ? after : before
    return isOurs ? [{ path, value: ending === 'finish' ? remote : local, like }] : []
  })
}

function withNotes(prepared: PreparedChange, entries: readonly JournalEntry[]): PreparedChange {
  const hidden = new Set(entries.filter(({ isHidden }) => isHidden).flatMap(({ resources }) => resources))
  const resources = prepared.plan.resources.map((one) => {
    if (!hidden.has(one.id)) return one
    return {
      ...one,
      notes: [...one.notes, 'values of this Secret were not kept: look at both sides yourself'],
    }
  })
  return { ...prepared, plan: { ...prepared.plan, resources } }
}

/** Records that a change has come to an end after all. */
export async function endInterrupted(
  session: Session,
  { entries, operation }: Interrupted,
  reason: string,
): Promise<void> {
  const open = entries.filter(({ outcome }) => outcome === 'begun')
  await session.journal.end(open.map(({ id }) => ({ id, reason })))
  session.journal.underWay.close(operation)
}
