import { existsSync, readFileSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { errnoOf, messageOf } from '../../errors.ts'
import { putFile } from '../folder/put.ts'
import { appended, renderManifest, sortManifest } from '../folder/render.ts'
import { batches, groupBy } from '../group.ts'
import type { Write } from '../journal/journal.ts'
import { forEachOf } from '../live/pool.ts'
import type { Facts } from '../plan/make.ts'
import type { Outcome } from '../plan/outcome.ts'
import type { Session } from '../session.ts'
import type { Operation } from '../value.ts'
import { editYaml } from '../yaml/edit.ts'

/** What is to be done to the file of an object. */
export interface FileChange {
  readonly id: string
  readonly facts: Pick<Facts, 'place' | 'local' | 'live'>
  /** Or to put the fields of its document in order. */
  readonly change: NonNullable<Outcome['file']> | 'sort'
}

/** What it takes to write files. */
export type FileSession = Pick<Session, 'root' | 'cluster' | 'journal' | 'written'>

interface Rewritten {
  readonly text: string
  /** Why objects were left as they were, by their ids. */
  readonly refused: ReadonlyMap<string, string>
}

/** Files written at once. */
const width = 16
/** Files whose texts are held in memory together. */
const batch = 500

/**
 * Edits and writes files; the reasons, by the ids of objects, why something was not written. A file that is not what was read any more
 * is left alone.
 */
export async function writeFiles(
  session: FileSession,
  changes: readonly FileChange[],
  { texts, onProgress }: { texts: ReadonlyMap<string, string>; onProgress?: (words: string) => void },
): Promise<Map<string, string>> {
  const failed = new Map<string, string>()
  const all = [...groupBy(changes, ({ facts }) => facts.place.file).values()]
  let done = 0
  for (const files of batches(all, batch)) {
    if (all.length > batch) onProgress?.(`${done} of ${all.length} files`)
    done += files.length
    const { planned, refused } = planFiles(files.flat(), texts)
    for (const [id, reason] of refused) failed.set(id, reason)
    const ids = await session.journal.begin(planned.map((one) => fileWrite(session, one)))
    const reasons = await putFiles(session, planned)
    await session.journal.end(reasons.map((reason, index) => ({ id: ids[index] ?? '', reason })))
    for (const [index, { group }] of planned.entries()) {
      const reason = reasons[index] ?? ''
      if (reason !== '') for (const { id } of group) failed.set(id, reason)
    }
  }
  return failed
}

/** What files are to become, and why objects are left as they are, by their ids. */
export function planFiles(changes: readonly FileChange[], texts: ReadonlyMap<string, string>) {
  const refused = new Map<string, string>()
  const files = groupBy(changes, ({ facts }) => facts.place.file)
  const planned = [...files].map(([file, group]): PlannedFile => {
    const rewritten = rewrite(texts.get(file), group, file)
    for (const [id, reason] of rewritten.refused) refused.set(id, reason)
    const made = group.filter(({ id }) => !refused.has(id))
    const textWithout = (ids: ReadonlySet<string>) => {
      const rest = made.filter(({ id }) => !ids.has(id))
      return rest.length === 0 ? texts.get(file) : rewrite(texts.get(file), rest, file).text
    }
    return { file, before: texts.get(file), after: rewritten.text, group: made, textWithout }
  })
  return { planned: planned.filter(({ group }) => group.length > 0), refused }
}

/** Writes files that still are what was read; for each why it was not, or an empty text. */
export function putFiles(
  { root, written }: Pick<Session, 'root' | 'written'>,
  files: readonly PlannedFile[],
): Promise<string[]> {
  return forEachOf(files, width, async (one) => {
    const reason = await write(resolve(root, one.file), one)
    if (reason === '') written.set(one.file, one.after)
    return reason
  })
}

/** The text of a file with all changes that can be made in it. */
function rewrite(text: string | undefined, changes: readonly FileChange[], file: string): Rewritten {
  const refused = new Map<string, string>()
  let now = text ?? ''
  for (const { id, facts, change } of changes) {
    if (change === 'sort') {
      const sorted = sortManifest(now, { file, document: facts.place.spot?.document ?? 0 })
      if ('text' in sorted) now = sorted.text
      else refused.set(id, sorted.refused.reason)
    } else if ('create' in change) {
      if (now !== '' && file.endsWith('.json')) refused.set(id, `${file} is there already`)
      else now = appended(now, renderManifest(change.create, file))
    } else {
      const { spot } = facts.place
      const edited = editYaml(now, spot?.document ?? 0, below(spot?.at ?? [], change.operations))
      if ('text' in edited) now = edited.text
      else refused.set(id, edited.refused.reason)
    }
  }
  return { text: now, refused }
}

function below(at: readonly (string | number)[], operations: readonly Operation[]): Operation[] {
  return operations.map((operation) => ({ ...operation, path: [...at, ...operation.path] }))
}

/** A file and the text that it is to have; without one it is not there. `before` is what was read. */
export interface PlannedFile {
  readonly file: string
  readonly before: string | undefined
  readonly after: string | undefined
  /** The objects that it is about. */
  readonly group: readonly { readonly id: string }[]
  /** The text without what is done for some of them, by their ids. */
  textWithout(ids: ReadonlySet<string>): string | undefined
}

async function write(path: string, { before, after }: PlannedFile): Promise<string> {
  try {
    if (textAt(path) !== before) return 'the file was changed meanwhile'
    if (after === undefined) rmSync(path)
    // What the user wrote is on the disk, before or after, whatever happens; a new file can be pulled again.
    else await putFile(path, after, { isDurable: before !== undefined })
    return ''
  } catch (error) {
    return errnoOf(error) === undefined ? messageOf(error) : `it cannot be written: ${messageOf(error)}`
  }
}

function textAt(path: string): string | undefined {
  // An error takes longer to make than to look first, which counts for thousands of new files.
  if (!existsSync(path)) return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** As the journal has it. */
export function fileWrite(
  { cluster, root }: Pick<Session, 'cluster' | 'root'>,
  { file, before, after, group }: PlannedFile,
): Write {
  const { context, server } = cluster
  return {
    where: 'file',
    ...{ context, server, file: resolve(root, file), resources: group.map(({ id }) => id) },
    before: before ?? null,
    after: after ?? null,
  }
}
