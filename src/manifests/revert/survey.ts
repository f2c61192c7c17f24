import type { Shape } from '../diff/shape.ts'
import type { Wish } from '../diff/take.ts'
import { width } from '../live/fetch.ts'
import { forEachOf } from '../live/pool.ts'
import { textsAs } from '../live/view.ts'
import { nameOf } from '../order/references.ts'
import { valueAt } from '../path.ts'
import { bothWays, type ChangeWish, changeOutcome, nameOfWish, planChange } from '../plan/change.ts'
import { aboutOf, type Facts } from '../plan/make.ts'
import type { FieldDifference, ResourcePlan } from '../plan/plan.ts'
import type { Session } from '../session.ts'
import type { PreparedChange } from '../survey/change.ts'
import { type Folder, surveyFolder } from '../survey/folder.ts'
import { preview } from '../survey/preview.ts'
import { isMap } from '../value.ts'
import { type Chosen, fileIn, type ToRevert } from './choose.ts'
import { backTo, type Inverse, invert } from './invert.ts'
import { allFacts, asMap, type FileInverse, inverseTexts } from './states.ts'
import { findIn } from './texts.ts'
import { aboutSides, closedWords, movedWords, onlyClusterWords, sameWords } from './words.ts'

/** What would take writes back, and what it takes to do that. */
export interface PreparedRevert extends PreparedChange {
  readonly writes: readonly ToRevert[]
  /** What files would become, by their paths. */
  readonly files: ReadonlyMap<string, FileInverse>
}

/** The wish for the text of a file in which no object changes. */
export const textStep = '(text)'

/** Compares what writes made with what is there now, and has the server say what it thinks of taking them back. */
export async function surveyRevert(
  session: Session,
  { writes: given, elsewhere }: Chosen,
): Promise<PreparedRevert> {
  const { cluster, root } = session
  const paths = given.map(({ entry }) => fileIn(root, entry))
  const folder = await surveyFolder(session, ['.', ...new Set(paths)])
  // What was written without any cluster is called as the file has it: without the namespace of a context.
  const names = new Map(folder.objects.map((one) => [nameOf(one.manifest.identity), nameOf(one.identity)]))
  const writes = given.map(({ entry, ids }) => ({ entry, ids: ids.map((id) => names.get(id) ?? id) }))
  const facts = await allFacts(session, folder, writes)
  const files = inverseTexts(session, { folder, facts, writes })
  const planned = await forEachOf([...facts], width, ([id, one]) =>
    planOne(session, {
      ...{ id, facts: one, folder, files, all: [...facts.values()] },
      writes: writes.filter(({ ids }) => ids.includes(id)),
    }),
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

interface One {
  readonly folder: Folder
  /** Of this object, the last one first. */
  readonly writes: readonly ToRevert[]
  readonly id: string
  readonly facts: Facts
  readonly files: ReadonlyMap<string, FileInverse>
  /** All objects that are taken back together. */
  readonly all: readonly Facts[]
}

interface Planned {
  readonly plan: ResourcePlan
  readonly wishes: readonly ChangeWish[]
}

async function planOne(session: Session, one: One): Promise<Planned> {
  const { facts, writes } = one
  if (writes.some(({ entry }) => entry.isHidden)) {
    return {
      plan: { ...aboutOf(facts), state: 'refused', differences: [], notes: [closedWords] },
      wishes: [],
    }
  }
  const { clear, open, problems, isMoved } = wishesOf(one)
  // File and cluster are taken back in one step, or neither is.
  if (problems.length > 0) {
    const notes = one.writes.some(({ entry }) => entry.where === 'cluster')
      ? [...problems, onlyClusterWords]
      : problems
    return { plan: { ...aboutOf(facts), state: 'refused', differences: [], notes }, wishes: [] }
  }
  const wishes = [...clear, ...open]
  const disputed = new Set(open.map(nameOfWish))
  const differences = wishes
    .flatMap((wish) => differencesOf(one, wish))
    .map((found) => (disputed.has(found.id) ? { ...found, whose: 'both' as const } : found))
  const notes = isMoved ? [...aboutSides(one), movedWords(one)] : aboutSides(one)
  if (wishes.length === 0)
    return { plan: { ...aboutOf(facts), state: 'same', differences, notes: [sameWords] }, wishes }
  const state = open.length > 0 ? 'conflict' : 'changed'
  const plan = await previewed(session, { ...aboutOf(facts), state, differences, notes }, { ...one, clear })
  return { plan, wishes }
}

/** What goes back on each side, and what others changed since. */
function wishesOf(one: One) {
  const { id, facts, folder, files } = one
  const there = inverseOf(one)
  const here = [...files].flatMap(([file, inverse]) =>
    inverse.ids.has(id) ? [fileWishes(id, { now: folder.texts.get(file), inverse, shape: facts.shape })] : [],
  )
  const inCluster = there === undefined ? [] : backTo(facts.live?.clean, there.target, facts.shape)
  const inFiles = (which: 'clear' | 'open') => here.flatMap((file) => file[which])
  const on = (side: 'file' | 'cluster', wishes: readonly Wish[]) =>
    wishes.map((wish): ChangeWish => ({ ...wish, side }))
  return {
    clear: bothWays(inFiles('clear'), inCluster),
    open: [...on('file', inFiles('open')), ...on('cluster', there?.disputed ?? [])],
    problems: here.flatMap(({ problem }) => problem ?? []),
    isMoved: there?.isMoved === true,
  }
}

/** Of the object in the cluster; undefined where none of the writes was there. */
function inverseOf({ facts, writes }: One): Inverse | undefined {
  const entries = writes.map(({ entry }) => entry).filter(({ where }) => where === 'cluster')
  const [last] = entries
  if (last === undefined) return undefined
  const now = facts.live?.clean
  // What is text in the file now may have been encoded when it was written, and the other way round.
  const inTerms = (state: unknown) => {
    const object = asMap(state)
    return object && textsAs(object, facts.local ?? facts.agreed?.file)
  }
  const steps = entries.map(({ before, after, isExact }) => ({
    before: inTerms(before),
    after: inTerms(after),
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
  { now, inverse, shape }: { now: string | undefined; inverse: FileInverse; shape: Shape },
): { clear: readonly Wish[]; open: readonly Wish[]; problem: string | undefined } {
  const [from, to] = [now, inverse.text].map((text) => findIn(text, id)?.object)
  const changes = backTo(from, to, shape)
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
  const [file = ''] = [...files].flatMap(([name, { ids }]) => (ids.has(id) ? [name] : []))
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
  plan: ResourcePlan,
  { facts, all, clear }: Pick<One, 'facts' | 'all'> & { readonly clear: readonly ChangeWish[] },
): Promise<ResourcePlan> {
  const there = clear.filter(({ side }) => side !== 'file')
  const whole = there.find(({ path }) => path.length === 0)
  const apply = whole === undefined ? changeOutcome(facts, there).apply : creating(whole)
  return apply === undefined ? plan : preview(session, { facts, plan, apply, objects: all })
}

/** What makes an object that is not there; undefined if it is to go. */
export function creating({ value }: ChangeWish) {
  return isMap(value) ? { object: value, force: false, handOver: [] } : undefined
}
