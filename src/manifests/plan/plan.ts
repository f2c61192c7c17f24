import type { FieldPath } from '../diff/compare.ts'
import type { Remark } from '../folder/documents.ts'
import type { Identity } from '../order/references.ts'
import type { Json, Path } from '../value.ts'

/**
 * Whose a difference is. `yours` changed in the file since both sides agreed, `theirs` in the cluster, `both` on
 * both sides to different values: a conflict. `differs`: they never agreed, so nobody can say who changed it.
 * `default` and `webhook` are what the server would add to what is pushed; they are told, and there is nothing to choose.
 */
export type Whose = 'yours' | 'theirs' | 'both' | 'differs' | 'default' | 'webhook'

/** A field in which file and cluster differ, in the terms of the file: what the server only defaulted is no difference. */
export interface FieldDifference {
  /** Names it within its resource; the same for the same field when a plan is made again. */
  readonly id: string
  readonly path: FieldPath
  /** Undefined where that state does not have the field. */
  readonly base: Json | undefined
  readonly local: Json | undefined
  readonly remote: Json | undefined
  readonly whose: Whose
  /** The field manager that owns the cluster's value, if it is not kubesync. */
  readonly manager?: string | undefined
  /** Whether pushing takes the field away from `manager`: that is never done unless it is chosen. */
  readonly isHeld: boolean
  /** Whether the values must not be shown. */
  readonly isSecret: boolean
  /** Of a change: what both sides, or that one, are to have there; without a value, they are not to have the field. */
  readonly wanted?:
    | { readonly value: Json | undefined; readonly side?: 'file' | 'cluster' | undefined }
    | undefined
  /** Of a promotion: whether it is preselected, and why. */
  readonly advice?: { readonly takes: boolean; readonly reason: string }
}

/** Where an object is written down, or would be. */
export interface Place {
  /** Relative to the root, `/` between names. */
  readonly file: string
  /** Which document of the file and where in it; absent where the file, or the document in it, is still to be made. */
  readonly spot?: { readonly document: number; readonly at: Path }
}

/**
 * `same`: nothing to do. `changed`: at least one field differs. `conflict`: at least one was changed on both sides.
 * `only-local` and `only-remote`: the other side has no such object. `refused`: nothing can be done with it; notes say why.
 */
export type ResourceState = 'same' | 'changed' | 'conflict' | 'only-local' | 'only-remote' | 'refused'

/** How an object stands in file and cluster. Shown, chosen from and carried out as it is. */
export interface ResourcePlan {
  /** `Deployment.apps shop/web`: names it within the plan. */
  readonly id: string
  readonly ref: Identity & { readonly apiVersion: string }
  readonly place: Place
  readonly state: ResourceState
  /** Of `only-local` and `only-remote`, one difference with an empty path: the whole object. */
  readonly differences: readonly FieldDifference[]
  /** Sentences for the reader: why it was refused, what could not be checked. */
  readonly notes: readonly string[]
  /** Set where the cluster cannot change the object: it would have to be deleted and made again. */
  readonly replace?: { readonly holdsData: boolean; readonly reason: string } | undefined
  /** The version that the plan was made on, and that an approval holds for. */
  readonly resourceVersion?: string | undefined
}

/** Where a plan is about. */
export interface ClusterName {
  readonly context: string
  readonly server: string
  readonly namespace: string
}

/** `pull` writes files, `push` writes the cluster, and `change` writes both what neither has yet. */
export type Direction = 'pull' | 'push' | 'change'

/** Something that was not looked at, and why; counted. */
export interface LeftOut {
  readonly reason: string
  readonly count: number
}

/** A kind or a namespace that could not be read; the others went on. */
export interface PlanProblem {
  readonly what: string
  readonly reason: string
  /** Whether all was done nonetheless, in another way. */
  readonly isMinor?: true
}

/** What a command found out and would do. Data to data: it is shown, and with a selection it is carried out. */
export interface Plan {
  readonly direction: Direction
  readonly cluster: ClusterName
  /** Absolute path of the folder. */
  readonly root: string
  readonly resources: readonly ResourcePlan[]
  /** What was wrong in files, or passed over there. */
  readonly remarks: readonly Remark[]
  readonly leftOut: readonly LeftOut[]
  readonly problems: readonly PlanProblem[]
  /** Of a promotion: what the two places are called, the source first. */
  readonly between?: readonly [string, string]
}

/** What to do with a difference: carry it the plan's way, leave both sides as they are, or carry it the other way round. */
export type Choice = 'take' | 'leave' | 'reverse'

/** Of a resource: what `proposed` says for each difference, nothing, or a choice for each difference by its id. */
export type ResourceChoice = 'all' | 'none' | ReadonlyMap<string, Choice>

/** By the resource's id; what is not in it is left alone. */
export type Selection = ReadonlyMap<string, ResourceChoice>

/**
 * What happens to a difference when somebody says "all": what the direction is for. A pull does not undo an edit here,
 * a push does not undo a change there, and neither settles a conflict, takes a field from another manager, or takes
 * something away that nobody is known to have removed.
 */
export function proposed(direction: Direction, difference: FieldDifference): Choice {
  const { whose, isHeld, local, remote, advice } = difference
  if (advice !== undefined) return advice.takes ? 'take' : 'leave'
  if (direction === 'change') return whose === 'yours' ? 'take' : 'leave'
  const wins = direction === 'pull' ? remote : local
  if (whose === 'differs') return wins === undefined || (direction === 'push' && isHeld) ? 'leave' : 'take'
  if (direction === 'pull') return whose === 'theirs' ? 'take' : 'leave'
  return whose === 'yours' && !isHeld ? 'take' : 'leave'
}

/** Where a difference stands: in a plan of that direction, in the resource of that id. */
export interface Standing {
  readonly direction: Direction
  readonly resource: string
  readonly difference: FieldDifference
}

/** What was chosen for a difference. */
export function choiceOf(selection: Selection, { direction, resource, difference }: Standing): Choice {
  const chosen = selection.get(resource) ?? 'none'
  if (chosen === 'none') return 'leave'
  return chosen === 'all' ? proposed(direction, difference) : (chosen.get(difference.id) ?? 'leave')
}
