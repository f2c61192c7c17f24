import { isList, isMap, type Json, type Path } from './value.ts'

type Pattern = { readonly any: 'field' | 'item' | 'depth' } | { readonly name: string }

const parsed = new Map<string, readonly Pattern[]>()

/** Reads a rule's path. Throws a SyntaxError that says where it is none. Rules are few, and asked of every object. */
export function parsePattern(text: string): readonly Pattern[] {
  const pattern = parsed.get(text) ?? readPattern(text)
  parsed.set(text, pattern)
  return pattern
}

function readPattern(text: string): Pattern[] {
  const steps: Pattern[] = []
  const token = /\*\*|\*|\[\*\]|\["((?:[^"\\]|\\.)*)"\]|[^.[\]*"]+/y
  let at = 0
  while (at < text.length) {
    if (text[at] === '.' && at > 0) at += 1
    token.lastIndex = at
    const match = token.exec(text)
    if (match === null)
      throw new SyntaxError(`\`${text}\` is no path: it cannot be read from character ${at + 1} on`)
    at += match[0].length
    steps.push(stepOf(match[0], match[1]))
  }
  return steps
}

function stepOf(token: string, quoted: string | undefined): Pattern {
  if (token === '**') return { any: 'depth' }
  if (token === '*') return { any: 'field' }
  if (token === '[*]') return { any: 'item' }
  return { name: quoted === undefined ? token : JSON.parse(`"${quoted}"`) }
}

/** Where a value has what a pattern means, in the order of the value. */
export function find(value: Json, pattern: readonly Pattern[]): Path[] {
  const [step, ...rest] = pattern
  if (step === undefined) return [[]]
  const below = (key: string | number, inner: Json, next: readonly Pattern[]) =>
    find(inner, next).map((path) => [key, ...path])
  if ('name' in step) {
    const inner = isMap(value) && Object.hasOwn(value, step.name) ? value[step.name] : undefined
    return inner === undefined ? [] : below(step.name, inner, rest)
  }
  const children = childrenOf(value)
  if (step.any === 'depth') {
    return [...find(value, rest), ...children.flatMap(([key, inner]) => below(key, inner, pattern))]
  }
  return children
    .filter(([key]) => typeof key === (step.any === 'item' ? 'number' : 'string'))
    .flatMap(([key, inner]) => below(key, inner, rest))
}

function childrenOf(value: Json): (readonly [string | number, Json])[] {
  if (isList(value)) return value.map((item, index) => [index, item] as const)
  return isMap(value) ? Object.entries(value) : []
}

/** The value at a path; undefined where there is none. */
export function valueAt(value: Json | undefined, path: Path): Json | undefined {
  return path.reduce<Json | undefined>((inner, step) => {
    if (typeof step === 'number') return isList(inner) ? inner[step] : undefined
    return isMap(inner) && Object.hasOwn(inner, step) ? inner[step] : undefined
  }, value)
}
