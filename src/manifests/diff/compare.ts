import { equal, isList, isMap, type Json } from '../value.ts'
import { type ItemStep, itemsOf, type Shape } from './shape.ts'

/** A way into an object that means the same on both sides: items of lists by their keys. */
export type FieldPath = readonly (string | ItemStep)[]

/**
 * A field in which the two sides differ, the smallest that the schema knows as one thing. A side without a
 * value does not have the field.
 */
export interface Difference {
  readonly path: FieldPath
  readonly base: Json | undefined
  readonly local: Json | undefined
  readonly remote: Json | undefined
  /** Who changed it since both last agreed; `unknown` where they never did. */
  readonly whose: 'local' | 'remote' | 'both' | 'unknown'
}

/** The three states of an object or a part of it. `base` is undefined where nothing was ever agreed on. */
export interface States {
  readonly base: Json | undefined
  readonly local: Json | undefined
  readonly remote: Json | undefined
}

/** Compares three states field by field. What both sides changed alike is no difference. */
export function compare(states: States, shape: Shape): Difference[] {
  const isKnown = states.base !== undefined
  return walk(states, { shape, path: [], isKnown })
}

interface Here {
  readonly shape: Shape
  readonly path: FieldPath
  readonly isKnown: boolean
}

function walk(states: States, here: Here): Difference[] {
  const { base, local, remote } = states
  if (equal(local, remote)) return []
  if (isMap(local) && isMap(remote) && !here.shape.isAtomic) return walkMaps(states, here)
  if (isList(local) && isList(remote)) {
    const inside = walkLists(states, here)
    if (inside !== undefined) return inside
  }
  return [{ path: here.path, base, local, remote, whose: whoseOf(states, here.isKnown) }]
}

function whoseOf({ base, local, remote }: States, isKnown: boolean): Difference['whose'] {
  if (!isKnown) return 'unknown'
  if (equal(base, local)) return 'remote'
  return equal(base, remote) ? 'local' : 'both'
}

function walkMaps({ base, local, remote }: States, { shape, path, isKnown }: Here): Difference[] {
  const names = new Set([
    ...Object.keys(isMap(local) ? local : {}),
    ...Object.keys(isMap(remote) ? remote : {}),
  ])
  return [...names].flatMap((name) =>
    walk(
      { base: own(base, name), local: own(local, name), remote: own(remote, name) },
      { shape: shape.field(name), path: [...path, name], isKnown },
    ),
  )
}

function own(value: Json | undefined, name: string): Json | undefined {
  return isMap(value) && Object.hasOwn(value, name) ? value[name] : undefined
}

/** Items are compared with their like; undefined when the list has to be taken as one thing. */
function walkLists(states: States, { shape, path, isKnown }: Here): Difference[] | undefined {
  const [base, local, remote] = [states.base, states.local, states.remote].map((list) =>
    itemsOf(isList(list) ? list : [], shape.list),
  )
  if (base === undefined || local === undefined || remote === undefined) return undefined
  const steps = new Map([...local, ...remote].map(([id, { step }]) => [id, step]))
  const differences = [...steps].flatMap(([id, step]) =>
    walk(
      { base: base.get(id)?.value, local: local.get(id)?.value, remote: remote.get(id)?.value },
      { shape: shape.item(), path: [...path, step], isKnown },
    ),
  )
  // The same items in another order: where order means nothing there is nothing to tell.
  return differences
}

/** A path as people read it: `spec.containers[name=web].image`. */
export function describePath(path: FieldPath): string {
  const steps = path.map((step) => {
    if (typeof step !== 'string') return `[${describeItem(step)}]`
    return /^[\w$-]+$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`
  })
  return steps.join('').replace(/^\./, '')
}

function describeItem(step: ItemStep): string {
  if (step.by === 'value') return JSON.stringify(step.keys[''])
  return Object.entries(step.keys)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(',')
}
