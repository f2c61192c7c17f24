import { type Shape, unknownShape } from '../diff/shape.ts'
import { groupBy } from '../group.ts'
import { fetchObjects, width } from '../live/fetch.ts'
import { forEachOf } from '../live/pool.ts'
import { typeOf } from '../local.ts'
import { identityFrom, nameOf } from '../order/references.ts'
import type { Facts } from '../plan/make.ts'
import type { Session } from '../session.ts'
import { factsOf } from '../survey/facts.ts'
import type { Folder } from '../survey/folder.ts'
import { subjectOf } from '../survey/push.ts'
import type { JsonMap } from '../value.ts'
import { fileIn, type ToRevert } from './choose.ts'
import { findIn, invertText, type TextInverse } from './texts.ts'

/** What takes writes of a file back. */
export interface FileInverse extends TextInverse {
  /** The names of the objects that it is about. */
  readonly ids: ReadonlySet<string>
}

/** What is known of all objects that were written, by their names. */
export async function allFacts(
  session: Session,
  folder: Folder,
  writes: readonly ToRevert[],
): Promise<Map<string, Facts>> {
  const last = new Map(writes.toReversed().flatMap(({ entry, ids }) => ids.map((id) => [id, entry] as const)))
  const locals = new Map(folder.objects.map((one) => [nameOf(one.identity), one]))
  const subjects = await forEachOf([...last], width, async ([id, entry]) => {
    const local = locals.get(id)
    const object = local?.object ?? objectIn(entry.after, id) ?? objectIn(entry.before, id)
    const apiVersion = String(object?.apiVersion)
    const identity = identityFrom(id)
    const type = await typeOf(session.client, { apiVersion, kind: identity.kind })
    const place = { file: fileIn(session.root, entry) }
    return { id, type, ...(local ? subjectOf(local) : { identity, apiVersion, place, local: undefined }) }
  })
  const wanted = subjects.flatMap(({ type, identity }) => (type === undefined ? [] : [{ type, identity }]))
  const { objects } = await fetchObjects(session.client, wanted)
  const facts = await forEachOf(subjects, width, async ({ id, type: _, ...subject }) => {
    const one = await factsOf(session, { ...subject, live: objects.get(id) })
    return [id, { ...one, shape: await session.shapes(subject.apiVersion, subject.identity.kind) }] as const
  })
  return new Map(facts)
}

/** An object in what the journal has of a write. */
function objectIn(value: unknown, id: string): JsonMap | undefined {
  if (typeof value === 'string') return findIn(value, id)?.object
  return asMap(value)
}

/** An object, as the journal has it. */
export function asMap(value: unknown): JsonMap | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonMap) : undefined
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

interface Known {
  readonly folder: Folder
  readonly facts: ReadonlyMap<string, Facts>
  readonly writes: readonly ToRevert[]
}

/** What files would become, by their paths. */
export function inverseTexts({ root }: Session, { folder, facts, writes }: Known): Map<string, FileInverse> {
  const shapeOf = (id: string): Shape => facts.get(id)?.shape ?? unknownShape
  const inFiles = writes.filter(({ entry }) => entry.where === 'file' && !entry.isHidden)
  const steps = inFiles.flatMap(({ entry, ids }) => {
    const own = fileIn(root, entry)
    // What was moved to another file is there.
    const fileOf = (id: string) => {
      const place = facts.get(id)?.place
      return place?.spot === undefined || findIn(folder.texts.get(own), id) !== undefined ? own : place.file
    }
    return [...groupBy(ids, fileOf)].map(([file, some]) => ({
      ...{ file, before: asText(entry.before), after: asText(entry.after), ids: some },
      isWhole: some.length === entry.resources.length,
    }))
  })
  return new Map(
    [...groupBy(steps, ({ file }) => file)].map(([file, group]) => {
      const inverse = invertText(folder.texts.get(file), group, { file, shapeOf })
      return [file, { ...inverse, ids: new Set(group.flatMap(({ ids }) => ids)) }]
    }),
  )
}
