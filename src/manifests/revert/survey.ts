import { relative } from 'node:path'
import { describePath } from '../diff/compare.ts'
import { type Shape, unknownShape } from '../diff/shape.ts'
import type { Wish } from '../diff/take.ts'
import { groupBy } from '../group.ts'
import { fetchObjects, width } from '../live/fetch.ts'
import { forEachOf } from '../live/pool.ts'
import { typeOf } from '../local.ts'
import { identityFrom, nameOf } from '../order/references.ts'
import { valueAt } from '../path.ts'
import { bothWays, type ChangeWish, changeOutcome, nameOfWish, planChange } from '../plan/change.ts'
import { aboutOf, type Facts } from '../plan/make.ts'
import type { FieldDifference, ResourcePlan } from '../plan/plan.ts'
import type { Session } from '../session.ts'
import type { PreparedChange } from '../survey/change.ts'
import { factsOf } from '../survey/facts.ts'
import { type Folder, surveyFolder } from '../survey/folder.ts'
import { preview } from '../survey/preview.ts'
import { subjectOf } from '../survey/push.ts'
import { isMap, type JsonMap } from '../value.ts'
import type { Chosen, ToRevert } from './choose.ts'
import { changesOf, type Inverse, invert } from './invert.ts'
import { findIn, invertText, type TextInverse } from './texts.ts'

/** What would take writes back, and what it takes to do that. */
export interface PreparedRevert extends PreparedChange {
  readonly writes: readonly ToRevert[]
  /** What files would become, by their paths. */
  readonly files: ReadonlyMap<string, FileInverse>
}

export interface FileInverse extends TextInverse {
  /** The names of the objects that it is about. */
  readonly ids: ReadonlySet<string>
}

/** The wish for the text of a file in which no object changes. */
export const textStep = '(text)'

/** Compares what writes made with what is there now, and has the server say what it thinks of taking them back. */
export async function surveyRevert(session: Session, { writes, elsewhere }: Chosen): Promise<PreparedRevert> {
  const { cluster, root } = session
  const paths = writes.map(({ entry }) => relative(root, entry.file))
  const folder = await surveyFolder(session, ['.', ...new Set(paths)])
  const facts = await allFacts(session, folder, writes)
  const files = inverseTexts(session, { folder, facts, writes })
  const planned = await forEachOf([...facts], width, ([id, one]) =>
    planOne(session, { id, facts: one, folder, files, writes: writes.filter(({ ids }) => ids.includes(id)) }),
  )
  const leftOut =
    elsewhere === 0 ? [] : [{ reason: 'written to another cluster or folder', count: elsewhere }]
  const resources = planned.map(({ plan }) => plan)
  return {
    plan: { direction: 'change', cluster, root, resources, remarks: [], leftOut, problems: [] },
    facts,
    texts: folder.texts,
    wishes: new Map(planned.map(({ plan: { id }, wishes }) => [id, wishes])),
    writes,
    files,
  }
}

