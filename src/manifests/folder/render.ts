import { isList, isMap, type Json, type JsonMap } from '../value.ts'
import { toYaml } from '../yaml/output.ts'

/** A new file for an object: fields in kubectl's order, which is the alphabet's; JSON if the file is called so. */
export function renderManifest(object: JsonMap, file: string): string {
  const sorted = inOrder(object)
  if (file.endsWith('.json')) return `${JSON.stringify(sorted, null, 2)}\n`
  return toYaml(sorted)
}

function inOrder(value: Json): Json {
  if (isList(value)) return value.map(inOrder)
  if (!isMap(value)) return value
  const names = Object.keys(value).sort()
  return Object.fromEntries(names.map((name) => [name, inOrder(value[name] ?? null)]))
}
