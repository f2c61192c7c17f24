import type { Result } from '../carry/carry.ts'
import { carryChange } from '../carry/change.ts'
import { planFiles } from '../carry/files.ts'
import type { WaitOptions } from '../carry/wait.ts'
import { nameOf } from '../order/references.ts'
import { changeOutcome, inverseOf } from '../plan/change.ts'
import type { Facts } from '../plan/make.ts'
import type { Session } from '../session.ts'
import { type PreparedChange, surveyChange } from '../survey/change.ts'
import { surveyFolder } from '../survey/folder.ts'
import { subjectOf } from '../survey/push.ts'

interface BackOptions extends WaitOptions {
  /** For the journal. */
  readonly command: string
}

/**
 * Takes a change back that was just made, on each side to what that had. A file that is still what the change made of it gets its
 * bytes back; in one that was edited since, only what was changed is taken back.
 */
export async function goBack(
  session: Session,
  { facts, wishes, texts }: PreparedChange,
  { command, ...options }: BackOptions,
): Promise<Result[]> {
  const files = [...new Set([...facts.values()].map(({ place }) => place.file))].filter((file) => file !== '')
  const folder = await surveyFolder(session, files)
  const locals = new Map(folder.objects.map((object) => [nameOf(object.identity), object]))
  const subjects = [...facts].map(([id, before]) => {
    const local = locals.get(id)
    const { identity, apiVersion, place } = before
    const now = local === undefined ? { identity, apiVersion, place, local: undefined } : subjectOf(local)
    return { ...now, wishesOf: () => inverseOf(before, wishes.get(id) ?? []) }
  })
  const prepared = await surveyChange(session, folder, subjects)
  const selection = new Map(prepared.plan.resources.map(({ id }) => [id, 'all'] as const))
  const originals = new Map(
    files.flatMap((file): [string, string][] => {
      const was = texts.get(file)
      const isUntouched =
        was !== undefined && folder.texts.get(file) === textAfter({ facts, wishes, texts }, file)
      return isUntouched ? [[file, was]] : []
    }),
  )
  const refused = prepared.plan.resources
    .filter(({ state }) => state === 'refused')
    .map(({ id, notes }): Result => ({ id, what: 'failed', reason: notes.join('; ') }))
  return [...refused, ...(await carryChange(session, { prepared, selection, command, originals }, options))]
}

/** What a change made of a file. */
function textAfter(
  { facts, wishes, texts }: Pick<PreparedChange, 'facts' | 'wishes' | 'texts'>,
  file: string,
) {
  const changes = [...facts].flatMap(([id, one]: [string, Facts]) => {
    const change = changeOutcome(one, wishes.get(id) ?? []).file
    return change === undefined || one.place.file !== file ? [] : [{ id, facts: one, change }]
  })
  return planFiles(changes, texts).planned[0]?.after
}
