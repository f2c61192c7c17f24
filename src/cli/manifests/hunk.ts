import { structuredPatch } from 'diff'
import type { FieldPath } from '../../manifests/diff/compare.ts'
import type { ItemStep } from '../../manifests/diff/shape.ts'
import { isList, isMap, type Json } from '../../manifests/value.ts'
import { toYaml } from '../../manifests/yaml/output.ts'
import { grouped } from '../../ui/text.ts'

/** What a line is: context, what goes, what comes, or what stands against each other and stays. */
export type Sign = ' ' | '-' | '+' | '~'

export interface Line {
  readonly sign: Sign
  readonly text: string
  /** Stands behind the text as a comment. */
  readonly remark?: string
}

/** One state of a field in a hunk; without a value the field is not there, which needs no line unless it is said. */
export interface Side {
  readonly sign: Sign
  readonly value: Json | undefined
  readonly remark?: string
}

/** A field, and what is to be shown of it. */
export interface Field {
  readonly path: FieldPath
  readonly sides: readonly Side[]
}

/** Lines of one value above which the rest is only counted. */
const maxLines = 400
/** Texts above this, in characters, are not compared line by line. */
const maxText = 1_500_000
/** Edits above which two texts are shown one after the other; comparing takes time with their number. */
const maxEdits = 2_000

/**
 * Fields as lines of YAML: each below the maps and list items that lead to it, which are written once, and of which
 * nothing else is shown. Texts of several lines are shown by what differs in them.
 */
export function hunk(fields: readonly Field[]): Line[] {
  const root = new Node()
  for (const field of fields) {
    const node = field.path.reduce<Node>((inner, step) => inner.below(step), root)
    node.sides.push(...field.sides)
  }
  return [...linesOf(root.sides, undefined, 0), ...belowOf(root, 0)]
}

class Node {
  readonly sides: Side[] = []
  readonly children = new Map<string, { readonly step: string | ItemStep; readonly node: Node }>()

  below(step: string | ItemStep): Node {
    const id = JSON.stringify(step)
    const node = this.children.get(id)?.node ?? new Node()
    this.children.set(id, { step, node })
    return node
  }
}

function belowOf(node: Node, column: number): Line[] {
  return [...node.children.values()].flatMap(({ step, node: inner }) => {
    const own = linesOf(inner.sides, step, column)
    if (inner.children.size === 0) return own
    return [...own, ...headOf(step, column), ...belowOf(inner, column + 2)]
  })
}

/** The line of a map's key, or of what tells a list's item from others. */
function headOf(step: string | ItemStep, column: number): Line[] {
  if (typeof step === 'string') return [{ sign: ' ', text: `${margin(column)}${keyText(step)}:` }]
  return indented(toYaml([step.keys]), column).map((text) => ({ sign: ' ', text }))
}

function linesOf(sides: readonly Side[], step: string | ItemStep | undefined, column: number): Line[] {
  const [before, after] = sides
  if (typeof step === 'string' && sides.length === 2 && areTexts(before?.value, after?.value)) {
    return textLines(step, { before, after, column })
  }
  return sides.flatMap((side) => sideLines(side, step, column))
}

function sideLines(
  { sign, value, remark }: Side,
  step: string | ItemStep | undefined,
  column: number,
): Line[] {
  if (value === undefined) {
    return remark === undefined || sign !== '~' ? [] : [{ sign, text: absent(step, column), remark }]
  }
  const [first = '', ...rest] = indented(toYaml(wrapped(step, value)), column)
  const lines = [{ sign, text: first, ...(remark !== undefined && { remark }) }]
  return [...lines, ...cut(rest).map((text) => ({ sign, text }))]
}

function absent(step: string | ItemStep | undefined, column: number): string {
  const name = typeof step === 'string' ? keyText(step) : step === undefined ? 'object' : 'item'
  return `${margin(column)}(no ${name})`
}

function wrapped(step: string | ItemStep | undefined, value: Json): Json {
  if (step === undefined) return value
  return typeof step === 'string' ? { [step]: value } : [value]
}

function areTexts(before: Json | undefined, after: Json | undefined): boolean {
  if (typeof before !== 'string' || typeof after !== 'string') return false
  return /\n./.test(before) || /\n./.test(after)
}

interface Texts {
  readonly before: Side | undefined
  readonly after: Side | undefined
  readonly column: number
}

function textLines(key: string, { before, after, column }: Texts): Line[] {
  const [old, now] = [String(before?.value), String(after?.value)]
  const remark = before?.remark ?? after?.remark
  const head: Line = {
    sign: ' ',
    text: `${margin(column)}${keyText(key)}: |`,
    ...(remark !== undefined && { remark }),
  }
  const patch =
    old.length + now.length > maxText
      ? undefined
      : structuredPatch('', '', old, now, '', '', { context: 2, maxEditLength: maxEdits })
  if (patch === undefined) {
    const told = `(${grouped(old.length)} characters become ${grouped(now.length)})`
    return [head, { sign: after?.sign ?? '~', text: `${margin(column + 2)}${told}` }]
  }
  const signs: Readonly<Record<string, Sign>> = {
    '-': before?.sign ?? '-',
    '+': after?.sign ?? '+',
    ' ': ' ',
  }
  const body = patch.hunks.flatMap((part, index) => [
    ...(index > 0 || part.oldStart > 1 ? [{ sign: ' ', text: `${margin(column + 2)}…` } as const] : []),
    ...part.lines.map((line) => ({
      sign: signs[line[0] ?? ' '] ?? ' ',
      text: margin(column + 2) + (line.startsWith('\\') ? '(no line end)' : line.slice(1)),
    })),
  ])
  return [head, ...body]
}

function indented(yaml: string, column: number): string[] {
  return yaml
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => margin(column) + line)
}

function cut(lines: readonly string[]): readonly string[] {
  if (lines.length <= maxLines) return lines
  return [...lines.slice(0, maxLines), `… ${grouped(lines.length - maxLines)} more lines`]
}

/** Values of a secret, each replaced by a word that says nothing of it. */
export function masked(value: Json): Json {
  if (isList(value)) return value.map(masked)
  if (isMap(value)) return Object.fromEntries(Object.entries(value).map(([name, it]) => [name, masked(it)]))
  return '(hidden)'
}

function keyText(key: string): string {
  return toYaml({ [key]: null }).replace(/: null\n$|:\n$/, '')
}

function margin(column: number): string {
  return ' '.repeat(column)
}
