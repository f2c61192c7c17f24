import { isList, isMap, type Json, type Path, type Step } from './value.ts'

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
  return mayHold(value, pattern) ? walked(value, pattern) : []
}

/** Whether a value has the names that a pattern begins with: most rules are told from most objects by that alone. */
function mayHold(value: Json, pattern: readonly Pattern[]): boolean {
  let here: Json | undefined = value
  for (const step of pattern) {
    if (!('name' in step)) return true
    if (!isMap(here) || !Object.hasOwn(here, step.name)) return false
    here = here[step.name]
  }
  return true
}

function walked(value: Json, pattern: readonly Pattern[]): Path[] {
  const found: Path[] = []
  // One path for all of the way: rules look into every corner of every object, and mostly find nothing.
  const path: Step[] = []
  const enter = (key: Step, inner: Json | undefined, next: number) => {
    if (inner === undefined) return
    path.push(key)
    walk(inner, next)
    path.pop()
  }
  const walk = (here: Json, at: number): void => {
    const step = pattern[at]
    if (step === undefined) return void found.push([...path])
    if ('name' in step) {
      if (isMap(here) && Object.hasOwn(here, step.name)) enter(step.name, here[step.name], at + 1)
      return
    }
    const next = step.any === 'depth' ? at : at + 1
    if (step.any === 'depth') walk(here, at + 1)
    if (isList(here)) {
      if (step.any !== 'field') for (const [index, item] of here.entries()) enter(index, item, next)
    } else if (isMap(here) && step.any !== 'item') {
      for (const [key, inner] of Object.entries(here)) enter(key, inner, next)
    }
  }
  walk(value, 0)
  return found
}

/** The value at a path; undefined where there is none. */
export function valueAt(value: Json | undefined, path: Path): Json | undefined {
  return path.reduce<Json | undefined>((inner, step) => {
    if (typeof step === 'number') return isList(inner) ? inner[step] : undefined
    return isMap(inner) && Object.hasOwn(inner, step) ? inner[step] : undefined
  }, value)
}
