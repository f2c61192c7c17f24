import { groupBy } from '../group.ts'
import { nameOf } from '../order/references.ts'
import type { Facts } from '../plan/make.ts'
import type { Session } from '../session.ts'
import { editYaml } from '../yaml/edit.ts'
import { withoutDocument } from '../yaml/remove.ts'
import type { Result } from './carry.ts'
import { fileWrite, type PlannedFile, putFiles } from './files.ts'

/**
 * Takes objects out of their files, if those are what was read: their documents, or items of Lists. A file that has nothing else is
 * removed. Each is recorded first.
 *
 * @param texts what was read, by path.
 */
export async function removeFromFiles(
  session: Session,
  objects: readonly Facts[],
  texts: ReadonlyMap<string, string>,
): Promise<Result[]> {
  const reasons = new Map<string, string>()
  const planned = [...groupBy(objects, ({ place }) => place.file)].map(([file, group]): PlannedFile => {
    const before = texts.get(file)
    const { text, refused } = cut(before, group)
    for (const [id, reason] of refused) reasons.set(id, reason)
    const made = group.filter((one) => !refused.has(nameOf(one.identity)))
    const textWithout = (ids: ReadonlySet<string>) =>
      cut(
        before,
        made.filter((one) => !ids.has(nameOf(one.identity))),
      ).text
    return {
      file,
      before,
      after: text,
      group: made.map(({ identity }) => ({ id: nameOf(identity) })),
      textWithout,
    }
  })
  const files = planned.filter(({ group }) => group.length > 0)
  const ids = await session.journal.begin(files.map((one) => fileWrite(session, one)))
  const ended = await putFiles(session, files)
  await session.journal.end(ended.map((reason, index) => ({ id: ids[index] ?? '', reason })))
  for (const [index, { group }] of files.entries())
    for (const { id } of group) reasons.set(id, ended[index] ?? '')
  const gone = objects.map(({ identity, place }) => ({
    name: nameOf(identity),
    file: `${session.root}/${place.file}`,
  }))
  await session.base.forget(gone.filter(({ name }) => reasons.get(name) === ''))
  return gone.map(({ name: id }) => {
    const reason = reasons.get(id) ?? ''
    return { id, what: reason === '' ? 'deleted' : 'failed', reason }
  })
}

/** A text without some of its objects, from the last, so that those before keep their places. */
function cut(text: string | undefined, objects: readonly Facts[]) {
  const refused = new Map<string, string>()
  let now = text
  for (const { identity, place } of objects.toSorted((a, b) => behind(b) - behind(a))) {
    const { document, at } = place.spot ?? { document: -1, at: [] }
    const edited =
      now === undefined || document < 0
        ? { refused: { reason: 'it is in no file' } }
        : at.length > 0
          ? editYaml(now, document, [{ op: 'remove', path: at }])
          : withoutDocument(now, document)
    if ('refused' in edited) refused.set(nameOf(identity), edited.refused.reason)
    else now = edited.text
  }
  return { text: now, refused }
}

function behind({ place: { spot } }: Facts): number {
  const item = spot?.at.at(-1)
  return (spot?.document ?? 0) * 1e6 + (typeof item === 'number' ? item : 0)
}
