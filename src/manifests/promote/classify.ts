import type { FieldPath } from '../diff/compare.ts'
import { idOf, itemsOf, type Shape } from '../diff/shape.ts'
import { groupBy } from '../group.ts'
import { valueAt } from '../path.ts'
import { matchesOf } from '../sanitize/sanitize.ts'
import { isList, isMap, type Json, type JsonMap, type Path } from '../value.ts'
import type { FieldRule, Nature } from './rule.ts'

/** What a field is, and why that is thought. */
export interface Verdict {
  readonly nature: Nature
  readonly reason: string
}

/** An object in the two places; undefined where it is not. */
export interface Pair {
  readonly source: JsonMap | undefined
  readonly target: JsonMap | undefined
  readonly shape: Shape
  readonly rules: readonly FieldRule[]
}

/** Where a rule says something of an object. */
export interface Found {
  readonly path: Path
  readonly rule: FieldRule
}

/** Where the rules say something of an object, those first that come first. */
export function rulesFoundIn(object: JsonMap, rules: readonly FieldRule[]): Found[] {
  return rules.flatMap((rule) => {
    const { kind, path, when, reason, name } = rule
    const isNamed = (at: Path) => name === undefined || new RegExp(name).test(String(at.at(-1)))
    const found = matchesOf(object, { kind, path, when: [...when], unless: [], allocated: false, reason })
    return found.filter(isNamed).map((at) => ({ path: at, rule }))
  })
}

/**
 * What a field is in which two objects differ: of all values in it, on both sides, those count that only one side has. One that is bound
 * binds the field, one that no rule knows leaves it open.
 */
export function classifier({ source, target, shape, rules }: Pair): (path: FieldPath) => Verdict {
  const sides = [source, target].map((object) => ({
    object,
    found: object === undefined ? [] : rulesFoundIn(object, rules),
  }))
  return (path) => {
    const values = sides.map(({ object }) => textAt(object, path, shape))
    const leaves = sides.flatMap(({ object, found }, side) => {
      const at = placeOf(object, path, shape)
      if (at === undefined) return []
      return leavesBelow(valueAt(object, at), at).map((leaf) => ({
        ...{ side, value: JSON.stringify(valueAt(object, leaf)) },
        rule: found.find((one) => covers(one, leaf) && isTold(one.rule, values))?.rule,
      }))
    })
    const groups = [
      ...groupBy(leaves, ({ rule }) => String(rule === undefined ? -1 : rules.indexOf(rule))).values(),
    ]
    const differing = groups.filter((group) => said(group, 0) !== said(group, 1))
    return worst((differing.length > 0 ? differing : groups).map(([first]) => first?.rule))
  }
}

function said(leaves: readonly { readonly side: number; readonly value: string }[], of: number): string {
  return leaves
    .filter(({ side }) => side === of)
    .map(({ value }) => value)
    .sort()
    .join('\n')
}

function worst(rules: readonly (FieldRule | undefined)[]): Verdict {
  const bound = rules.find((rule) => rule?.nature === 'bound')
  if (bound !== undefined) return { nature: 'bound', reason: bound.reason }
  const open = rules.length === 0 || rules.includes(undefined)
  return open
    ? { nature: 'unclassed', reason: 'no rule knows it' }
    : { nature: 'portable', reason: rules[0]?.reason ?? '' }
}

function covers({ path }: Found, leaf: Path): boolean {
  return path.length <= leaf.length && path.every((step, depth) => step === leaf[depth])
}

/** Whether both texts differ in what the rule is about, if it is about that. */
function isTold({ differs }: FieldRule, [one, other]: readonly (string | undefined)[]): boolean {
  if (differs === undefined) return true
  if (one === undefined || other === undefined) return false
  const [here, there] = [one, other].map((text) => new RegExp(differs).exec(text)?.[1])
  return here !== there
}

function textAt(object: JsonMap | undefined, path: FieldPath, shape: Shape): string | undefined {
  const at = placeOf(object, path, shape)
  const value = at === undefined ? undefined : valueAt(object, at)
  return typeof value === 'string' ? value : undefined
}

/** A field's place in one object, items by their indices; undefined where that does not have it. */
export function placeOf(object: JsonMap | undefined, path: FieldPath, shape: Shape): Path | undefined {
  let now: Json | undefined = object
  let here = shape
  const place: (string | number)[] = []
  for (const step of path) {
    const index = typeof step === 'string' ? step : indexOf(now, here, idOf(step))
    now = valueAt(now, [index])
    if (now === undefined) return undefined
    here = typeof step === 'string' ? here.field(step) : here.item()
    place.push(index)
  }
  return object === undefined ? undefined : place
}

function indexOf(list: Json | undefined, { list: identity }: Shape, id: string): number {
  const items = isList(list) ? itemsOf(list, identity) : undefined
  return [...(items?.keys() ?? [])].indexOf(id)
}

/** The single values in a value: an empty map or list is one. */
function leavesBelow(value: Json | undefined, at: Path): Path[] {
  const inner = isList(value) ? [...value.entries()] : isMap(value) ? Object.entries(value) : []
  return inner.length === 0 ? [at] : inner.flatMap(([step, one]) => leavesBelow(one, [...at, step]))
}
