import type { FieldPath } from '../diff/compare.ts'
import { idOf, itemsOf, type Shape, shapeAt } from '../diff/shape.ts'
import type { Agreed } from '../diff/states.ts'
import { operationsFor, type Wish } from '../diff/take.ts'
import { operate } from '../operate.ts'
import { isList, isMap, type Json, type JsonMap, type Operation } from '../value.ts'
import { complete } from './complete.ts'
import { type Facts, remoteOf } from './make.ts'
import { fieldManager, fieldsOf, ownersOf } from './owners.ts'
import { choiceOf, type Direction, type FieldDifference, type ResourcePlan, type Selection } from './plan.ts'

/** What a selection makes of a resource. */
export interface Outcome {
  /** For the cluster; undefined where nothing is to be written there. */
  readonly apply:
    | {
        /** What the cluster is to have, in the file's terms; what was left alone there has the cluster's values. */
        readonly object: JsonMap
        /** Whether fields of other managers were chosen to be taken. */
        readonly force: boolean
        /** Fields that are to go and that are not ours alone. */
        readonly handOver: readonly FieldPath[]
      }
    | undefined
  /** For the file: the operations, or a new document. */
  readonly file: { readonly operations: readonly Operation[] } | { readonly create: JsonMap } | undefined
  /** Whether both sides are the same already. */
  readonly isAgreed: boolean
  /** What will have been agreed on, once both sides did that, by the clean live object as it is then. */
  agreed(live: JsonMap): Agreed
}

type Way = 'cluster' | 'file' | 'leave'

/** Which way each difference goes; what the server only would add goes none. */
function waysOf(
  { id, differences }: ResourcePlan,
  { direction, selection }: Chosen,
): (way: Way) => FieldDifference[] {
  const ways = differences
    .filter(({ whose }) => whose !== 'default' && whose !== 'webhook')
    .map((difference): readonly [FieldDifference, Way] => {
      const choice = choiceOf(selection, { direction, resource: id, difference })
      if (choice === 'leave') return [difference, 'leave']
      return [difference, (direction === 'push') === (choice === 'take') ? 'cluster' : 'file']
    })
  return (wanted) => ways.filter(([, way]) => way === wanted).map(([difference]) => difference)
}

interface Chosen {
  readonly direction: Direction
  readonly selection: Selection
}

/** What a selection makes of a resource. Pure. */
export function outcomeOf(facts: Facts, resource: ResourcePlan, chosen: Chosen): Outcome {
  const way = waysOf(resource, chosen)
  const [toCluster, toFile, left] = [way('cluster'), way('file'), way('leave')]
  const remote = remoteOf(facts)
  const { local, shape } = facts
  if (local === undefined || remote === undefined) return wholeOutcome(facts, { toCluster, toFile, remote })
  const asRemote = (one: FieldDifference) => wish(one, one.remote, remote)
  const object = made(local, [...toFile, ...left].map(asRemote), shape)
  const operations = operationsFor(local, toFile.map(asRemote), shape)
  return {
    apply: toCluster.length === 0 ? undefined : applying(object, facts, toCluster),
    file: toFile.length === 0 ? undefined : { operations },
    isAgreed: left.length === 0,
    agreed: agreement(made(local, toFile.map(asRemote), shape), left, facts),
  }
}

/** What is agreed on once the file is this, by the clean live object: in what is left to differ it is what it was. */
export function agreement(
  file: JsonMap,
  left: readonly Pick<FieldDifference, 'path' | 'base'>[],
  { agreed, shape }: Pick<Facts, 'agreed' | 'shape'>,
): (live: JsonMap) => Agreed {
  const asBefore = left.map((one) => wish(one, one.base, agreed?.file))
  const asWas = left.map((one) => wish(one, fieldAt(agreed?.live, one.path, shape), agreed?.live))
  return (live) => ({ file: made(file, asBefore, shape), live: made(live, asWas, shape) })
}

/** What to apply for an object to have some fields as it has them here. */
export function applying(
  object: JsonMap,
  facts: Facts,
  changed: readonly Pick<FieldDifference, 'path' | 'local' | 'remote'>[],
): NonNullable<Outcome['apply']> {
  const paths = changed.map(({ path }) => path)
  const known = { live: facts.live?.object, shape: facts.shape }
  return { object: complete(object, known, paths), ...claims(facts, changed) }
}

/** What others own of what is to change. */
function claims(
  { live, shape }: Facts,
  toCluster: readonly Pick<FieldDifference, 'path' | 'local' | 'remote'>[],
) {
  const fields = ({ path, remote }: Pick<FieldDifference, 'path' | 'remote'>) =>
    remote === undefined ? [] : fieldsOf(remote, path, shapeAt(shape, path))
  const namesOf = (path: FieldPath) => ownersOf(live?.object ?? {}, [path]).map(({ manager }) => manager)
  const isOthers = (path: FieldPath) => namesOf(path).some((name) => name !== fieldManager)
  const isOursAlone = (path: FieldPath) => namesOf(path).length > 0 && !isOthers(path)
  const removed = toCluster.filter(({ local }) => local === undefined).flatMap(fields)
  return {
    force: toCluster.flatMap(fields).some(isOthers),
    handOver: removed.filter((path) => !isOursAlone(path)),
  }
}

interface Whole {
  readonly toCluster: readonly FieldDifference[]
  readonly toFile: readonly FieldDifference[]
  readonly remote: JsonMap | undefined
}

/** Of an object that one side does not have. Deleting is nothing that a selection does. */
function wholeOutcome({ local }: Facts, { toCluster, toFile, remote }: Whole): Outcome {
  const creates = toCluster.length > 0 && local !== undefined
  const writes = toFile.length > 0 && remote !== undefined
  return {
    apply: creates ? { object: local, force: false, handOver: [] } : undefined,
    file: writes ? { create: remote } : undefined,
    isAgreed: false,
    agreed: (live) => ({ file: local ?? remote ?? live, live }),
  }
}

function wish(
  { path }: Pick<FieldDifference, 'path'>,
  value: Json | undefined,
  like: Json | undefined,
): Wish {
  return { path, value, like }
}

/** An object with what is wished for. */
export function made(object: JsonMap, wishes: readonly Wish[], shape: Shape): JsonMap {
  const now = operate(object, operationsFor(object, wishes, shape))
  return isMap(now) ? now : object
}

/** The value of a field; undefined where it is not there. */
export function fieldAt(value: Json | undefined, path: FieldPath, shape: Shape): Json | undefined {
  const [step, ...rest] = path
  if (step === undefined || value === undefined) return value
  if (typeof step === 'string') {
    const inner = isMap(value) && Object.hasOwn(value, step) ? value[step] : undefined
    return fieldAt(inner, rest, shape.field(step))
  }
  const items = isList(value) ? itemsOf(value, shape.list) : undefined
  return fieldAt(items?.get(idOf(step))?.value, rest, shape.item())
}
