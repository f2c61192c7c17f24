import { KubesyncError } from '../../errors.ts'
import { type ItemStep, itemsOf, type Shape, unknownShape } from '../diff/shape.ts'
import type { Wish } from '../diff/take.ts'
import { made } from '../plan/outcome.ts'
import { isList, isMap, type Json, type JsonMap } from '../value.ts'

/** A step of a way that a person writes down: into a map, or to the item of a list at a place or with certain values. */
export type Step = string | number | { readonly where: Readonly<Record<string, string>> }

/**
 * Reads `spec.containers[name=web].image`, `spec.containers[0].image`, `metadata.annotations["a.b/c"]` or `metadata.annotations.a\.b/c`.
 * USAGE where it is none of these.
 */
export function parseField(text: string): Step[] {
  const steps: Step[] = []
  const token = /\["((?:[^"\\]|\\.)*)"\]|\[([^\]"]*)\]|\.?((?:[^.[\]\\]|\\.)+)/y
  while (token.lastIndex < text.length) {
    const at = token.lastIndex
    const match = token.exec(text)
    const isFirst = at === 0
    if (match === null || (match[3] !== undefined && isFirst === match[0].startsWith('.'))) {
      throw new KubesyncError(
        'USAGE',
        `\`${text}\` is no path: it cannot be read from character ${at + 1} on`,
        {
          hint: 'paths are written as spec.template.spec.containers[name=web].image or metadata.annotations["a.b/c"]',
        },
      )
    }
    steps.push(stepOf(match))
  }
  return steps
}

function stepOf([, quoted, bracket, name]: RegExpExecArray): Step {
  if (quoted !== undefined) return String(JSON.parse(`"${quoted}"`))
  if (name !== undefined) return name.replace(/\\(.)/g, '$1')
  const inside = bracket ?? ''
  if (/^\d+$/.test(inside)) return Number(inside)
  const pairs = inside.split(',').map((pair) => /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(pair))
  if (pairs.some((pair) => pair === null)) return inside
  return { where: Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? '', pair?.[2] ?? ''])) }
}

/** Where a wish is looked at: an object or a part of it, and what the schema says of that. */
interface Here {
  readonly value: Json | undefined
  readonly shape: Shape
  /** What it is called, for whoever wrote the path. */
  readonly said: string
}

/**
 * The wish that a field of an object have a value, or be gone (undefined): by the keys of list items where the schema has such; in
 * other lists, which are one thing, the whole list is wished for. NO_SUCH_FIELD where the way leads nowhere.
 */
export function wishAt(object: JsonMap, shape: Shape, { steps, value }: Aim): Wish {
  return { ...wishIn({ value: object, shape, said: '' }, steps, value), like: undefined }
}

/** A way, and what is to be at its end, by what is there now. */
export interface Aim {
  readonly steps: readonly Step[]
  readonly value: Wanted
}

export type Wanted = (now: Json | undefined) => Json | undefined

type Found = Pick<Wish, 'path' | 'value'>

function wishIn(here: Here, [step, ...rest]: readonly Step[], wanted: Wanted): Found {
  if (step === undefined) return { path: [], value: wanted(here.value) }
  const { value, shape, said } = here
  if (typeof step === 'string') {
    if (value !== undefined && value !== null && !isMap(value)) {
      throw nowhere(
        said,
        isList(value) ? 'is a list: say which item, as in [0] or [name=web]' : 'has no fields',
      )
    }
    const next = {
      value: isMap(value) ? value[step] : undefined,
      shape: shape.field(step),
      said: said === '' ? step : `${said}.${step}`,
    }
    const inner = wishIn(next, rest, wanted)
    return { path: [step, ...inner.path], value: inner.value }
  }
  if (value !== undefined && !isList(value)) throw nowhere(said, 'is no list')
  const found = inList({ ...here, value: value ?? [] }, { step, rest }, wanted)
  return found.value === undefined && value === undefined ? { path: [], value: undefined } : found
}

interface Way {
  readonly step: Exclude<Step, string>
  readonly rest: readonly Step[]
}

function inList(
  { value: list, shape, said }: Here & { readonly value: readonly Json[] },
  { step, rest }: Way,
  wanted: Wanted,
): Found {
  const index = indexIn(list, step, said)
  const name = `${said}[${typeof step === 'number' ? step : describe(step.where)}]`
  const inner = wishIn({ value: list[index], shape: shape.item(), said: name }, rest, wanted)
  const items = itemsOf(list, shape.list)
  const key = index === -1 ? newKey(shape, step) : [...(items?.values() ?? [])][index]?.step
  if (items !== undefined && key?.by === 'keys') return { path: [key, ...inner.path], value: inner.value }
  if (items !== undefined && shape.list.by === 'keys') {
    throw nowhere(said, `has items that are told apart by ${shape.list.keys.join(' and ')}: say them all`)
  }
  return { path: [], value: changedList(list, { index, step, inner }) }
}

function indexIn(list: readonly Json[], step: Way['step'], said: string): number {
  if (typeof step === 'number') {
    if (step < list.length) return step
    throw nowhere(said, `has no item [${step}]: it has ${list.length}, and the first is [0]`)
  }
  const fits = list.flatMap((item, index) => (hasAll(item, step.where) ? [index] : []))
  if (fits.length > 1) throw nowhere(said, `has ${fits.length} items with ${describe(step.where)}`)
  return fits[0] ?? -1
}

function hasAll(item: Json, where: Readonly<Record<string, string>>): boolean {
  return Object.entries(where).every(([name, text]) => isMap(item) && String(item[name]) === text)
}

/** Of an item that is still to be made: if its keys are known, all but those with defaults were said. */
function newKey({ list }: Shape, step: Way['step']): ItemStep | undefined {
  if (typeof step === 'number' || list.by !== 'keys') return undefined
  const keys = list.keys.map((name) => [name, step.where[name] ?? list.defaults[name]] as const)
  if (keys.some(([, value]) => value === undefined)) return undefined
  return { by: 'keys', keys: Object.fromEntries(keys.map(([name, value]) => [name, value ?? null])) }
}

interface InList {
  readonly index: number
  readonly step: Way['step']
  readonly inner: Found
}

function changedList(list: readonly Json[], { index, step, inner }: InList): Json | undefined {
  if (index === -1 && inner.value === undefined) return list.length === 0 ? undefined : list
  if (inner.path.length === 0 && inner.value === undefined) return list.toSpliced(index, 1)
  const now = list[index] ?? (typeof step === 'number' ? {} : { ...step.where })
  const item =
    inner.path.length === 0 || !isMap(now)
      ? (inner.value ?? null)
      : made(now, [{ ...inner, like: undefined }], unknownShape)
  return index === -1 ? [...list, item] : list.with(index, item)
}

function describe(where: Readonly<Record<string, string>>): string {
  return Object.entries(where)
    .map(([name, value]) => `${name}=${value}`)
    .join(',')
}

function nowhere(said: string, why: string): KubesyncError {
  return new KubesyncError('NO_SUCH_FIELD', `${said || 'the object'} ${why}`)
}
