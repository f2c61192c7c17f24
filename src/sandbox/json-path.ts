import { at, isObject } from './object.ts'

const step = /\.((?:\\.|[^.[\\])+)|\['([^']*)'\]|\[(\d+|\*)\]|\[\?\(@\.([\w.]+)\s*==\s*["']([^"']*)["']\)\]/y

/**
 * What a JSONPath as CRDs use it in their printer columns leads to: `.spec.size`, `.metadata.labels['a.b']`,
 * `.spec.ports[0].port`, `.status.conditions[?(@.type=="Ready")].status`. Nothing for one that says more.
 */
export function jsonPath(object: unknown, path: string): unknown[] {
  let values = [object]
  step.lastIndex = 0
  while (step.lastIndex < path.length) {
    const found = step.exec(path)
    if (found === null) return []
    values = values.flatMap((value) => below(value, found)).filter((value) => value !== undefined)
  }
  return values
}

function below(value: unknown, [, name, quoted, index, filter, wanted]: RegExpExecArray): unknown[] {
  const field = name?.replace(/\\(.)/g, '$1') ?? quoted
  if (field !== undefined) return isObject(value) ? [value[field]] : []
  if (!Array.isArray(value)) return []
  if (filter === undefined) return index === '*' ? value : [value[Number(index)]]
  return value.filter((item) => String(at(item, ...filter.split('.'))) === wanted)
}
