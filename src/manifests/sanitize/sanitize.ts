import { operate } from '../operate.ts'
import { groupOf } from '../order/references.ts'
import { find, parsePattern, valueAt } from '../path.ts'
import { isList, isMap, type Json, type JsonMap, type Path } from '../value.ts'
import type { Condition, Rule } from './rule.ts'

/** What a rule took out of an object. */
export interface Removal {
  readonly path: Path
  readonly rule: Rule
  /** What went with it, as the object then was: what held nothing else goes, too. */
  readonly gone: Path
}

export interface Clean {
  readonly object: JsonMap
  readonly removed: readonly Removal[]
}

/**
 * An object as a person would keep it. What the rules take leaves no empty map or list behind, unless it was empty
 * before: `emptyDir: {}` means something.
 *
 * @param like the user's own object, if there is one: what the server may choose and the user did choose stays.
 */
export function sanitize(object: JsonMap, rules: readonly Rule[], like?: JsonMap): Clean {
  let now: JsonMap = object
  const removed: Removal[] = []
  for (const rule of rulesFor(object, rules)) {
    // From the last one back, so that the indices of those before stay true.
    for (const path of matchesOf(now, rule).reverse()) {
      if (rule.allocated && valueAt(like, path) !== undefined) continue
      const gone = emptiedBy(now, path)
      if (identifying.has(gone.join('.'))) continue
      const changed = operate(now, [{ op: 'remove', path: gone }])
      if (isMap(changed)) now = changed
      removed.push({ path, rule, gone })
    }
  }
  return { object: now, removed }
}

/** What makes an object the one that it is; no rule takes it, whatever it says. */
const identifying = new Set(['apiVersion', 'kind', 'metadata', 'metadata.name', 'metadata.namespace'])

const byKind = new WeakMap<readonly Rule[], Map<string, readonly Rule[]>>()

/** Those that are for an object's kind, picked once for each kind. */
function rulesFor(object: JsonMap, rules: readonly Rule[]): readonly Rule[] {
  const kinds = byKind.get(rules) ?? new Map<string, readonly Rule[]>()
  byKind.set(rules, kinds)
  const kind = JSON.stringify([object.apiVersion, object.kind])
  const own = kinds.get(kind) ?? rules.filter((rule) => isForKind(rule, object))
  kinds.set(kind, own)
  return own
}

/** Where an object has what a rule is about. */
export function matchesOf(object: JsonMap, rule: Rule): Path[] {
  if (!isForKind(rule, object) || rule.unless.some((condition) => holds(object, condition))) return []
  return find(object, parsePattern(rule.path)).filter((path) => {
    const value = valueAt(object, path)
    return value !== undefined && rule.when.every((condition) => holds(value, condition))
  })
}

function isForKind({ kind }: Rule, { apiVersion, kind: own }: JsonMap): boolean {
  if (kind === '*' || kind === own) return true
  // Asked of every object by every rule: most are told by this alone.
  if (typeof own !== 'string' || !kind.startsWith(own)) return false
  return typeof apiVersion === 'string' && kind === `${own}.${groupOf(apiVersion)}`
}

function holds(value: Json, { path, equals, not, matches }: Condition): boolean {
  const candidates = path === '' ? [value] : find(value, parsePattern(path)).map((at) => valueAt(value, at))
  return candidates.some((candidate) => {
    if (equals !== undefined && candidate !== equals) return false
    if (not !== undefined && candidate === not) return false
    return matches === undefined || (typeof candidate === 'string' && new RegExp(matches).test(candidate))
  })
}

function emptiedBy(object: JsonMap, path: Path): Path {
  const parent = path.slice(0, -1)
  const holder = valueAt(object, parent)
  const size = isList(holder) ? holder.length : isMap(holder) ? Object.keys(holder).length : 0
  return size === 1 && parent.length > 0 ? emptiedBy(object, parent) : path
}
