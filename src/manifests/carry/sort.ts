import { sortManifest } from '../folder/render.ts'
import { groupBy } from '../group.ts'
import { nameOf } from '../order/references.ts'
import type { Session } from '../session.ts'
import type { Folder } from '../survey/folder.ts'
import { subjectOf } from '../survey/push.ts'
import type { Result } from './carry.ts'
import { type FileChange, writeFiles } from './files.ts'

/** A document of somebody's whose fields are not in kubectl's order. */
export interface Unsorted {
  readonly change: FileChange
  /** Why it cannot be sorted without changing more; undefined where it can. */
  readonly refusal: string | undefined
}

/** Those of a folder's documents, of these objects, that are in another order. One of each document, whatever it holds. */
export function findUnsorted({ objects, texts }: Folder, ids: ReadonlySet<string>): Unsorted[] {
  const meant = objects.filter(({ identity }) => ids.has(nameOf(identity)))
  const documents = groupBy(meant, ({ manifest: { file, document } }) => JSON.stringify([file, document]))
  return [...documents.values()].flatMap(([first]) => {
    const text = texts.get(first?.manifest.file ?? '')
    if (first === undefined || text === undefined) return []
    const sorted = sortManifest(text, first.manifest)
    if ('text' in sorted && sorted.text === text) return []
    const { place, local } = subjectOf(first)
    const facts = { place, local, live: undefined }
    const refusal = 'refused' in sorted ? sorted.refused.reason : undefined
    return [{ change: { id: nameOf(first.identity), facts, change: 'sort' }, refusal }]
  })
}

/** Puts them in order. */
export async function sortFiles(
  session: Session,
  unsorted: readonly Unsorted[],
  texts: Folder['texts'],
): Promise<Result[]> {
  const changes = unsorted.map(({ change }) => change)
  const failed = await writeFiles(session, changes, { texts })
  return changes.map(({ id }) => {
    const reason = failed.get(id) ?? ''
    return { id, what: reason === '' ? 'sorted' : 'failed', reason }
  })
}
