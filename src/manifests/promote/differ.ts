import { withoutAll } from '../defaults/find.ts'
import { compare, type FieldPath } from '../diff/compare.ts'
import type { Shape } from '../diff/shape.ts'
import type { Wish } from '../diff/take.ts'
import { operate } from '../operate.ts'
import { find, parsePattern, valueAt } from '../path.ts'
import { fieldAt } from '../plan/outcome.ts'
import { isMap, type JsonMap, type Path } from '../value.ts'
import { classifier, rulesFoundIn, type Verdict } from './classify.ts'
import type { FieldRule } from './rule.ts'

/** An object of one of two places. */
export interface View {
  /** Without what does not belong into a file. */
  readonly clean: JsonMap
  /** The same without what the server would fill in. */
  readonly bare: JsonMap
}

/** What an object is to get from the one it is compared with. */
export interface Transfer {
  readonly wish: Wish
  readonly verdict: Verdict
}

interface Compared {
  /** In the terms of the target: with its namespace. */
  readonly source: View
  readonly target: View
  readonly shape: Shape
  readonly rules: readonly FieldRule[]
}

/** What one object lacks or has otherwise than another, by field. What one says and the other has by default is no difference. */
export function transfersBetween({ source, target, shape, rules }: Compared): Transfer[] {
  const classify = classifier({ source: source.clean, target: target.clean, shape, rules })
  const isTold = ({ bare }: View, path: FieldPath) => fieldAt(bare, path, shape) !== undefined
  return compare({ base: undefined, local: target.clean, remote: source.clean }, shape)
    .filter(({ path, local, remote }) => {
      if (remote === undefined) return isTold(target, path)
      return local !== undefined || isTold(source, path)
    })
    .map(({ path, remote }) => ({
      wish: { path, value: fieldAt(source.bare, path, shape) ?? remote, like: source.clean },
      verdict: classify(path),
    }))
}

/** A new object. */
export interface Creation {
  /** What it is to have: all that is not bound to the environment that it comes from, and what it cannot be without. */
  readonly object: JsonMap
  /** The rest, field by field. */
  readonly rest: readonly Transfer[]
  /** What is in it although it is bound, because it has to be there. */
  readonly warnings: readonly string[]
  /** Whether something of it is not bound. */
  readonly isWorthwhile: boolean
}

/** What an object becomes that only the source has. */
export function creationOf(bare: JsonMap, shape: Shape, rules: readonly FieldRule[]): Creation {
  const classify = classifier({ source: bare, target: undefined, shape, rules })
  const found = rulesFoundIn(bare, rules).filter(
    ({ rule }) => rule.nature === 'bound' && rule.differs === undefined,
  )
  const [needed, left] = [true, false].map((is) => found.filter(({ rule }) => rule.isNeeded === is))
  const isKept = (path: Path) =>
    needed?.some((one) => path.every((step, at) => one.path[at] === step)) === true
  const paths = outermost((left ?? []).map(({ path }) => path).filter((path) => !isKept(path)))
  const object = withoutAll(bare, paths.toReversed())
  const rest = compare({ base: undefined, local: object, remote: bare }, shape).map(({ path, remote }) => ({
    wish: { path, value: remote, like: bare },
    verdict: classify(path),
  }))
  const warnings = (needed ?? []).map(({ rule }) => rule.reason)
  const isWorthwhile = Object.keys(object).some(
    (field) => !['apiVersion', 'kind', 'metadata', 'type'].includes(field),
  )
  return { object, rest, warnings, isWorthwhile }
}

/** Those of the paths that no other leads to, items of a list in their order. */
function outermost(paths: readonly Path[]): Path[] {
  const isBelow = (path: Path, other: Path) =>
    other.length < path.length && other.every((step, at) => step === path[at])
  const keyOf = (path: Path) => path.map((step) => String(step).padStart(6, '0')).join('\0')
  const unique = new Map(paths.map((path) => [keyOf(path), path]))
  const found = [...unique].filter(([, path]) => !paths.some((other) => isBelow(path, other)))
  return found.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path)
}

/** Where objects name the namespace that they are in or reach into. */
const namespacePaths = ['metadata.namespace', 'subjects[*].namespace', 'spec.**.namespace']

/** An object as it would be in another namespace. */
export function inNamespace(object: JsonMap, from: string | undefined, to: string | undefined): JsonMap {
  if (from === undefined || to === undefined || from === to) return object
  const paths = namespacePaths.flatMap((path) => find(object, parsePattern(path)))
  const moved = operate(
    object,
    paths
      .filter((path) => valueAt(object, path) === from)
      .map((path) => ({ op: 'set', path, value: to }) as const),
  )
  return isMap(moved) ? moved : object
}
