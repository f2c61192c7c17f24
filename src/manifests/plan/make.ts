import { compare, type Difference, describePath } from '../diff/compare.ts'
import { type Shape, shapeAt } from '../diff/shape.ts'
import { type Agreed, followed } from '../diff/states.ts'
import { type Identity, nameOf } from '../order/references.ts'
import { equal, type JsonMap } from '../value.ts'
import { fieldManager, fieldsOf, isForeign, ownersOf } from './owners.ts'
import type { FieldDifference, Place, ResourcePlan, ResourceState, Whose } from './plan.ts'

/** An object in the cluster. */
export interface Live {
  /** As the server has it. */
  readonly object: JsonMap
  /** The same without what does not belong into a file. */
  readonly clean: JsonMap
}

/** What is known of an object. */
export interface Facts {
  readonly identity: Identity
  readonly apiVersion: string
  readonly place: Place
  /** Undefined where both never agreed. */
  readonly agreed: Agreed | undefined
  /** Whether kubesync wrote it to the cluster, out of this file. */
  readonly wasPushed: boolean
  /** Whether the cluster's version is the one that was agreed on. */
  readonly isKnown?: boolean
  /** Undefined where no file has it. */
  readonly local: JsonMap | undefined
  readonly live: Live | undefined
  /** The clean live object without defaults, where nothing was agreed on. */
  readonly bare: JsonMap | undefined
  readonly shape: Shape
}

/** What the file would hold if it were what the cluster is. */
export function remoteOf({ agreed, live, bare, shape }: Omit<Facts, 'place'>): JsonMap | undefined {
  if (live === undefined) return undefined
  return agreed === undefined ? (bare ?? live.clean) : followed(agreed, live.clean, shape)
}

/** Nothing changed anywhere, as a look without any schema tells. */
export function isUntouched({ agreed, local, live }: Pick<Facts, 'agreed' | 'local' | 'live'>): boolean {
  if (agreed === undefined || local === undefined || live === undefined) return false
  return equal(agreed.file, local) && equal(agreed.live, live.clean)
}

/** How an object stands, out of what is known of it. Pure. */
export function planResource(facts: Facts): ResourcePlan {
  const { agreed, local } = facts
  const about = aboutOf(facts)
  if (isUntouched(facts)) return { ...about, state: 'same', differences: [], notes: [] }
  const remote = remoteOf(facts)
  if (local === undefined || remote === undefined) {
    const whole = wholeDifference(facts, remote)
    const state = local === undefined ? 'only-remote' : 'only-local'
    return { ...about, state, differences: [whole], notes: notesOf(whole) }
  }
  const found = compare({ base: agreed?.file, local, remote }, facts.shape)
  const differences = found.map((difference) => fieldDifference(difference, facts))
  return { ...about, state: stateOf(differences), differences, notes: [] }
}

/** What a plan says of an object however it stands. */
export function aboutOf({ identity, apiVersion, place, live }: Facts) {
  return {
    id: nameOf(identity),
    ref: { ...identity, apiVersion },
    place,
    resourceVersion: versionOf(live?.object),
  }
}

function stateOf(differences: readonly FieldDifference[]): ResourceState {
  if (differences.length === 0) return 'same'
  return differences.some(({ whose }) => whose === 'both') ? 'conflict' : 'changed'
}

const whoseOf: Readonly<Record<Difference['whose'], Whose>> = {
  local: 'yours',
  remote: 'theirs',
  both: 'both',
  unknown: 'differs',
}

/** A difference with who has a say in it. */
export function fieldDifference(difference: Difference, { live, identity, shape }: Facts): FieldDifference {
  const { path, base, local, remote, whose } = difference
  const fields = remote === undefined ? [] : fieldsOf(remote, path, shapeAt(shape, path))
  const owners = ownersOf(live?.object ?? {}, fields)
  const foreign = owners.find(isForeign)
  return {
    ...{ id: describePath(path), path, base, local, remote },
    whose: whoseOf[whose],
    manager: (foreign ?? owners.find(({ manager }) => manager !== fieldManager))?.manager,
    isHeld: foreign !== undefined && whose !== 'remote',
    isSecret: identity.kind === 'Secret' && (path[0] === 'data' || path[0] === 'stringData'),
  }
}

/** Of an object that one side does not have. */
function wholeDifference({ agreed, local, identity }: Facts, remote: JsonMap | undefined): FieldDifference {
  const whose = (): Whose => {
    if (agreed === undefined) return local === undefined ? 'theirs' : 'yours'
    if (local === undefined) return 'yours'
    return equal(agreed.file, local) ? 'theirs' : 'both'
  }
  const isSecret = identity.kind === 'Secret'
  return { id: '', path: [], base: agreed?.file, local, remote, whose: whose(), isHeld: false, isSecret }
}

function notesOf({ base, local }: FieldDifference): string[] {
  if (base === undefined) return []
  return local === undefined
    ? ['its file was removed here; `pull` of it by name brings it back, `push --prune` deletes it there']
    : ['it was deleted in the cluster; remove it here, or push it by name with `--conflicts take`']
}

function versionOf(object: JsonMap | undefined): string | undefined {
  const metadata = object?.metadata as { resourceVersion?: unknown } | undefined
  return typeof metadata?.resourceVersion === 'string' ? metadata.resourceVersion : undefined
}

/** Kinds that hold something which goes with them. */
const vessels = new Set([
  'Namespace',
  'CustomResourceDefinition',
  'StatefulSet',
  'PersistentVolume',
  'PersistentVolumeClaim',
])

/** Whether objects of a kind hold what is lost when they are deleted: data, or what others made. */
export function holdsData(kind: string): boolean {
  return vessels.has(kind)
}