async function allFacts(
  session: Session,
  folder: Folder,
  writes: readonly ToRevert[],
): Promise<Map<string, Facts>> {
  const last = new Map(writes.toReversed().flatMap(({ entry, ids }) => ids.map((id) => [id, entry] as const)))
  const subjects = await forEachOf([...last], width, async ([id, entry]) => {
    const local = folder.objects.find(({ identity }) => nameOf(identity) === id)
    const object = local?.object ?? objectIn(entry.after, id) ?? objectIn(entry.before, id)
    const apiVersion = String(object?.apiVersion)
    const identity = identityFrom(id)
    const type = await typeOf(session.client, { apiVersion, kind: identity.kind })
    const place = { file: relative(session.root, entry.file) }
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

function asMap(value: unknown): JsonMap | undefined {
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

function inverseTexts({ root }: Session, { folder, facts, writes }: Known): Map<string, FileInverse> {
  const shapeOf = (id: string): Shape => facts.get(id)?.shape ?? unknownShape
  const inFiles = writes.filter(({ entry }) => entry.where === 'file' && !entry.isHidden)
  const steps = inFiles.flatMap(({ entry, ids }) => {
    const own = relative(root, entry.file)
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

interface One extends Pick<Known, 'folder' | 'writes'> {
  readonly id: string
  readonly facts: Facts
  readonly files: ReadonlyMap<string, FileInverse>
}

interface Planned {
  readonly plan: ResourcePlan
  readonly wishes: readonly ChangeWish[]
}

async function planOne(session: Session, one: One): Promise<Planned> {
  const { id, facts, folder, files, writes } = one
  if (writes.some(({ entry }) => entry.isHidden)) return { plan: refused(facts, [closedWords]), wishes: [] }
  const there = inverseOf(one)
  const here = [...files].flatMap(([file, inverse]) =>
    inverse.ids.has(id) ? [fileWishes(id, { now: folder.texts.get(file), inverse, shape: facts.shape })] : [],
  )
  const clear = bothWays(
    here.flatMap((file) => file.clear),
    there === undefined ? [] : changesOf(facts.live?.clean, there.target, facts.shape),
  )
  const open = [
    ...here.flatMap((file) => file.open.map((wish): ChangeWish => ({ ...wish, side: 'file' }))),
    ...(there?.disputed ?? []).map((wish): ChangeWish => ({ ...wish, side: 'cluster' })),
  ]
  const problems = here.flatMap(({ problem }) => problem ?? [])
  if (clear.length + open.length === 0) {
    const notes = [...problems, 'there is nothing to take back: it is what it was']
    return {
      plan:
        problems.length > 0
          ? refused(facts, notes)
          : { ...aboutOf(facts), state: 'same', differences: [], notes },
      wishes: [],
    }
  }
  const disputed = new Set(open.map(nameOfWish))
  const differences = [...clear, ...open]
    .flatMap((wish) => differencesOf(one, wish))
    .map((difference) =>
      disputed.has(difference.id) ? { ...difference, whose: 'both' as const } : difference,
    )
  const plan: ResourcePlan = {
    ...{ ...aboutOf(facts), differences, state: disputed.size > 0 ? 'conflict' : 'changed' },
    notes: [...problems, ...aboutSides(one), ...(there?.isMoved === true ? [movedWords(facts, writes)] : [])],
  }
  return { plan: await previewed(session, { facts, plan, clear }), wishes: [...clear, ...open] }
}

const closedWords =
  'it cannot be taken back: the history does not have the values of this Secret, or not the key to them'

function refused(facts: Facts, notes: readonly string[]): ResourcePlan {
  return { ...aboutOf(facts), state: 'refused', differences: [], notes }
}

/** Of the object in the cluster; undefined where none of the writes was there. */
function inverseOf({ facts, writes }: One): Inverse | undefined {
  const entries = writes.map(({ entry }) => entry).filter(({ where }) => where === 'cluster')
  const [last] = entries
  if (last === undefined) return undefined
  const now = facts.live?.clean
  const steps = entries.map(({ before, after, isExact }) => ({
    before: asMap(before),
    after: asMap(after),
    isExact,
  }))
  const inverse = invert(now, steps, facts.shape)
  const isOther =
    last.uid !== '' && now !== undefined && last.uid !== valueAt(facts.live?.object, ['metadata', 'uid'])
  if (!isOther || inverse.target !== undefined) return inverse
  // Somebody made one of the same name since: that is not what was written.
  return { target: now, disputed: [{ path: [], value: undefined, like: undefined }], isMoved: true }
}

function fileWishes(
  id: string,
  { now, inverse, shape }: { now: string | undefined; inverse: TextInverse; shape: Shape },
): { clear: readonly Wish[]; open: readonly Wish[]; problem: string | undefined } {
  const [from, to] = [now, inverse.text].map((text) => findIn(text, id)?.object)
  const changes = changesOf(from, to, shape)
  const isText =
    changes.length === 0 && now !== inverse.text && now !== undefined && inverse.text !== undefined
  const text: Wish = { path: [textStep], value: inverse.text, like: undefined }
  const open = inverse.disputed.get(id) ?? []
  return { clear: isText && open.length === 0 ? [text] : changes, open, problem: inverse.refused.get(id) }
}

function differencesOf({ id, facts, folder, files }: One, wish: ChangeWish): readonly FieldDifference[] {
  const { path, value, side } = wish
  const isSecret = facts.identity.kind === 'Secret'
  if (path.length > 0 && path[0] !== textStep) return planChange(facts, [wish]).differences
  const [file = ''] = [...files.keys()].filter((name) => findIn(folder.texts.get(name), id) !== undefined)
  const text = folder.texts.get(file)
  const here = path.length > 0 ? text : findIn(text, id)?.object
  const now = side === 'cluster' ? facts.live?.clean : here
  return [
    {
      ...{ id: nameOfWish(wish), path, base: undefined, whose: 'yours', isHeld: false, isSecret },
      ...{ local: side === 'cluster' ? value : now, remote: side === 'file' ? value : now },
      wanted: { value, side },
    },
  ]
}

async function previewed(
  session: Session,
  { facts, plan, clear }: { facts: Facts; plan: ResourcePlan; clear: readonly ChangeWish[] },
): Promise<ResourcePlan> {
  const there = clear.filter(({ side }) => side !== 'file')
  const whole = there.find(({ path }) => path.length === 0)
  const apply = whole === undefined ? changeOutcome(facts, there).apply : creating(whole)
  return apply === undefined ? plan : preview(session, { facts, plan, apply, objects: [] })
}

/** What makes an object that is not there; undefined if it is to go. */
export function creating({ value }: ChangeWish) {
  return isMap(value) ? { object: value, force: false, handOver: [] } : undefined
}

/** Says of what only one side was written of that the other stays. */
function aboutSides({ facts, writes }: One): string[] {
  const places = new Set(writes.map(({ entry }) => entry.where))
  if (places.size > 1) return []
  if (places.has('file'))
    return facts.live === undefined ? [] : ['the cluster stays as it is: only the file was written']
  return facts.local === undefined ? [] : ['the file stays as it is: only the cluster was written']
}

/** As many fields are named in a note. */
const few = 3

function movedWords({ live, shape }: Facts, writes: readonly ToRevert[]): string {
  const last = writes.find(({ entry }) => entry.where === 'cluster')?.entry
  if (live === undefined) return 'it is not in the cluster any more'
  const left = last?.isExact === true ? asMap(last.after) : undefined
  const names = changesOf(left, live.clean, shape).map(({ path }) => describePath(path))
  if (left === undefined) return 'it was changed in the cluster since'
  const more = names.length > few ? ` and ${names.length - few} more` : ''
  return `it was changed in the cluster since: ${names.slice(0, few).join(', ')}${more}`
}
