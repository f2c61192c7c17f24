import { at, isObject } from './object.ts'

type Step = (values: readonly unknown[]) => unknown[]

/**
 * What a JSONPath as CRDs use it in their printer columns leads to: `.spec.size`, `.metadata.labels['a.b']`,
 * `.spec.ports[0].port`, `.status.conditions[?(@.type=="Ready")].status`.
 */
export function jsonPath(object: unknown, path: string): unknown[] {
  const steps = stepsOf(path)
  return steps
    .reduce<unknown[]>((values, step) => step(values), [object])
    .filter((value) => value !== undefined)
}

const token = /\.((?:\\.|[^.[\\])+)|\['([^']*)'\]|\[(\d+|\*)\]|\[\?\(@\.([\w.]+)\s*==\s*["']([^"']*)["']\)\]/y

function stepsOf(path: string): Step[] {
  const text = path.replace(/^\{(.*)\}$/, '$1')
  const steps: Step[] = []
  token.lastIndex = 0
  while (token.lastIndex < text.length) {
    const found = token.exec(text)
    if (found === null) return [() => []]
    steps.push(stepOf(found))
  }
  return steps
}

function stepOf([, name, quoted, index, filter, wanted]: RegExpExecArray): Step {
  const field = name?.replace(/\\(.)/g, '$1') ?? quoted
  if (field !== undefined)
    return (values) => values.map((value) => (isObject(value) ? value[field] : undefined))
  return (values) =>
    values.flatMap((value) => {
      if (!Array.isArray(value)) return []
      if (filter === undefined) return index === '*' ? value : [value[Number(index)]]
      return value.filter((item) => String(at(item, ...filter.split('.'))) === wanted)
    })
}
