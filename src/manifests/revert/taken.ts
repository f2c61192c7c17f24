import type { PlannedFile } from '../carry/files.ts'
import { unknownShape } from '../diff/shape.ts'
import { type ChangeWish, changeOutcome, nameOfWish, wishesFor } from '../plan/change.ts'
import type { Facts } from '../plan/make.ts'
import { choiceOf, type ResourcePlan, type Selection } from '../plan/plan.ts'
import type { FileInverse } from './states.ts'
import { type PreparedRevert, textStep } from './survey.ts'
import { editObject, sourceIn } from './texts.ts'

/** What is to be carried out of taking writes back. */
export interface Reverting {
  readonly prepared: PreparedRevert
  readonly selection: Selection
  /** The words of the command line. */
  readonly command: string
  /** The names of objects that may be deleted. */
  readonly deletable: ReadonlySet<string>
}

/** What was chosen of an object. */
export interface Taken {
  readonly id: string
  readonly facts: Facts
  readonly wishes: readonly ChangeWish[]
  /** Whether it is deleted in the cluster. */
  readonly isGoing: boolean
}

/** The objects that would be deleted in the cluster. */
export function deletionsIn(chosen: Pick<Reverting, 'prepared' | 'selection'>): ResourcePlan[] {
  return chosen.prepared.plan.resources.filter((one) => wishesIn(chosen, one).some(isDeletion))
}

/** What was chosen, without deletions that may not be. */
export function takenOf(reverting: Reverting): Taken[] {
  const { prepared, deletable } = reverting
  return prepared.plan.resources.flatMap((resource): Taken[] => {
    const { id } = resource
    const facts = prepared.facts.get(id)
    const wishes = wishesIn(reverting, resource).filter((wish) => !isDeletion(wish) || deletable.has(id))
    if (facts === undefined || wishes.length === 0) return []
    return [{ id, facts, wishes, isGoing: wishes.some(isDeletion) }]
  })
}

function wishesIn(
  { prepared, selection }: Pick<Reverting, 'prepared' | 'selection'>,
  { id, differences, state }: ResourcePlan,
): ChangeWish[] {
  const chosen = differences.filter(
    (difference) => choiceOf(selection, { direction: 'change', resource: id, difference }) === 'take',
  )
  const names = new Set(state === 'refused' ? [] : chosen.map((difference) => difference.id))
  return wishesFor(prepared.wishes.get(id) ?? [], names)
}

function isDeletion(wish: ChangeWish): boolean {
  return isWhole(wish) && wish.side !== 'file' && wish.value === undefined
}

/** Whether a wish is for all of an object. */
export function isWhole({ path }: ChangeWish): boolean {
  return path.length === 0
}

/** What of a change is about fields. */
export function inFields(facts: Facts, wishes: readonly ChangeWish[]) {
  return changeOutcome(
    facts,
    wishes.filter((wish) => !isWhole(wish) && wish.path[0] !== textStep),
  )
}

/** Files as they are to be: whole again where all was chosen, else edited. */
export function plannedFiles(prepared: PreparedRevert, taken: readonly Taken[]): PlannedFile[] {
  return [...prepared.files].flatMap(([file, inverse]): PlannedFile[] => {
    const before = prepared.texts.get(file)
    const own = taken.filter(
      ({ id, wishes }) => inverse.ids.has(id) && wishes.some(({ side }) => side !== 'cluster'),
    )
    const textWithout = (ids: ReadonlySet<string>) =>
      textOf(prepared, { file, inverse, own: own.filter(({ id }) => !ids.has(id)) })
    const after = textWithout(new Set())
    if (after === before) return []
    return [{ file, before, after, group: own, textWithout }]
  })
}

function textOf(
  { wishes, texts }: PreparedRevert,
  { file, inverse, own }: { file: string; inverse: FileInverse; own: readonly Taken[] },
): string | undefined {
  const inFile = (some: readonly ChangeWish[]) => some.filter(({ side }) => side !== 'cluster')
  const isAll = [...inverse.ids].every((id) => {
    const chosen = new Set(inFile(own.find((one) => one.id === id)?.wishes ?? []).map(nameOfWish))
    const open = new Set(
      (inverse.disputed.get(id) ?? []).map((wish) => nameOfWish({ ...wish, side: 'file' })),
    )
    return inFile(wishes.get(id) ?? []).every(
      (wish) => chosen.has(nameOfWish(wish)) !== open.has(nameOfWish(wish)),
    )
  })
  if (isAll) return inverse.text
  const context = {
    file,
    shapeOf: (id: string) => own.find((one) => one.id === id)?.facts.shape ?? unknownShape,
  }
  return own.reduce<string | undefined>((text, { id, wishes: some }) => {
    const fields = inFile(some).filter(({ path }) => path[0] !== textStep)
    const edited = editObject(text, { id, wishes: fields, source: sourceIn(inverse.text, id) }, context)
    return 'refused' in edited ? text : edited.text
  }, texts.get(file))
}
