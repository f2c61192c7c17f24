import { rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { messageOf } from '../../errors.ts'
import { putFile } from '../folder/put.ts'
import { nameOf } from '../order/references.ts'
import type { Facts } from '../plan/make.ts'
import type { Session } from '../session.ts'
import { editYaml } from '../yaml/edit.ts'
import { withoutDocument } from '../yaml/remove.ts'
import type { Result } from './carry.ts'
import { textAt } from './files.ts'

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
  const now = new Map(texts)
  const results: Result[] = []
  // From the last, so that those before keep their places.
  for (const one of objects.toSorted((a, b) => behind(b) - behind(a))) {
    const id = nameOf(one.identity)
    const reason = await removeOne(session, one, now)
    results.push({ id, what: reason === '' ? 'deleted' : 'failed', reason })
  }
  return results
}

function behind({ place: { spot } }: Facts): number {
  const item = spot?.at.at(-1)
  return (spot?.document ?? 0) * 1e6 + (typeof item === 'number' ? item : 0)
}

async function removeOne(
  session: Session,
  { identity, place, local }: Facts,
  texts: Map<string, string>,
): Promise<string> {
  const { file, spot } = place
  const path = resolve(session.root, file)
  const before = texts.get(file)
  if (before === undefined || spot === undefined || local === undefined) return 'it is in no file'
  const edited =
    spot.at.length > 0
      ? editYaml(before, spot.document, [{ op: 'remove', path: spot.at }])
      : withoutDocument(before, spot.document)
  if ('refused' in edited) return edited.refused.reason
  const { context, server } = session.cluster
  const about = { where: 'file', context, server, file: path, resources: [nameOf(identity)] } as const
  const [id = ''] = await session.journal.begin([{ ...about, before, after: edited.text ?? null }])
  const reason = await replace(path, before, edited.text)
  await session.journal.end([{ id, reason }])
  if (reason !== '') return reason
  texts.set(file, edited.text ?? '')
  session.written.set(file, edited.text)
  await session.base.forget([{ name: nameOf(identity), file: path }])
  return ''
}

async function replace(path: string, before: string, after: string | undefined): Promise<string> {
  try {
    if (textAt(path) !== before) return 'the file was changed meanwhile'
    if (after === undefined) rmSync(path)
    else await putFile(path, after, { isDurable: true })
    return ''
  } catch (error) {
    return `it cannot be written: ${messageOf(error)}`
  }
}
